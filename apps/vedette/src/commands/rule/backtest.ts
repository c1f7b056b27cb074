/** `vedette rule backtest`: what rules would have raised over the stored events: through the server that holds them, or on the data directory. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { ConfigError, jsonText, systemClock, UnavailableError } from "@vedette/kit";
import type { BacktestReport } from "@vedette/model";
import {
  type BacktestPlan,
  type BacktestSubject,
  estimateBacktest,
  holderOf,
  openDataDirectory,
  type ProgramFile,
  parseFiles,
  planBacktest,
  backtest as runBacktest,
} from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { connect, type ServerOptions } from "../../client.ts";
import { loadConfig } from "../../config/load.ts";
import { configuredDetectors } from "../../config/networks.ts";
import { configuredPlaceholders, configuredRules, type Site, type SiteOptions } from "../../config/site.ts";
import { bundledPipelines, yamlFiles } from "../../content.ts";
import { bold, formOf, printRows, rangeOf, safe } from "../../output.ts";
import { Progress } from "../../progress.ts";

interface Options extends ServerOptions, SiteOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly estimate?: boolean;
  readonly yes?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}
interface Estimate {
  readonly stored: number;
  readonly candidates: number;
  readonly seconds: number;
  readonly rules: number;
  readonly refused: readonly string[];
}
type RuleRow = Omit<BacktestReport["rules"][number], "first" | "last"> & { readonly first?: string; readonly last?: string };
interface Report extends Omit<BacktestReport, "rules" | "from" | "to"> {
  readonly rules: readonly RuleRow[];
}
interface Asked {
  readonly rules: readonly { readonly file: string; readonly text: string }[];
  readonly ids: readonly string[];
  readonly from?: string;
  readonly to?: string;
}
/** Where it runs. */
interface Place {
  readonly where: string;
  estimate(): Promise<Estimate>;
  run(signal: AbortSignal, progress: (read: number, stored: number) => void): Promise<Report | undefined>;
  close(): Promise<void>;
}

/** Longer than this a person is asked first. */
const askAfter_s = 60;
const poll_ms = 250;
const say = (text: string) => process.stderr.write(`${safe(text)}\n`);
const count = (n: number) => Math.round(n).toLocaleString("en");

export async function backtest(wanted: string, options: Options): Promise<void> {
  const place = await placeOf(wanted, options);
  try {
    const estimate = await place.estimate();
    for (const reason of estimate.refused) say(`refused: ${reason}`);
    say(
      `${estimate.rules} rules over ${count(estimate.stored)} events ${place.where}: about ${count(estimate.candidates)} to look at, ${duration(estimate.seconds)}`,
    );
    if (options.estimate) {
      if (options.json) process.stdout.write(`${jsonText(estimate)}\n`);
      return;
    }
    if (estimate.seconds > askAfter_s && !options.yes && process.stdin.isTTY && !(await agreed())) return;
    const report = await watched(place);
    if (report) show(report, options);
    else {
      say("cancelled; nothing was changed");
      process.exitCode = 1;
    }
  } finally {
    await place.close();
  }
}

async function agreed(): Promise<boolean> {
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await ask.question("Start? [y/N] ")).trim());
  } finally {
    ask.close();
  }
}

/** Runs with a bar; Ctrl-C cancels. */
async function watched(place: Place): Promise<Report | undefined> {
  const stop = new AbortController();
  const cancel = () => stop.abort();
  process.once("SIGINT", cancel);
  const progress = new Progress(1);
  try {
    return await place.run(stop.signal, (read, stored) => progress.at(stored === 0 ? 0 : read / stored, `${count(read)} events`));
  } catch (e) {
    if (stop.signal.aborted) return undefined;
    throw e;
  } finally {
    progress.clear();
    process.off("SIGINT", cancel);
  }
}

