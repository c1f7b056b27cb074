/** The runtime as the configuration has it: which rules, detectors, sources and sinks, over which storage. Starts nothing. */
import { readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Cluster } from "@vedette/cluster";
import { sinks } from "@vedette/egress";
import { enrichers } from "@vedette/enrich";
import { sources } from "@vedette/ingest";
import { type Intake, systemClock } from "@vedette/kit";
import {
  type ClusterPart,
  Releases,
  Runtime,
  type RuntimeOptions,
  readKeptRules,
  settingShelf,
  Tables,
  threadPool,
} from "@vedette/pipeline";
import { configuredSources, historicalSources } from "../config/components.ts";
import { configuredDetectors } from "../config/networks.ts";
import { qualityOptions } from "../config/quality.ts";
import type { Config } from "../config/schema.ts";
import { configuredSinks } from "../config/sinks.ts";
import { configuredPlaceholders, configuredRules } from "../config/site.ts";
import { bundledPipelines, yamlFiles } from "../content.ts";
import { replayDemo } from "../demo/replay.ts";
import { unknownFieldsUnder } from "../fields.ts";
import { configuredPostgres } from "../postgres.ts";
import type { Telemetry } from "../telemetry.ts";
import { canaryKey, resourcesOf } from "../vault.ts";
import type { Start } from "./start.ts";
import type { Storage } from "./storage.ts";

const day = 86_400_000_000;

/** What is wired to a runtime besides its storage. */
export interface Around extends Pick<RuntimeOptions, "leads" | "holds"> {
  readonly cluster: Cluster;
  readonly part: ClusterPart | undefined;
  readonly telemetry: Telemetry;
}

export async function openRuntime(
  { loaded, directory: { path }, version }: Start,
  { store, log, audit, secrets }: Storage,
  around: Around,
): Promise<Runtime> {
  const { config } = loaded;
  const { cluster, part, telemetry, leads, holds } = around;
  const tables = new Tables(join(path, "tables"), configuredPostgres(config) && settingShelf(store.settings));
  const resources = await resourcesOf(secrets, config, tables);
  const ruleFile = join(path, "rules.cache");
  readKeptRules(ruleFile);
  return await Runtime.open({
    ...(leads && { leads }),
    ...(holds && { holds }),
    ...telemetry.over({ log, store, pool: threadPool(config.engine.workers, resources, ruleFile) }),
    tenant: config.tenant,
    rules: () => configuredRules(config),
    rule_budget_per_day: config.rules.budget_per_day,
    unknownFields: unknownFieldsUnder,
    releases: new Releases(join(path, "rules")),
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
    retention: retentionOf(config),
    seriesRetention: { fine: config.metrics.fine_days * day, coarse: config.metrics.days * day },
    canaries: {
      key: await canaryKey(config, path, secrets),
      every: config.canaries.every_s * 1e6,
      enabled: config.canaries.enabled,
    },
    ...(part && { cluster: part, chain: `${hostname()}${path}` }),
    logBytes: () => bytesBelow(join(path, "log")),
    demo: (open: (stream: string) => Intake, signal: AbortSignal) => replayDemo(open, systemClock, signal),
  });
}

/** How long, and how much, is kept of each class of events. */
const retentionOf = ({ events }: Config): RuntimeOptions["retention"] =>
  Object.fromEntries(
    Object.entries(events.retention).map(([name, { days, gb }]) => [
      name,
      { ...(days === undefined ? {} : { maxAge: days * day }), ...(gb === undefined ? {} : { maxBytes: gb * 1e9 }) },
    ]),
  );

/** Every enricher is on unless it is turned off. */
async function enrichSettings({ enrich }: Config): Promise<Config["enrich"]> {
  return { ...Object.fromEntries([...(await enrichers()).keys()].map((name) => [name, {}])), ...enrich };
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
