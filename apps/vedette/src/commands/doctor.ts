/** `vedette doctor`: what is wrong with this installation, and what to do about it. */

import { accessSync, constants, realpathSync, statfsSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { jsonText } from "@vedette/kit";
import { holderOf } from "@vedette/pipeline";
import { connect, type ServerOptions } from "../client.ts";
import { checkComponents } from "../config/components.ts";
import { loadConfig } from "../config/load.ts";
import { bundledPipelines, bundledRules } from "../content.ts";
import { bold, safe } from "../output.ts";
import { clusterCheck } from "./cluster_check.ts";
import { dataChecks } from "./data_checks.ts";
import { eventsChecks } from "./events_check.ts";
import { logCheck } from "./log_check.ts";
import { stateCheck } from "./state_check.ts";
import { volumeOf } from "./volume.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Nothing is wrong, and yet the advice is worth taking. */
  readonly note?: boolean;
  readonly detail: string;
  /** What to do, where something is wrong. */
  readonly advice?: string;
}
interface DetectorLine {
  readonly name: string;
  readonly keys: number;
  readonly observations: number;
  readonly late: number;
  readonly skipped: number;
  readonly capped: number;
  readonly crowded: number;
}
interface RuleLine {
  readonly title: string;
  readonly state: string;
  readonly unknown_fields?: readonly string[];
}
interface RefusalLine {
  readonly peer: string;
  readonly endpoint?: string;
  readonly source?: string;
  readonly cause: string;
  readonly count: number;
  readonly last: string;
  readonly message: string;
  readonly fix: string;
}
interface Options extends ServerOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Below this much free space the log will soon refuse to take more in. */
const lowDisk = 2 * 1_073_741_824;

/** Everything that is checked, and what is the matter with it. */
export async function checksOf(options: Options): Promise<readonly Check[]> {
  const checks: Check[] = [];
  checks.push({
    name: "Node",
    ok: Number(process.versions.node.split(".")[0]) >= 24,
    detail: process.version,
    advice: "install Node 24 or newer",
  });
  let directory = options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data";
  let listen = "127.0.0.1:8080";
  try {
    const loaded = loadConfig(options.config, process.env);
    directory = options.dataDir ?? loaded.config.data_dir;
    listen = loaded.config.listen;
    const problems = await checkComponents(loaded);
    checks.push(...(await eventsChecks(loaded.config)), await stateCheck(loaded.config, directory));
    if (loaded.config.log.driver === "kafka") checks.push(await logCheck(loaded.config));
    if (loaded.config.redis.host !== undefined) checks.push(await clusterCheck(loaded.config));
    checks.push({
      name: "configuration",
      ok: problems.length === 0,
      detail: problems[0] ?? loaded.file ?? "defaults",
      advice: "vedette config validate shows every mistake",
    });
  } catch (e) {
    checks.push({
      name: "configuration",
      ok: false,
      detail: (e as Error).message,
      advice: "correct the file and run vedette config validate",
    });
  }
  checks.push(content(), ...disk(resolve(directory)));
  const holder = holderOf(directory);
  if (holder?.url ?? options.url ?? process.env["VEDETTE_URL"]) checks.push(...(await server(options)));
  else checks.push(await port(listen));
  return checks;
}

export async function doctor(options: Options): Promise<void> {
  const checks = await checksOf(options);
  if (options.json) process.stdout.write(`${jsonText(checks, 2)}\n`);
  else
    for (const c of checks) {
      process.stdout.write(`${c.ok ? (c.note ? "note" : "ok  ") : bold("BAD ")} ${c.name}: ${c.detail}\n`);
      if ((!c.ok || c.note) && c.advice) process.stdout.write(`     → ${c.advice}\n`);
    }
  if (checks.some((c) => !c.ok)) process.exitCode = 1;
}

function content(): Check {
  try {
    return {
      name: "bundled content",
      ok: true,
      detail: `${bundledRules().length} rule files, ${bundledPipelines().length} field mappings`,
    };
  } catch (e) {
    return { name: "bundled content", ok: false, detail: (e as Error).message, advice: "install Vedette again" };
  }
}

function disk(directory: string): Check[] {
  let existing = directory;
  while (!exists(existing) && existing !== "/") existing = resolve(existing, "..");
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    return [
      {
        name: "data directory",
        ok: false,
        detail: `${existing} cannot be written`,
        advice: "give this user write access, or choose another --data-dir",
      },
    ];
  }
  const { bavail, bsize } = statfsSync(existing);
  const free = bavail * bsize;
  const gb = (free / 1_073_741_824).toFixed(1);
  const checks: Check[] = [
    {
      name: "disk",
      ok: free > lowDisk,
      detail: `${gb} GiB free at ${existing}`,
      advice: "free some space or lower events.retention; a full disk makes senders wait",
    },
  ];
  if (exists(directory)) {
    const open = (statSync(directory).mode & 0o077) !== 0;
    checks.push({
      name: "data directory",
      ok: !open,
      detail: `${directory}${open ? " can be read by other users" : ""}`,
      advice: `chmod 700 ${directory}`,
    });
    const { encrypted, detail } = volumeOf(realpathSync(directory));
    checks.push({
      name: "encryption at rest",
      ok: true,
      note: encrypted === "no",
      detail: `${{ yes: "on an encrypted volume", no: "not on an encrypted volume", unknown: "cannot be told" }[encrypted]}: ${detail}`,
      advice: "events, alerts and state lie there readable: put the data directory on LUKS or ZFS with encryption (docs/guide/at-rest.md)",
    });
  }
  return checks;
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

