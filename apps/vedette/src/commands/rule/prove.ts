/** `vedette rule prove`: sends each rule's canary through a running server, or through an engine made for it and thrown away. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sources } from "@vedette/ingest";
import { systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { CanaryKey, Releases, Runtime, threadPool } from "@vedette/pipeline";
import { openStore } from "@vedette/store";
import { connect, type ServerOptions } from "../../client.ts";
import { isDetectorCases, placeholdersOf, type SiteOptions } from "../../config/site.ts";
import { bundledPipelines } from "../../content.ts";
import { formOf, printRows, safe } from "../../output.ts";
import { Progress } from "../../progress.ts";
import { ruleFiles } from "./files.ts";

interface Options extends ServerOptions, SiteOptions {
  readonly offline?: boolean;
  readonly rules?: readonly string[];
  readonly output?: string;
  readonly json?: boolean;
}
interface Line {
  readonly id: string;
  readonly title: string;
  readonly state: string;
  readonly how?: string;
  readonly at?: string;
  readonly lost?: string;
  readonly reason?: string;
}

const poll_ms = 300;

export async function prove(ids: readonly string[], options: Options): Promise<void> {
  const lines = options.offline || options.rules ? await apart(ids, options) : await served(ids, options);
  show(ids.length === 0 ? lines : lines.filter(({ id }) => ids.includes(id)), options);
}

async function served(ids: readonly string[], options: Options): Promise<readonly Line[]> {
  const client = connect(options);
  const { rules } = await client.post("/canaries", { body: ids.length > 0 ? { ids } : {} });
  const asked = Date.now();
  const progress = new Progress(rules);
  for (;;) {
    const report = await client.get("/canaries");
    const wanted = report.rules.filter(({ id }) => ids.length === 0 || ids.includes(id));
    const done = wanted.filter(({ at }) => at !== undefined && Date.parse(at) >= asked - 1_000).length;
    progress.at(done, `${done} of ${wanted.length} rules`);
    if (done === wanted.length) {
      progress.clear();
      return report.rules;
    }
    await systemClock.sleep(poll_ms);
  }
}

/** The whole of production in a folder of its own: ingest, log, decoder, rules, findings, triage. */
async function apart(ids: readonly string[], options: Options): Promise<readonly Line[]> {
  const directory = mkdtempSync(join(tmpdir(), "vedette-prove-"));
  const log = await openLog({ directory });
  const store = await openStore({ directory });
  try {
    const runtime = await Runtime.open({
      log,
      store,
      pool: threadPool(1),
      tenant: "main",
      rules: () => ruleFiles(options.rules ?? []).filter((file) => !isDetectorCases(file)),
      rule_budget_per_day: Number.MAX_SAFE_INTEGER,
      releases: new Releases(join(directory, "rules")),
      pipelines: bundledPipelines(),
      detectors: {},
      lateness_s: 30,
      placeholders: placeholdersOf(options),
      sources: [],
      sourceSpecs: await sources(),
      retention: {},
      canaries: { key: CanaryKey.of(directory), every: 3_600_000_000, enabled: false },
      logBytes: async () => 0,
      demo: async () => {},
    });
    runtime.start();
    await runtime.prover.prove(ids.length > 0 ? ids : undefined);
    const lines = runtime.prover.report().rules;
    await runtime.stop();
    return lines.map(({ at, ...rest }) => ({ ...rest, ...(at === undefined ? {} : { at: new Date(at / 1_000).toISOString() }) }));
  } finally {
    await log.close();
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function show(lines: readonly Line[], options: Options): void {
  const order = ["silent", "unproved", "waiting", "proved"];
  const rows = [...lines]
    .sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.title < b.title ? -1 : 1))
    .map(({ id, title, state, how, at, lost, reason }) => ({ state, how, lost, title, reason, at, id }));
  const form = formOf(options);
  const telling = form === "table" ? rows.filter(({ state }) => state !== "proved") : rows;
  if (form !== "table" || telling.length > 0) printRows(telling, ["state", "how", "lost", "title", "id", "reason"], form);
  const count = (of: string) => lines.filter(({ state }) => state === of).length;
  const by = (how: string) => lines.filter((one) => one.state === "proved" && one.how === how).length;
  process.stderr.write(
    `${safe(
      `${count("proved")} of ${lines.length} rules proved able to fire (${by("wire")} by a raw line, ${by("event")} by an event, ${by("synthesised")} by a made-up event), ${count("unproved")} cannot be proved, ${count("silent")} silent`,
    )}\n`,
  );
  if (count("silent") > 0 || count("waiting") > 0) process.exitCode = 1;
}
