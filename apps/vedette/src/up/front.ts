/** What answers over the network: who may come in, the API with its console, and the entrance of machines. Opens its ports when told to listen. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newToken, tokenHash } from "@vedette/access";
import { Auth, buildServer, type Erasures, type Holds } from "@vedette/api";
import type { Cluster } from "@vedette/cluster";
import { endpoints } from "@vedette/ingest";
import { type SealedPlace, systemClock } from "@vedette/kit";
import { BacktestQueue, type Runtime } from "@vedette/pipeline";
import { backupPort, type openBackups } from "../backup.ts";
import { sharedAccess } from "../cluster.ts";
import { senderConfigs } from "../commands/source_config.ts";
import type { Config } from "../config/schema.ts";
import { keysAtRest } from "../keys.ts";
import { demandAdministrator, type Listening, listen } from "../listen.ts";
import { openMachines } from "../machines.ts";
import { openOidc, openPeople } from "../people.ts";
import { servedBy } from "../roles.ts";
import type { Start } from "./start.ts";
import type { Storage } from "./storage.ts";

/** What is shown and worked on through the API. */
export interface Behind {
  readonly runtime: Runtime;
  readonly cluster: Cluster;
  readonly backups: Awaited<ReturnType<typeof openBackups>>;
  readonly holds: Holds;
  readonly erasures: Erasures;
}

export type Front = Awaited<ReturnType<typeof openFront>>;

/** @throws ConfigError where the address asks for an administrator and there is none */
export async function openFront(start: Start, storage: Storage, behind: Behind, at: Listening) {
  const { loaded, directory, display, version, roles } = start;
  const { config } = loaded;
  const { vault, secrets, store, log, logKeys, audit } = storage;
  const { runtime, cluster, backups, holds, erasures } = behind;
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
  const server: Awaited<ReturnType<typeof buildServer>> = await buildServer({
    store: servedBy(roles, store),
    runtime,
    serves: { api: roles?.has("serve") ?? true, ingest: roles?.has("ingest") ?? true },
    endpoints: await configuredEndpoints(config),
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
    ...builtConsole(),
    onError: (e, route) => display.say(`${route}: ${messageOf(e)}`, { level: "error", component: "http" }),
  });
  return {
    auth,
    machines,
    /** @returns the address it answers at */
    async listen(): Promise<string> {
      const url = await listen(server, at, loaded);
      await machines.listener?.listen();
      return url;
    },
    /** What it does by itself, until the signal. */
    run: (signal: AbortSignal) => [machines.listener?.run(signal), keys.run(signal)],
    /** Takes nothing from machines any more, and begins no backtest. */
    async quiet(): Promise<void> {
      await machines.listener?.close();
      await backtests.close();
      unfollow();
    },
    close: () => server.close(),
  };
}

const configuredEndpoints = async (config: Config) =>
  new Map([...(await endpoints())].map(([name, spec]) => [name, { spec, config: spec.config.parse(config.endpoints[name] ?? {}) }]));

function builtConsole(): { readonly consoleDirectory?: string } {
  const consoleDirectory = fileURLToPath(new URL("../../../web/dist", import.meta.url));
  return existsSync(consoleDirectory) ? { consoleDirectory } : {};
}

const messageOf = (e: unknown): string | undefined =>
  e instanceof Error ? (process.env["VEDETTE_DEBUG"] ? e.stack : e.message) : String(e);

/** The admin API token, made on the first start; readable by this user only. */
function adminToken(directory: string): string {
  const file = join(directory, "admin.token");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const token = newToken();
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return token;
}