async function server(options: Options): Promise<Check[]> {
  try {
    const client = connect(options);
    const status = await client.get("/status");
    const { sources } = await client.get("/sources");
    const { rules } = await client.get("/rules");
    const { refusals } = await client.get("/refusals");
    const { detectors } = await client.get("/ledger");
    return [
      {
        name: "server",
        ok: status.ready,
        detail: `${client.url} ${status.ready ? "is ready" : "is not ready"}, ${status.lag_ms ?? "some"} ms behind`,
        advice: "see the problems below",
      },
      ...status.problems.map((p) => ({ name: p.code, ok: false, detail: p.message })),
      ...sources.map((s) => ({
        name: `source ${s.name}`,
        ok: s.state !== "failed",
        detail: `${s.state}${s.warnings.length > 0 ? `; ${s.warnings.at(-1)!.message}` : ""}`,
        advice: `vedette source test ${s.name}`,
      })),
      ...refusals.filter(({ last }) => Date.now() - Date.parse(last) < recent_ms).map(refusalCheck),
      rulesCheck(rules),
      ...detectorChecks(detectors, new Map(rules.map(({ id, title }) => [id, title]))),
      ...(await dataChecks(client)),
    ];
  } catch (e) {
    return [{ name: "server", ok: false, detail: (e as Error).message, advice: "start it with: vedette up" }];
  }
}

/** A rule that waits for a field nobody sends is silent without being wrong. */
function rulesCheck(rules: readonly RuleLine[]): Check {
  const of = (state: string) => rules.filter((rule) => rule.state === state);
  const [first, ...others] = of("enabled").filter(({ unknown_fields }) => unknown_fields !== undefined);
  const counts = `${of("enabled").length} enabled, ${of("shadow").length} on trial, ${of("refused").length} refused`;
  const blind = first && `${first.title} waits for ${first.unknown_fields!.join(", ")}, which no event is known to carry`;
  return {
    name: "rules",
    ok: first === undefined,
    detail: `${counts}${blind === undefined ? "" : `; ${blind}${others.length > 0 ? `, and ${others.length} more like it` : ""}`}`,
    advice: "vedette rule list --unknown-fields names all of them; correct the field, or map it in a pipeline",
  };
}

/** A sender that is still being refused says so again within this time; one that was put right is not held against anyone for long. */
const recent_ms = 3_600_000;

function refusalCheck({ peer, endpoint, source, cause, count, message, fix, last }: RefusalLine): Check {
  const whose = source ?? endpoint;
  return {
    name: `sender ${peer}${whose === undefined ? "" : ` to ${whose}`}`,
    // back-pressure is how it should be
    ok: cause === "slowed",
    detail: `${cause}, ${count} times, last ${last}: ${safe(message)}`,
    advice: fix,
  };
}

/** Losses are named: what a detector could not take is not silence. Those that lost nothing are one line. @param titles of correlations, by id */
function detectorChecks(detectors: readonly DetectorLine[], titles: ReadonlyMap<string, string>): Check[] {
  const keys = detectors.reduce((n, one) => n + one.keys, 0);
  const checks = detectors.map(({ name, late, skipped, capped, crowded }) => ({
    name: `detector ${titles.get(name) ?? name}`,
    ok: false,
    detail: [
      ...(skipped > 0 ? [`${skipped} of ${late} late events could not be caught up`] : []),
      ...(capped > 0 ? [`${capped} keys beyond an event's bound left out`] : []),
      ...(crowded > 0 ? [`${crowded} times a key had too much open to wait for the lateness`] : []),
    ].join("; "),
    advice: "late events point to a wrong clock or a slow delivery at their source; engine.lateness_s allows for more",
  }));
  const losing = checks.filter(({ detail }) => detail !== "");
  const well = detectors.length - losing.length;
  return [{ name: "detectors", ok: true, detail: `${well} of ${detectors.length} have lost nothing; ${keys} keys in memory` }, ...losing];
}

function port(listen: string): Promise<Check> {
  const at = listen.lastIndexOf(":");
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", (e: NodeJS.ErrnoException) =>
      done({
        name: "port",
        ok: false,
        detail: `${listen}: ${e.code === "EADDRINUSE" ? "in use by another program" : e.message}`,
        advice: "vedette up --listen 127.0.0.1:PORT",
      }),
    );
    probe.listen(Number(listen.slice(at + 1)), listen.slice(0, at).replace(/^\[|\]$/g, ""), () =>
      probe.close(() => done({ name: "port", ok: true, detail: `${listen} is free` })),
    );
  });
}