async function placeOf(wanted: string, options: Options): Promise<Place> {
  const rules = existsSync(wanted) ? yamlFiles(wanted) : [];
  const ids = rules.length > 0 ? [] : [wanted];
  if (rules.length === 0 && existsSync(wanted)) throw new ConfigError("rule_invalid", `${wanted}: no rule file (*.yml) in it`);
  const directory = resolve(options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data");
  const served = options.url ?? process.env["VEDETTE_URL"] ?? holderOf(directory)?.url;
  if (served !== undefined) return online({ rules: rules.map(({ file, text }) => ({ file, text })), ids, ...rangeOf(options) }, options);
  if (holderOf(directory) !== undefined)
    throw new UnavailableError("store_unavailable", `${directory} is held by a server that is still starting; try again`);
  if (!existsSync(directory))
    throw new ConfigError("config_invalid", `${directory}: no data directory, and no server named; give --data-dir or --url`);
  return offline(directory, rules, ids, options);
}

function online(body: Asked, options: Options): Place {
  const client = connect(options);
  return {
    where: `at ${client.url}`,
    estimate: () => client.post("/backtests/estimate", { body }),
    async run(signal, progress) {
      const { id } = await client.post("/backtests", { body });
      const one = { path: { id } };
      const cancel = () => void client.delete("/backtests/{id}", one).catch(() => {});
      signal.addEventListener("abort", cancel);
      for (;;) {
        const now = await client.get("/backtests/{id}", one);
        progress(now.read, now.stored);
        if (now.state === "done") return now.report;
        if (now.state === "cancelled") return undefined;
        if (now.state === "failed") throw new UnavailableError("store_unavailable", now.error ?? "the backtest failed");
        await systemClock.sleep(poll_ms);
      }
    },
    close: async () => {},
  };
}

/** What a stopped installation has stored: the same judgement in this process, by files, or by rules and detectors of the configuration. */
async function offline(path: string, rules: ReturnType<typeof yamlFiles>, ids: readonly string[], options: Options): Promise<Place> {
  const { config } = loadConfig(options.config, process.env);
  const placeholders = configuredPlaceholders(config);
  const detectors = await configuredDetectors(config);
  const fixed = { pipelines: bundledPipelines(), lateness_s: config.engine.lateness_s, placeholders, detectors };
  const plan: BacktestPlan = await planBacktest(
    rules.length > 0 ? { rules } : subjectOf(ids, configuredRules(config), { placeholders, detectors }),
    fixed,
  );
  const directory = openDataDirectory(path);
  const store = await openStore({ directory: path }).catch((e) => {
    directory.release();
    throw e;
  });
  const { from, to } = rangeOf(options);
  const micros = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Date.parse(text) * 1_000);
  const range = { from: micros(from, 0), to: micros(to, systemClock.now()) };
  const run = { events: store.events, tenant: "main", range };
  return {
    where: `in ${path}`,
    estimate: async () => ({ ...(await estimateBacktest(plan, run)), rules: plan.told, refused: plan.refused }),
    async run(signal, onProgress) {
      const { rules: told, ...report } = await runBacktest(plan, { ...run, onProgress }, signal);
      const at = (time: number | undefined) => (time === undefined ? undefined : new Date(time / 1_000).toISOString());
      return {
        ...report,
        rules: told.map(({ first, last, ...one }) => ({ ...one, ...(first === undefined ? {} : { first: at(first)!, last: at(last)! }) })),
      };
    },
    async close() {
      await store.close();
      directory.release();
    },
  };
}

/** Ids are those of rules, correlations included, and names of detectors; whether there is a detector of the name, the plan says. */
function subjectOf(ids: readonly string[], files: readonly ProgramFile[], { placeholders, detectors }: Site): BacktestSubject {
  const parsed = parseFiles(files, placeholders);
  const known = new Set(parsed.flatMap(({ rules, correlations }) => [...rules, ...correlations]).map(({ id }) => id));
  const sigma = ids.filter((id) => known.has(id));
  const others = ids.filter((id) => !known.has(id));
  return {
    rules: sigma.length > 0 ? files : [],
    ids: sigma,
    detectors: Object.fromEntries(others.map((name) => [name, detectors[name] || {}])),
  };
}

function show(report: Report, options: Options): void {
  const form = formOf(options);
  if (form === "json") return void process.stdout.write(`${jsonText(report, 2)}\n`);
  const rows = [...report.rules]
    .sort((a, b) => b.alerts - a.alerts || b.matched - a.matched || (a.title < b.title ? -1 : 1))
    .map((rule) => ({
      ...(form === "ndjson" ? rule : {}),
      "alerts/day": `${rule.at_least ? "≥ " : ""}${Number(rule.alerts_per_day.toPrecision(3))}`,
      alerts: rule.alerts,
      matches: rule.matched,
      first: rule.first?.slice(0, 19),
      last: rule.last?.slice(0, 19),
      "cost ms": Math.round(rule.cost.estimated_ms),
      level: rule.level,
      entities: rule.entities
        .slice(0, 3)
        .map(({ type, id, count: n }) => `${type} ${id} (${n})`)
        .join(", "),
      rule: rule.title,
    }));
  printRows(rows, ["alerts/day", "alerts", "matches", "first", "last", "cost ms", "level", "rule", "entities"], form);
  if (report.rules.length === 1 && form === "table") days(report.rules[0]!);
  say(
    `${count(report.stored)} events over ${report.span_days.toFixed(1)} days, ${count(report.candidates)} looked at, in ${duration(report.seconds)} (${report.cpu_s.toFixed(1)} CPU s of judging); nothing was changed`,
  );
}

function days({ days: all }: RuleRow): void {
  if (all.length === 0) return;
  process.stdout.write(`\n${bold("DAY         MATCHES   ALERTS")}\n`);
  for (const { day, matched, alerts } of all)
    process.stdout.write(`${day}  ${String(matched).padStart(7)}  ${String(alerts).padStart(7)}\n`);
}

const duration = (seconds: number): string =>
  seconds < 1 ? "under a second" : seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
