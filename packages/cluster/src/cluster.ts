/**
 * What the processes of one installation tell one another: who may do what now, who is there, that something changed, how much was used.
 * None of it is the truth about alerts, events or people: that is in the stores. Knows no shard, session or source.
 */
import type { Counters } from "@vedette/kit";
import type { Micros } from "@vedette/model";

export interface Cluster {
  readonly leases: Leases;
  readonly members: Members;
  readonly notices: Notices;
  readonly counters: Counters;
  readonly recent: Recent;
  health(): Health;
  /** Ends connections; leases and memberships end by their time unless they were given back before. */
  close(): Promise<void>;
}

export interface Lease {
  readonly name: string;
  readonly holder: string;
  /**
   * Larger than every fence this name was ever leased under, also after the shared place was emptied: milliseconds since 1970, or one more than
   * the last. Who writes under a lease gives it along, so that what an earlier holder writes late is refused.
   */
  readonly fence: number;
  /** On the asker's own clock, counted from before it asked: from then on the lease is not its own any more, whatever else it hears. */
  readonly until: Micros;
}
export interface Held extends Omit<Lease, "until"> {
  readonly left_ms: number;
}

/** A right that one holder has at a time. Fails closed: where the shared place does not answer, all throw UnavailableError `cluster_unavailable`. */
export interface Leases {
  /** @returns undefined while another holds it. Who holds it already gets it under a new fence: a process started again takes back its own. */
  acquire(name: string, holder: string, ttl_ms: number): Promise<Lease | undefined>;
  /** @returns the lease with a later end, or undefined when it ended or is another's. */
  renew(lease: Lease, ttl_ms: number): Promise<Lease | undefined>;
  /** Others may have it at once. Does nothing when it ended. */
  release(lease: Lease): Promise<void>;
  /** Those whose names begin so, by name. */
  holders(prefix: string): Promise<readonly Held[]>;
}

/** A process of the installation. */
export interface Member {
  /** Its own, of this start: another after a restart. */
  readonly name: string;
  readonly roles: readonly string[];
  /** HOST:PORT where it answers, where it does. */
  readonly address?: string | undefined;
  readonly version: string;
  readonly started: Micros;
  /** CPU seconds a second. */
  readonly load: number;
}

/** Who is there. Fails closed, as leases do: nobody is known where the shared place does not answer. */
export interface Members {
  /** Says so until `ttl_ms` from now; said again in time, with what changed. */
  join(member: Member, ttl_ms: number): Promise<void>;
  leave(name: string): Promise<void>;
  /** By name. */
  list(): Promise<readonly Member[]>;
}

export interface Listener {
  /** Must not throw. */
  notice(bytes: Uint8Array): void;
  /** Some may not have come: whoever needs them looks at the truth again. Must not throw. */
  missed(): void;
}

/** Longest notice: it says that something changed, and where; what it is now is read from the store. */
export const maxNotice = 65_536;

/** That something changed, to whoever listens now, the sender included. Fails open: what is not delivered is lost, and counted. */
export interface Notices {
  /** Does not wait. @throws BadInputError `too_large` */
  publish(topic: string, bytes: Uint8Array): void;
  /** Resolves when notices come, or will once the shared place is back. @returns how to end it */
  subscribe(topic: string, listener: Listener): Promise<() => void>;
}

/** Spans of time, µs, in which what was seen is remembered, and how many of them: eight to ten minutes. A sender that gets no answer asks again sooner. */
export const recentSlot: Micros = 120_000_000;
export const recentSlots = 5;
/** Remembered of one kind and span, some 10 MB of Redis; what is seen beyond it is not remembered. */
export const maxRecent = 100_000;

/** What was seen in the last minutes, by any process. Fails open: where the shared place does not answer, a process knows what it saw itself. */
export interface Recent {
  add(kind: string, members: readonly string[]): Promise<void>;
  /** Those of `members` that were added. */
  known(kind: string, members: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface Health {
  readonly driver: "in_process" | "redis";
  readonly up: boolean;
  /** Why not, and since when. */
  readonly reason?: string;
  readonly since?: Micros;
  /** What should be set otherwise. */
  readonly warnings: readonly string[];
  readonly notices: { readonly sent: number; readonly lost: number };
}
