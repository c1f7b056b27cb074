/** `vedette up`: opens the data directory, wires the parts together, serves until told to stop. */
import { resolve } from "node:path";
import { Erasures, Holds } from "@vedette/api";
import { ConfigError, collectWhenQuiet, systemClock } from "@vedette/kit";
import { openDataDirectory, type Runtime, readRulesFrom } from "@vedette/pipeline";
import { operator } from "../audit.ts";
import { openBackups } from "../backup.ts";
import { openCluster } from "../cluster.ts";
import { checkComponents } from "../config/components.ts";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { runHeartbeat } from "../heartbeat.ts";
import { type Listening, listening } from "../listen.ts";
import { reportSelf } from "../machines.ts";
import { tellOwnMetrics } from "../own_metrics.ts";
import { pipelinesReloaded, type Reloaded, reloadOnChange, rulesReloaded, tablesReloaded } from "../reload.ts";
import { partOf, rolesWanted } from "../roles.ts";
import { secretsOf, striker } from "../support/redact.ts";
import { openTelemetry } from "../telemetry.ts";
import { announce } from "../up/announce.ts";
import { openFront } from "../up/front.ts";
import { openRuntime } from "../up/runtime.ts";
import type { Start } from "../up/start.ts";
import { closeStorage, openStorage } from "../up/storage.ts";
import { Display } from "./display.ts";

interface Options {
  readonly dataDir?: string;
  readonly listen?: string;
  readonly config?: string;
  readonly role: string;
  readonly demo: boolean;
}

const version = "0.1.0";
/** Exit code of any failure. */
const failed = 1;

export async function up(options: Options): Promise<void> {
  const loaded = loadConfig(options.config, process.env, { data_dir: options.dataDir, listen: options.listen });
  const problems = await checkComponents(loaded);
  if (problems.length > 0) throw new ConfigError("config_invalid", problems.join("\n"));
  const { config } = loaded;
  const at = listening(loaded);
  const roles = rolesWanted(options.role, loaded);
  const directory = openDataDirectory(resolve(config.data_dir));
  const display = new Display({ ...config.logging, strike: striker(secretsOf(config, process.env)) });
  try {
    await serve({ loaded, directory, display, version, roles }, at, options.demo && roles === undefined);
  } catch (e) {
    directory.release();
    // threads that were opened must not keep a failed start alive; who called says first what was wrong
    setTimeout(() => process.exit(), 500).unref();
    throw e;
  }
}

async function serve(start: Start, at: Listening, demo: boolean): Promise<void> {
  const { loaded, directory, display, roles } = start;
  const { config } = loaded;
  const began = performance.now();
  // whoever stops it while it is still starting gets a clean end too
  const stopAsked = untilStopped(display);
  collectWhenQuiet();
  const storage = await openStorage(start, (why) => {
    // whoever watches over the process starts it again; one that stayed would keep its share of the work and do none of it
    display.say(why.message, { level: "error", component: "log" });
    process.exit(failed);
  });
  const { store, log, audit, vault, secrets } = storage;
  const cluster = await openCluster(config, systemClock);
  const holds = new Holds(store, systemClock, config.tenant);
  const erasures = new Erasures({ store, holds, trail: audit, clock: systemClock, tenant: config.tenant });
  const telemetry = openTelemetry(config, {
    directory: directory.path,
    version,
    clock: systemClock,
    say: (text) => display.say(text, { level: "warn" }),
  });
  const backups = await openBackups({ config, directory: directory.path, vault, secrets, store, log, version });
  const runtime = await openRuntime(start, storage, {
    cluster,
    part: partOf(roles, config, cluster, version),
    telemetry,
    leads: (signal) => backups.follow(signal),
    holds: () => holds.inForce(),
  });
  tellOwnMetrics(directory.path, log, store, runtime);
  const front = await openFront(start, storage, { runtime, cluster, backups, holds, erasures }, at);
  const url = await front.listen();
  directory.announce(url);
  runtime.answersAt(new URL(url).host);
  runtime.start();
  await announce(start, runtime, front, url, performance.now() - began);
  // every rule in force has been read by now: what else was kept is only memory
  readRulesFrom(undefined);
  display.watch(runtime, store, config.tenant);
  const stopped = new AbortController();
  const { signal } = stopped;
  if (directory.fresh && demo) playDemo(runtime, display, url, signal);
  const self = { url: front.machines.listener?.url ?? url, version, roles: roles && [...roles] };
  const running = [
    ...front.run(signal),
    audit.run(signal),
    erasures.run(signal),
    telemetry.run(signal),
    reportSelf(front.machines.register, runtime, self, signal),
    runHeartbeat(config, runtime, systemClock, (text) => display.say(text, { level: "warn", component: "heartbeat" }), signal),
    reloadOnChange(reloaded(config, runtime, display), systemClock, signal),
  ];
  await stopAsked;
  stopped.abort();
  await Promise.all(running);
  await front.quiet();
  await audit.record({ action: "service_stopped", outcome: "success", by: { user: operator() } });
  display.stop();
  await front.close();
  await runtime.stop();
  await closeStorage(storage);
  directory.release();
  await cluster.close();
}

/** What is read again when a file of it changes, or on SIGHUP. */
function reloaded({ rules, pipelines, enrich }: Config, runtime: Runtime, display: Display): readonly Reloaded[] {
  const say = (text: string) => display.say(text);
  const files = Object.values(enrich).flatMap((one) =>
    typeof one === "object" ? ((one as { readonly file?: string } | null)?.file ?? []) : [],
  );
  return [
    rulesReloaded(runtime, rules.directories, rules.watch, say),
    pipelinesReloaded(runtime, pipelines.directories, pipelines.watch, say),
    tablesReloaded(runtime, files, say),
  ];
}

/** First start of an empty directory: something to see within seconds. */
function playDemo(runtime: Runtime, display: Display, url: string, stopped: AbortSignal): void {
  const begun = performance.now();
  display.say(
    "First start: replaying the bundled scenario (SSH brute force, web attack, Windows credential dumping, a mining job), marked as demo.",
  );
  const unsubscribe = runtime.subscribe((notice) => {
    if (notice.kind !== "alert") return;
    unsubscribe();
    display.say(
      `First alert after ${((performance.now() - begun) / 1_000).toFixed(1)} s: ${notice.alert.severity} ${notice.alert.title}: ${notice.alert.summary} → ${url}/alerts`,
    );
  });
  runtime.startDemo().then(
    () =>
      display.say(stopped.aborted ? "The demo was stopped half-way." : "The demo has been replayed. Remove it with: vedette demo clear"),
    (e: Error) => display.say(`demo: ${e.message}`),
  );
}

function untilStopped(display: Display): Promise<void> {
  return new Promise((done) => {
    const stop = (signal: NodeJS.Signals) => {
      display.say(`${signal}: finishing what was accepted; again to end at once`);
      process.once("SIGINT", () => process.exit(130));
      process.once("SIGTERM", () => process.exit(143));
      done();
    };
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
  });
}
