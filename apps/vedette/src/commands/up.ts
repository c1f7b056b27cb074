/** `vedette up`: opens the data directory, wires the parts together, serves until told to stop. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { newToken, tokenHash } from "@vedette/access";
import { Auth, buildServer, Erasures, Holds } from "@vedette/api";
import { AuditTrail } from "@vedette/audit";
import { sinks } from "@vedette/egress";
import { enrichers } from "@vedette/enrich";
import { endpoints, sources } from "@vedette/ingest";
import { ConfigError, collectWhenQuiet, type Intake, type SealedPlace, systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import {
  BacktestQueue,
  type DataDirectory,
  openDataDirectory,
  Releases,
  type Role,
  Runtime,
  readKeptRules,
  readRulesFrom,
  settingShelf,
  Tables,
  threadPool,
  toldLosses,
} from "@vedette/pipeline";
import { openStore, type Store } from "@vedette/store";
import { operator, recordStart } from "../audit.ts";
import { backupPort, openBackups } from "../backup.ts";
import { openCluster, sharedAccess } from "../cluster.ts";
import { checkComponents, configuredSources, historicalSources } from "../config/components.ts";
import { type Loaded, loadConfig } from "../config/load.ts";
import { configuredDetectors } from "../config/networks.ts";
import { qualityOptions } from "../config/quality.ts";
import type { Config } from "../config/schema.ts";
import { configuredSinks } from "../config/sinks.ts";
import { configuredPlaceholders, configuredRules } from "../config/site.ts";
import { bundledPipelines, yamlFiles } from "../content.ts";
import { replayDemo } from "../demo/replay.ts";
import { unknownFieldsUnder } from "../fields.ts";
import { runHeartbeat } from "../heartbeat.ts";
import { keysAtRest } from "../keys.ts";
import { demandAdministrator, type Listening, listen, listening } from "../listen.ts";
import { configuredLog } from "../log.ts";
import { openMachines, reportSelf } from "../machines.ts";
import { configuredOpenSearch } from "../opensearch.ts";
import { tellOwnMetrics } from "../own_metrics.ts";
import { openOidc, openPeople } from "../people.ts";
import { configuredPostgres } from "../postgres.ts";
import { pipelinesReloaded, type Reloaded, reloadOnChange, rulesReloaded, tablesReloaded } from "../reload.ts";
import { partOf, rolesWanted, servedBy } from "../roles.ts";
import { configuredShared } from "../shared_events.ts";
import { secretsOfInstallation } from "../shared_secrets.ts";
import { secretsOf, striker } from "../support/redact.ts";
import { openTelemetry } from "../telemetry.ts";
import { canaryKey, openLogKeys, openVault, resourcesOf } from "../vault.ts";
import { Display } from "./display.ts";
import { senderConfigs } from "./source_config.ts";

interface Options {
  readonly dataDir?: string;
  readonly listen?: string;
  readonly config?: string;
  readonly role: string;
  readonly demo: boolean;
}

const version = "0.1.0";
const day = 86_400_000_000;
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
    await serve(loaded, config, at, directory, display, { demo: options.demo && roles === undefined, roles });
  } catch (e) {
    directory.release();
    // threads that were opened must not keep a failed start alive; who called says first what was wrong
    setTimeout(() => process.exit(), 500).unref();
    throw e;
  }
}

async function serve(
  loaded: Loaded,
  config: Config,
  at: Listening,
  directory: DataDirectory,
  display: Display,
  { demo, roles }: { readonly demo: boolean; readonly roles: ReadonlySet<Role> | undefined },
): Promise<void> {
  const started = performance.now();
  // whoever stops it while it is still starting gets a clean end too
  const stopAsked = untilStopped(display);
  collectWhenQuiet();
  const vault = await openVault(config, directory.path);
  const postgres = configuredPostgres(config);
  const openSearch = configuredOpenSearch(config);
  const sharedEvents = configuredShared(config);
  const store = await openStore({
    directory: directory.path,
    ...(postgres && { postgres }),
    ...(sharedEvents !== undefined && { shared: sharedEvents }),
    ...(openSearch && { openSearch }),
    memoryLimitMb: config.events.memory_mb,
    seriesPerSource: config.metrics.series_per_source,
  });
  const secrets = secretsOfInstallation(vault, config, store.settings);
  const logKeys = await openLogKeys(secrets, config);
  const ended = (why: Error) => {
    // whoever watches over the process starts it again; one that stayed would keep its share of the work and do none of it
    display.say(why.message, { level: "error", component: "log" });
    process.exit(failed);
  };
  const log = await openLog(await configuredLog(config, directory.path, logKeys.encryption), ended, async () => {
    await vault.reread();
    return await logKeys.reread();
  });
  for (const d of await log.damage())
    display.say(`log: ${d.topic}/${d.partition} ${d.where}: ${d.reason}; ${d.bytes} bytes set aside in log/quarantine`);
  const audit = await AuditTrail.open({
    directory: directory.path,
    clock: systemClock,
    secrets: vault,
    heads: config.audit.heads,
    onProblem: (_, message) => message && display.say(message),
  });
  await recordStart(audit, store.settings, config, version);
  const cluster = await openCluster(config, systemClock);
  const part = partOf(roles, config, cluster, version);
  const tables = new Tables(join(directory.path, "tables"), postgres && settingShelf(store.settings));
  const resources = await resourcesOf(secrets, config, tables);
  const ruleFile = join(directory.path, "rules.cache");
  readKeptRules(ruleFile);
  const holds = new Holds(store, systemClock, config.tenant);
  const erasures = new Erasures({ store, holds, trail: audit, clock: systemClock, tenant: config.tenant });
  const telemetry = openTelemetry(config, {
    directory: directory.path,
    version,
    clock: systemClock,
    say: (text) => display.say(text, { level: "warn" }),
  });
  const backups = await openBackups({ config, directory: directory.path, vault, secrets, store, log, version });
  const runtime = await Runtime.open({
    leads: (signal) => backups.follow(signal),
    holds: () => holds.inForce(),
    ...telemetry.over({ log, store, pool: threadPool(config.engine.workers, resources, ruleFile) }),
    tenant: config.tenant,
    rules: () => configuredRules(config),
    rule_budget_per_day: config.rules.budget_per_day,
    unknownFields: unknownFieldsUnder,
    releases: new Releases(join(directory.path, "rules")),
    pipelines: bundledPipelines(),
    detectors: await configuredDetectors(config),
    lateness_s: config.engine.lateness_s,
    enrichment: { settings: await enrichSettings(config), tables },
    eventPipelines: { disk: () => config.pipelines.directories.flatMap(yamlFiles), pseudonymKey: resources.pseudonymKey },
    placeholders: configuredPlaceholders(config),
    audit,
    sources: configuredSources(loaded, cluster.counters),
    historical: historicalSources(loaded),
    sourceSpecs: await sources(),
    quality: qualityOptions(config),
    sinks: { configured: configuredSinks(loaded), specs: await sinks(), hostname: hostname(), version },
    retention: Object.fromEntries(
      Object.entries(config.events.retention).map(([name, { days, gb }]) => [
        name,
        { ...(days === undefined ? {} : { maxAge: days * day }), ...(gb === undefined ? {} : { maxBytes: gb * 1e9 }) },
      ]),
    ),
    seriesRetention: { fine: config.metrics.fine_days * day, coarse: config.metrics.days * day },
    canaries: {
      key: await canaryKey(config, directory.path, secrets),
      every: config.canaries.every_s * 1e6,
      enabled: config.canaries.enabled,
    },
    ...(part && { cluster: part, chain: `${hostname()}${directory.path}` }),
    logBytes: () => bytesBelow(join(directory.path, "log")),
    demo: (open: (stream: string) => Intake, signal: AbortSignal) => replayDemo(open, systemClock, signal),
  });
  tellOwnMetrics(directory.path, log, store, runtime);
  const backtests = new BacktestQueue({
    events: store.events,
    clock: systemClock,
    tenant: config.tenant,
    program: () => runtime.program!,
    lag: () => runtime.lag(),
  });
  const shared = sharedAccess(config, cluster, store, systemClock);
  const people = await openPeople(config, vault, shared.store, cluster.counters);
  demandAdministrator(at, people, loaded);
  const auth = await Auth.open({
    adminTokenHash: tokenHash(adminToken(directory.path)),
    settings: shared.store.settings,
    people,
    keys: shared.store.keys,
    clock: systemClock,
  });
  const machines = await openMachines(loaded, {
    secrets,
    store: shared.store,
    shared: roles !== undefined,
    audit,
    handle: (request, answer) => server.routing(request, answer),
  });
  const unfollow = await shared.follow({ reload: () => Promise.all([auth.reload(), machines.register.reload()]) });
  /** Where boxes lie besides the vault's own. */
  const places: readonly SealedPlace[] = [people.sealed(), ...("sealed" in secrets ? [secrets.sealed()] : [])];
  await vault.reseal(places).catch((e: Error) => display.say(`vault: ${e.message}`));
  const { notices } = cluster;
  const onProblem = (message: string) => display.say(message, { level: "warn", component: "vault" });
  const keys = keysAtRest({ vault, logKeys, log, places, notices, clock: systemClock, onProblem });
  const consoleDirectory = fileURLToPath(new URL("../../../web/dist", import.meta.url));
  const server: Awaited<ReturnType<typeof buildServer>> = await buildServer({
    store: servedBy(roles, store),
    runtime,
    serves: { api: roles?.has("serve") ?? true, ingest: roles?.has("ingest") ?? true },
    endpoints: new Map(
      [...(await endpoints())].map(([name, spec]) => [name, { spec, config: spec.config.parse(config.endpoints[name] ?? {}) }]),
    ),
    endpointContext: runtime.endpointContext(),
    auth,
    oidc: openOidc(config, people, `${config.tls ? "https" : "http"}://${config.listen}`),
    ...at.options,
    ...shared.options,
    backtests,
    prover: runtime.prover,
    machines,
    vault: keys,
    holds,
    erasures,
    backups: backupPort(backups, config),
    senders: senderConfigs(loaded),
    audit,
    version,
    apiPrefix: config.api.prefix,
    requestsPerMinute: config.api.requests_per_minute,
    tenant: config.tenant,
    ...(existsSync(consoleDirectory) ? { consoleDirectory } : {}),
    onError: (e, route) =>
      display.say(`${route}: ${e instanceof Error ? (process.env["VEDETTE_DEBUG"] ? e.stack : e.message) : String(e)}`, {
        level: "error",
        component: "http",
      }),
  });
  const url = await listen(server, at, loaded);
  await machines.listener?.listen();
  directory.announce(url);
  runtime.answersAt(new URL(url).host);
  runtime.start();
  const refused = runtime.rules().rules.filter((r) => r.state === "refused");
  if (roles) display.say(`One of several processes: ${[...roles].join(", ")}`);
  display.say(
    `Vedette ${version} is up at ${url} after ${((performance.now() - started) / 1_000).toFixed(1)} s; data in ${directory.path}`,
  );
  if (machines.listener)
    display.say(`Machines come in at ${machines.listener.url} with certificates; vedette machine token makes what one enrols with`);
  display.say(
    `Log in once with ${url}/login?token=${auth.issueLogin()}  (valid for an hour; later: the token in ${join(directory.path, "admin.token")})`,
    { asIs: true },
  );
  display.say(
    `${runtime.rules().rules.filter((r) => r.state === "enabled").length} rules on, ${refused.length} refused; ${Object.keys(config.sources).length} sources configured; HTTP ingest at ${url}/ingest and ${url}/_bulk`,
  );
  tellUnknownFields(runtime, display);
  const losses = await runtime.pipelines.losses();
  if (losses.length > 0) display.say(`pipelines: ${toldLosses(losses)}`);
  // every rule in force has been read by now: what else was kept is only memory
  readRulesFrom(undefined);
  for (const r of refused) display.say(`refused: ${r.reason}`, { level: "warn", component: "rules" });
  display.watch(runtime, store, config.tenant);
  if (directory.fresh && demo) playDemo(runtime, display, url);
  const stopped = new AbortController();
  const heads = audit.run(stopped.signal);
  const serving = [
    reportSelf(machines.register, runtime, { url: machines.listener?.url ?? url, version, roles: roles && [...roles] }, stopped.signal),
    machines.listener?.run(stopped.signal),
    erasures.run(stopped.signal),
    keys.run(stopped.signal),
    telemetry.run(stopped.signal),
    runHeartbeat(config, runtime, systemClock, (text) => display.say(text, { level: "warn", component: "heartbeat" }), stopped.signal),
  ];
  const reloading = reloadOnChange(reloaded(config, runtime, display), systemClock, stopped.signal);
  await stopAsked;
  stopped.abort();
  await Promise.all([reloading, heads, ...serving]);
  await machines.listener?.close();
  await backtests.close();
  await audit.record({ action: "service_stopped", outcome: "success", by: { user: operator() } });
  unfollow();
  await shutDown(runtime, server, audit, log, store, directory, display);
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

