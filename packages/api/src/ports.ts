/** What the HTTP server needs from the rest, as it sees it. Knows no implementation. */

import type { Oidc } from "@vedette/access";
import type { AuditTrail } from "@vedette/audit";
import type { Clock, Counters, EndpointContext, EndpointSpec } from "@vedette/kit";
import type { MachineListener, Register } from "@vedette/machines";
import type {
  Applied,
  Backtest,
  BacktestEstimate,
  BacktestRequest,
  BackupStatus,
  Consent,
  DataLoss,
  DeadLetter,
  DecidedState,
  Decision,
  DetectorLine,
  EnricherLine,
  LedgerLine,
  Micros,
  NewRelease,
  Notice,
  PipelineLine,
  PipelinePreview,
  Problem,
  ProofReport,
  QualityReport,
  ReleaseHead,
  Requester,
  RuleGuidance,
  RuleLine,
  RulePlan,
  RuleVersion,
  RuleWish,
  SinkState,
  SourceState,
  TableRef,
  Viewer,
} from "@vedette/model";
import type { Store } from "@vedette/store";
import type { Rotated, VaultStatus } from "@vedette/vault";
import type { Auth } from "./access/auth.ts";
import type { Erasures } from "./erasure/erasures.ts";
import type { Holds } from "./erasure/holds.ts";

/** A rule with every decision on it. */
export interface RuleInFull extends RuleLine {
  readonly description: string;
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
  readonly response: readonly string[];
  readonly hash: string;
  readonly history: readonly (Decision & { readonly version: number; readonly what: string })[];
}

type Deciding = Requester & Pick<Decision, "owner" | "review">;

/** What people do with the rules. Failures are BadInputErrors: `not_found`, `conflict`, `bad_request`, `too_large`. */
export interface RulesPort {
  rule(id: string): RuleInFull;
  guidance(id: string): Promise<RuleGuidance>;
  /** Newest first. */
  versions(): readonly RuleVersion[];
  releases(): Promise<readonly ReleaseHead[]>;
  /** Keeps rules that were brought in; nothing is in force by it. */
  keep(release: NewRelease): Promise<{ readonly release: ReleaseHead; readonly plan: RulePlan }>;
  /** What rules would do that are not kept. */
  look(release: NewRelease, state: DecidedState): Promise<RulePlan>;
  plan(wish: RuleWish): Promise<RulePlan>;
  apply(wish: RuleWish, who: Requester, consent: Consent): Promise<Applied>;
  decide(id: string, state: DecidedState, who: Deciding, consent: Consent): Promise<Applied>;
  promote(id: string, who: Deciding, consent: Consent): Promise<Applied>;
  rollback(to: number | undefined, who: Requester): Promise<{ readonly version: number; readonly to: number; readonly rules: number }>;
}

/** Failures are BadInputErrors: `not_found`, `conflict`, `bad_table`. */
export interface EnrichmentPort {
  lines(): readonly EnricherLine[];
  put(name: string, bytes: Uint8Array, who: Requester): Promise<TableRef>;
  remove(name: string, who: Requester): Promise<void>;
  /** Gives the names of the tables that changed. */
  reload(who: Requester): Promise<readonly string[]>;
}

export interface PipelinesPort {
  lines(): Promise<readonly PipelineLine[]>;
  /** Rules and detectors that the pipelines in force keep from firing. */
  losses(): Promise<readonly DataLoss[]>;
  preview(files: readonly { readonly file: string; readonly text: string }[], signal?: AbortSignal): Promise<PipelinePreview>;
  reload(
    who: Requester,
    yes: boolean,
  ): Promise<{ readonly blocked: readonly string[]; readonly changed: boolean; readonly losses: readonly DataLoss[] }>;
  /** Resolves when who asked and why is on record. */
  reveal(pseudonym: string, who: Requester): Promise<string>;
}

/** The running program as the API sees it; the pipeline implements it. */
export interface RuntimePort {
  readonly started: Micros;
  readonly demoRunning: boolean;
  /** Events a second, mean over 10 s, all sources. */
  rate(): number;
  /** How far detection is behind the newest accepted record. */
  lag(): Promise<Micros>;
  ready(): Promise<{ readonly ready: boolean; readonly problems: readonly Problem[] }>;
  sourceStates(): Promise<readonly SourceState[]>;
  sinkStates(): Promise<readonly SinkState[]>;
  /** How well data comes in. */
  quality(): QualityReport;
  ledger(): Promise<readonly LedgerLine[]>;
  detectors(): readonly DetectorLine[];
  rules(): { readonly rules: readonly RuleLine[]; readonly hash: string; readonly version: number };
  readonly desk: RulesPort;
  /** What is added to events; absent where nothing is. */
  readonly enrichment?: EnrichmentPort | undefined;
  /** What users' pipelines do to events. */
  readonly pipelines?: PipelinesPort;
  /** Newest first; `before` is the `next` of the page before. */
  deadLetters(limit: number, before?: number): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: number }>;
  /** Listeners are called synchronously; none throws or blocks. @returns the way to stop listening */
  subscribe(listener: (notice: Notice) => void, wantsEvents?: boolean): () => void;
  /** Resolves when the replay ends; the server does not wait for it. */
  startDemo(): Promise<void>;
  clearDemo(): Promise<{ readonly events: number; readonly alerts: number }>;
  /** Bytes of the log's segments on disk. */
  logBytes(): Promise<number>;
}

