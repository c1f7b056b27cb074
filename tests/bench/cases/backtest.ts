/** Backtests over a full store: one selective rule over all its events, and 80 rules over half of them. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { idOf } from "@vedette/kit";
import type { Event } from "@vedette/model";
import { type BacktestOptions, type BacktestSubject, backtest, estimateBacktest, planBacktest, threadJudge } from "@vedette/pipeline";
import { encodeEvents, eventsOfPage, openStore, type Store } from "@vedette/store";
import { rekeyedSshd, rekeyedZeek, temporary } from "../corpus.ts";
import { batchLines, fillStore } from "../filling.ts";
import { costOf, print, say } from "../harness.ts";

/** The goals, s on two cores, for 20 M and 10 M events. */
const goal = { selective_s: 10, many_s: 180 };
/** Events decoded anew, nine tenths Zeek and one tenth sshd; the store is filled with copies of them under other times and ids. */
const distinct = 50_000;
const hour = 3_600_000_000;
const eventsPerHour = 1_000_000;
/** One event in so many is what the selective rule looks for. */
const rare = 250_000;
const manyRules = 80;
const always = { op: "and", of: [] } as const;

const content = fileURLToPath(new URL("../../../content/", import.meta.url));
const files = (folder: string) =>
  readdirSync(join(content, folder), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".yml"))
    .sort()
    .map((name) => ({ file: `${folder}/${name}`, text: readFileSync(join(content, folder, name), "utf8") }));

const selective = `title: Needle
id: 6f4a6c3e-2222-4a5b-9c55-000000000001
logsource: { product: zeek, service: dns }
detection:
  a: { query|contains: .needle.example }
  condition: a
level: high
`;

/** @param events in the store for the selective rule; the many rules are run over half of them */
export async function bench(events = 20_000_000): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "backtest-"));
  const store = await openStore({ directory });
  const details: { [name: string]: number | string } = { events };
  try {
    const start = Math.floor(Date.now() / 3_600_000) * hour - Math.ceil(events / eventsPerHour) * hour;
    say(`storing ${events} events`);
    const filling = await costOf(() => fill(store, events, start));
    say(`  ${filling.wall_s.toFixed(0)} s`);
    const end = start + (events / eventsPerHour) * hour;
    const fixed = { pipelines: files("pipelines"), lateness_s: 30 };
    const run = async (name: string, subject: BacktestSubject, range: BacktestOptions["range"]): Promise<number> => {
      const plan = await planBacktest(subject, fixed);
      const options = { events: store.events, tenant: "main", range };
      const estimate = await estimateBacktest(plan, options);
      let seconds = 0;
      const cost = await costOf(async () => {
        const judge = threadJudge({ subject, fixed });
        const report = await backtest(plan, { ...options, judge }, new AbortController().signal);
        seconds = report.seconds;
        details[`${name}_matched`] = report.rules.reduce((n, { matched }) => n + matched, 0);
        details[`${name}_rules`] = report.rules.length;
        details[`${name}_stored`] = report.stored;
        details[`${name}_candidates`] = report.candidates;
      });
      details[`${name}_s`] = seconds;
      details[`${name}_cpu_s`] = cost.cpu_s;
      details[`${name}_estimated_s`] = estimate.seconds;
      details[`${name}_estimated_candidates`] = estimate.candidates;
      say(`${name}: ${seconds.toFixed(1)} s, estimated ${estimate.seconds.toFixed(1)} s`);
      return seconds;
    };
    const one = await run("selective", { rules: [{ file: "needle.yml", text: selective }] }, { from: 0, to: end + hour });
    const rules = ["rules/zeek", "rules/linux", "rules/web", "rules/host"].flatMap(files).slice(0, manyRules);
    await run("many", { rules }, { from: 0, to: start + (events / 2 / eventsPerHour) * hour });
    const { sealedBytes, partitions } = await store.events.usage();
    Object.assign(details, { sealed_mb: sealedBytes / 1e6, partitions, goal_many_s: goal.many_s });
    print({ name: "backtest", value: one, unit: "s, one selective rule", baseline: goal.selective_s, details });
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(store: Store, count: number, start: number): Promise<void> {
  const originals = await decoded();
  let offset = 0;
  for (let n = 0; n < count; n += batchLines) {
    const received = Math.floor(start + (n / eventsPerHour) * hour);
    const batch: Event[] = [];
    for (let i = n; i < Math.min(count, n + batchLines); i++) {
      const from = originals[i % originals.length]!;
      const own =
        i % rare === 0 ? { ...from.fields, "event.dataset": "zeek.dns", "dns.question.name": `x${i}.needle.example` } : from.fields;
      batch.push({ ...from, fields: own, id: idOf("bench", i), seq: i, time: received + (i - n) * 3_600, received });
    }
    await store.events.put(offset++, received, encodeEvents(batch));
    if (n % 1_000_000 === 0) say(`  ${n}`);
  }
  await store.events.seal(true);
}

/** The distinct events as a store gives them back. */
async function decoded(): Promise<Event[]> {
  const directory = mkdtempSync(join(temporary, "backtest-"));
  const store = await openStore({ directory });
  try {
    const [zeek, sshd] = [rekeyedZeek(), rekeyedSshd()];
    const batches = Array.from({ length: distinct / batchLines }, (_, n) => {
      const [source, format, lines] = n % 10 === 9 ? (["auth", "syslog", sshd] as const) : (["zeek", "json", zeek] as const);
      return { source, format, lines: Array.from({ length: batchLines }, () => lines.next().value), received: Date.now() * 1_000 };
    });
    await fillStore(store, batches);
    const found: Event[] = [];
    const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
    for await (const page of store.events.scan({ tenant: "main", range, where: always })) found.push(...eventsOfPage(page));
    return found;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}
