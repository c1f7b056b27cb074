/** How a sink is declared, what leaves through it, and how a receiver took it. Knows no concrete sink. */
import type { Fields, Micros, Severity } from "@vedette/model";
import type { z } from "zod";
import type { Clock } from "./ports.ts";
import type { Spec } from "./spec.ts";

/** One alert, finding or event on its way out. */
export interface Outgoing {
  /** The same thing in the same state always has the same id: by it a receiver knows a repeat. At most 64 characters of `A-Za-z0-9_-.`. */
  readonly id: string;
  readonly kind: "alert" | "finding" | "event";
  readonly time: Micros;
  readonly severity: Severity;
  /** Rule, or action of the event. */
  readonly name: string;
  /** Host the thing is about, or empty. */
  readonly host: string;
  /** Flat ECS, whatever the body is in. */
  readonly fields: Fields;
  /** As one JSON document, in the schema that the configuration asks for. */
  readonly body: string;
}

/** What became of one batch; a receiver's faults are outcomes, not errors. */
export type Delivery =
  /** The receiver answered record by record. Those in neither list were taken, or were there already. */
  | {
      readonly outcome: "answered";
      /** What it said, for people. */
      readonly answer: string;
      /** It will never take these. */
      readonly refused?: readonly { readonly index: number; readonly reason: string }[];
      /** It may take these later. */
      readonly later?: readonly number[];
    }
  /** It will not take this batch, for what is in it: smaller ones may show which record it is. */
  | { readonly outcome: "refused"; readonly reason: string }
  /** It does not answer, has no room, or does not let us in: the same batch is sent again. */
  | { readonly outcome: "unavailable"; readonly reason: string; readonly retryAfter_ms?: number };

/** An open way out. One batch is under way at a time. */
export interface Sink {
  /** @param records at least one, at most what the component's `batch` says. Gives up when `signal` aborts. */
  send(records: readonly Outgoing[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

/** A table of columns to one file: injected, since what writes it belongs to the event store. */
export interface Column {
  readonly name: string;
  /** `number`: integers below 2^53. */
  readonly type: "text" | "number";
}
/** Writes a new durable file; cells of a row in the columns' order, undefined for none (0 in a number column). Resolves with its size. */
export type WriteTable = (
  path: string,
  columns: readonly Column[],
  rows: readonly (readonly (string | number | undefined)[])[],
) => Promise<number>;

/** What the runtime gives a sink to open with. */
export interface SinkContext<C> {
  /** The sink's name in the configuration (`sinks: {NAME: …}`). */
  readonly name: string;
  readonly config: C;
  readonly clock: Clock;
  /** This machine's name, as receivers are told who sends. */
  readonly hostname: string;
  readonly version: string;
  readonly writeTable: WriteTable;
}
/** Hands what leaves to another system: one attempt a call; batching, retries, checkpoints and the ledger are the runner's. */
export interface SinkSpec<C extends z.ZodType = z.ZodType> extends Spec<C> {
  readonly kind: "sink";
  /** Largest batch, and how long one may gather. */
  readonly batch: { readonly records: number; readonly bytes: number; readonly wait_ms?: number };
  /** Reads secrets and certificates. @throws ConfigError for a file that cannot be read; UnavailableError for what may work later. */
  open(context: SinkContext<z.output<C>>): Promise<Sink>;
  readonly examples: readonly { readonly title: string; readonly config: z.input<C> }[];
}

export const defineSink = <C extends z.ZodType>(s: Omit<SinkSpec<C>, "kind">): SinkSpec<C> => ({ kind: "sink", ...s });