/** An endpoint of the ingest package with its configuration already parsed by its schema. */
export interface MountedEndpoint {
  readonly spec: EndpointSpec;
  readonly config: unknown;
}

/** The runner as the API sees it; the pipeline implements it. Methods throw VedetteErrors that say what is wrong with the request. */
export interface BacktestPort {
  estimate(
    request: BacktestRequest,
    signal: AbortSignal,
  ): Promise<BacktestEstimate & { readonly rules: number; readonly refused: readonly string[] }>;
  start(request: BacktestRequest): Promise<Backtest>;
  list(asks?: Viewer): readonly Backtest[];
  get(id: string, asks?: Viewer): Backtest | undefined;
  cancel(id: string, asks?: Viewer): Backtest | undefined;
}

/** The prover as the API sees it; the pipeline implements it. */
export interface ProverPort {
  report(): ProofReport;
  /** Resolves when each is settled; the server does not wait for it. */
  prove(ids?: readonly string[]): Promise<void>;
}

/** Where something listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** What a sender is configured with; the word TOKEN stands for its token. */
export interface SenderConfig {
  readonly name: string;
  readonly summary: string;
  /** Where it belongs on the sender's machine. */
  readonly file: string;
  readonly text: string;
}

/** Machines, and the port that theirs come in by where there is one. */
export interface MachinesPort {
  readonly register: Register;
  readonly listener?: Pick<MachineListener, "has" | "peerOf" | "url">;
}

/** A key that batches of the log are sealed by. */
export interface LogKeyStatus {
  readonly id: string;
  readonly use: "seals" | "opens";
  readonly since: Micros | undefined;
  /** Partitions with batches that it sealed; undefined where nobody can tell. */
  readonly neededBy: readonly string[] | undefined;
}

/** The keys at rest as the API sees them: the vault's, and those of the log below it. */
export interface VaultPort {
  status(): Promise<VaultStatus & { readonly log: readonly LogKeyStatus[] }>;
  rotate(): Promise<Rotated & { readonly log_key?: string }>;
}

/** Backups as the API sees them. Failures of what is asked for are VedetteErrors; those of the work are in the status. */
export interface BackupPort {
  status(): Promise<BackupStatus>;
  /** @returns where it goes */
  start(to: string | undefined, keep: { readonly newest: number | undefined; readonly days: number | undefined }): string;
  /** @returns where it is restored from */
  startDrill(from: string | undefined): string;
}

/** The audit trail as the API sees it. */
export type AuditPort = Pick<AuditTrail, "record" | "newest" | "since" | "head">;

export interface ServerOptions {
  readonly store: Store;
  readonly runtime: RuntimePort;
  readonly endpoints: ReadonlyMap<string, MountedEndpoint>;
  /** Made by the runtime; with a source's own token every record goes to that source, whatever the endpoint asks for. */
  readonly endpointContext: EndpointContext;
  readonly auth: Auth;
  /** Signs people in beside us, and what the button says. */
  readonly oidc?: { readonly provider: Oidc; readonly label: string } | undefined;
  readonly version: string;
  /** Which routes there are beside health and metrics; all without it. */
  readonly serves?: { readonly api: boolean; readonly ingest: boolean };
  /** API_V1_STR. */
  readonly apiPrefix?: string;
  /** The built console; without it `/` tells where the API is. */
  readonly consoleDirectory?: string;
  readonly tenant?: string;
  readonly clock?: Clock;
  /** True unless told to listen elsewhere: then only loopback names are accepted as Host (DNS rebinding). */
  readonly loopback?: boolean;
  /** Further names accepted as Host while on loopback, e.g. a reverse proxy's. */
  readonly hosts?: readonly string[];
  readonly https?: { readonly key: string | Buffer; readonly cert: string | Buffer; readonly minVersion?: "TLSv1.2" | "TLSv1.3" };
  /** Whether browsers reach it over TLS, this server's or a proxy's; then cookies are sent over nothing else. */
  readonly secure?: boolean;
  /** Told of what answers 500; request bodies and tokens are never in it. */
  readonly onError?: (error: unknown, route: string) => void;
  /** Runs backtests; none are on offer without it. */
  readonly backtests?: BacktestPort;
  /** Proves rules able to fire. */
  readonly prover?: ProverPort;
  /** Where sign-ins, refusals, changes and sensitive reads are recorded; none are without it. */
  readonly audit?: AuditPort;
  readonly machines?: MachinesPort;
  /** Events that are kept for a case. */
  readonly holds?: Holds;
  /** What goes for good. */
  readonly erasures?: Erasures;
  /** Keys at rest. */
  readonly vault?: VaultPort;
  readonly backups?: BackupPort;
  /** What senders to a source are configured with, given where this server was reached. */
  readonly senders?: (source: string, http: Place) => readonly SenderConfig[];
  /** Asked before somebody unknown is refused, where other servers share the stores: resolves when what they changed is known here. */
  readonly recheck?: () => Promise<void>;
  /** Where rates are counted; this process's own by default. */
  readonly counters?: Counters;
  /** Requests to the API a minute, of one principal. */
  readonly requestsPerMinute?: number;
  /** Milliseconds a query may run. */
  readonly queryTimeout_ms?: number;
}