/** Every enricher is on unless it is turned off. */
async function enrichSettings({ enrich }: Config): Promise<Config["enrich"]> {
  return { ...Object.fromEntries([...(await enrichers()).keys()].map((name) => [name, {}])), ...enrich };
}

/** First start of an empty directory: something to see within seconds. */
function playDemo(runtime: Runtime, display: Display, url: string): void {
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
    () => display.say("The demo has been replayed. Remove it with: vedette demo clear"),
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

async function shutDown(
  runtime: Runtime,
  server: Awaited<ReturnType<typeof buildServer>>,
  audit: AuditTrail,
  log: Awaited<ReturnType<typeof openLog>>,
  store: Store,
  directory: DataDirectory,
  display: Display,
): Promise<void> {
  display.stop();
  await server.close();
  await runtime.stop();
  await audit.close();
  await log.close();
  await store.close();
  directory.release();
}

/** The admin API token, made on the first start; readable by this user only. */
function adminToken(directory: string): string {
  const file = join(directory, "admin.token");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const token = newToken();
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}

async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((n) =>
      stat(join(folder, n)).then(
        (s) => (s.isFile() ? s.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

/** So many are read at a start; `rule list` has them all. */
const maxTold = 5;

/** Says which rules speak of fields that no event is known to carry: they load, but what they wait for may never come. */
function tellUnknownFields(runtime: Runtime, display: Display): void {
  const blind = runtime.rules().rules.filter(({ unknown_fields, state }) => unknown_fields !== undefined && state !== "quarantined");
  for (const { file, title, unknown_fields = [] } of blind.slice(0, maxTold))
    display.say(`${file}: ${title}: no event is known to carry ${unknown_fields.join(", ")}`);
  if (blind.length > maxTold) display.say(`${blind.length - maxTold} more rules name unknown fields; vedette rule list --unknown-fields`);
}
