/** What the HTTP server needs from the rest, as it sees it. Knows no implementation. */
import type { Clock, EndpointContext, EndpointSpec } from "@vedette/kit";
import type { Alert, DeadLetter, Event, Micros } from "@vedette/model";
import type { Store } from "@vedette/store";
import type { Auth } from "./auth.ts";

export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** One source's part of the loss ledger. */
export interface LedgerLine {
  readonly name: string;
  readonly in: number;
  readonly stored: number;
  readonly dead: number;
  readonly dropped: { readonly [reason: string]: number };
  readonly pending: number;
  /** Events beyond the first of records that held several: `in + split = stored + dead + dropped + pending`. */
  readonly split?: number;
  /** 0 when nothing is lost. */
  readonly balance: number;
}

export interface SourceState extends Omit<LedgerLine, "balance"> {
  readonly type: string;
  readonly state: "running" | "idle" | "failed" | "stopped";
  readonly lastReceived?: Micros;
  /** Events a second, mean over 10 s. */
  readonly rate: number;
  readonly warnings: readonly { readonly at: Micros; readonly code: string; readonly message: string }[];
}

export interface RuleState {
  readonly id: string;
  readonly title: string;
  readonly level: string;
  readonly state: "enabled" | "refused" | "shadow";
  readonly file: string;
  readonly reason?: string;
  readonly attack: readonly string[];
  readonly seen: number;
  readonly matched: number;
  readonly skipped: { readonly [reason: string]: number };
}

/** What listeners are told. Called synchronously; a listener never throws and never blocks. */
export type Notice =
  | { readonly kind: "alert"; readonly alert: Alert }
  /** The newest events of a batch; `count` is how many the batch had in all. */
  | { readonly kind: "events"; readonly events: readonly Event[]; readonly count?: number };

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
  ledger(): Promise<readonly LedgerLine[]>;
  rules(): { readonly rules: readonly RuleState[]; readonly hash: string };
  /** Newest first; `before` is the `next` of the page before. */
  deadLetters(limit: number, before?: number): Promise<{ readonly letters: readonly DeadLetter[]; readonly next?: number }>;
  /** @returns the way to stop listening */
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

export interface ServerOptions {
  readonly store: Store;
  readonly runtime: RuntimePort;
  readonly endpoints: ReadonlyMap<string, MountedEndpoint>;
  /** Made by the runtime; with a source's own token every record goes to that source, whatever the endpoint asks for. */
  readonly endpointContext: EndpointContext;
  readonly auth: Auth;
  readonly version: string;
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
  readonly https?: { readonly key: string | Buffer; readonly cert: string | Buffer };
  /** Told of what answers 500; request bodies and tokens are never in it. */
  readonly onError?: (error: unknown, route: string) => void;
  /** Milliseconds a query may run. */
  readonly queryTimeout_ms?: number;
}
