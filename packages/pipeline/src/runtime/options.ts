/** What a running Vedette is made of and told, as the program that wires it says. Opens nothing. */
import type { AuditTrail } from "@vedette/audit";
import type { Clock, SourceSpec } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Micros } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { CanaryKey } from "../canary/mark.ts";
import type { ConfiguredSink, SinkRunnerOptions } from "../egress/runner.ts";
import type { EnrichmentOptions } from "../enrichment/enrichment.ts";
import type { PipelineDeskOptions } from "../event_pipelines/desk.ts";
import type { ConfiguredSource } from "../intake/source_runner.ts";
import type { Pool } from "../pool.ts";
import type { Program, ProgramFile } from "../program.ts";
import type { QualityOptions } from "../quality/watch.ts";
import type { RuleDeskOptions } from "../rules/desk.ts";
import type { Releases } from "../rules/releases.ts";
import type { PlayDemo } from "./demo_replay.ts";
import type { ClusterPart } from "./roles.ts";
import type { UpkeepOptions } from "./upkeep.ts";

export interface RuntimeOptions extends Pick<UpkeepOptions, "holds" | "retention" | "seriesRetention"> {
  readonly log: Log;
  readonly store: Store;
  readonly clock?: Clock;
  readonly pool?: Pool;
  readonly tenant: string;
  /** The rule files that the configuration names, as they are on disk now. May throw ConfigError. */
  readonly rules: () => readonly ProgramFile[];
  /** Of a rule, the fields that no event is known to carry, under these mappings. */
  readonly unknownFields?: RuleDeskOptions["unknownFields"];
  /** Alerts a day that one rule may raise before the gate holds it back. */
  readonly rule_budget_per_day: number;
  /** Where rules that were brought in are kept. */
  readonly releases: Releases;
  readonly pipelines: readonly ProgramFile[];
  readonly detectors: { readonly [name: string]: unknown };
  readonly lateness_s: number;
  /** What is added to events; nothing without it. */
  readonly enrichment?: Pick<EnrichmentOptions, "settings" | "tables">;
  /** The user's pipelines of events, and the key of their pseudonyms; none without it. */
  readonly eventPipelines?: Pick<PipelineDeskOptions, "disk" | "pseudonymKey">;
  /** Values for `%name%` in rules with `|expand`. */
  readonly placeholders?: Program["placeholders"];
  readonly sources: readonly ConfiguredSource[];
  /** Names of sources whose events are of the past. */
  readonly historical?: ReadonlySet<string>;
  readonly sourceSpecs: ReadonlyMap<string, SourceSpec>;
  /** Where changes of the rules are recorded; its records are events like any others. None without it. */
  readonly audit?: AuditTrail;
  /** Who must be heard of, and when nobody need be; only those heard of before without it. */
  readonly quality?: QualityOptions;
  /** Ways out; none without it. */
  readonly sinks?: Pick<SinkRunnerOptions, "specs" | "hostname" | "version"> & { readonly configured: readonly ConfiguredSink[] };
  /** How rules are proved able to fire: by what key, how often each, and whether without being asked. */
  readonly canaries: { readonly key: CanaryKey; readonly every: Micros; readonly enabled: boolean };
  /** Where this is one process of several; without it, it does everything. */
  readonly cluster?: ClusterPart;
  /** Which of several chains of audit records this process keeps. */
  readonly chain?: string;
  /** What the one who leads does besides, until told to stop. */
  readonly leads?: (signal: AbortSignal) => Promise<void>;
  /** Bytes of the log on disk. */
  readonly logBytes: () => Promise<number>;
  /** Replays the bundled scenario through the given intakes. */
  readonly demo: PlayDemo;
}
