/**
 * Traces of single batches through the log. A trace's id comes from the batch's place in the log, so nothing has to travel beside it, and whoever
 * handles the batch later comes to the same one. Knows no protocol.
 */
import { createHash } from "node:crypto";
import { defineCounter } from "@vedette/kit";
import type { Micros } from "@vedette/model";

/** What happens to a batch, each a child of the one before. */
export const stages = ["ingest", "analyse", "find", "alert"] as const;
export type Stage = (typeof stages)[number];

export interface Span {
  /** 16 and 8 bytes, hexadecimal. */
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly stage: Stage;
  readonly from: Micros;
  readonly to: Micros;
  readonly attributes: { readonly [name: string]: string | number };
}

export interface TracerOptions {
  /** Of this installation: the same offset elsewhere is another trace. */
  readonly installation: string;
  /** Part of the batches that are traced, 0 to 1; which, their place decides. */
  readonly ratio: number;
}

/** Spans that wait to be sent: some seconds of a batch a millisecond. */
const maxWaiting = 4_096;
const dropped = defineCounter(
  "traces_dropped_spans_total",
  "Spans that were not sent: too many waited, or the receiver did not take them.",
);

export class Tracer {
  readonly #options: TracerOptions;
  #waiting: Span[] = [];

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** The trace of a raw batch; undefined for one that is not traced. */
  traceOf(offset: number): string | undefined {
    const hash = createHash("sha256").update(`trace\0${this.#options.installation}\0${offset}`).digest();
    return hash.readUInt32BE(16) < this.#options.ratio * 0x1_0000_0000 ? hash.toString("hex", 0, 16) : undefined;
  }

  add(trace: string, stage: Stage, from: Micros, to: Micros, attributes: Span["attributes"]): void {
    if (this.#waiting.length >= maxWaiting) {
      dropped.add(1);
      return;
    }
    const before = stages[stages.indexOf(stage) - 1];
    const parent = before && { parent: spanId(trace, before) };
    this.#waiting.push({ trace, id: spanId(trace, stage), ...parent, stage, from, to: Math.max(from, to), attributes });
  }

  take(): readonly Span[] {
    return this.#waiting.splice(0);
  }
  /** They were taken, and the receiver did not want them. */
  lost(spans: readonly Span[]): void {
    dropped.add(spans.length);
  }
}

const spanId = (trace: string, stage: Stage): string => createHash("sha256").update(`${trace}\0${stage}`).digest("hex").slice(0, 16);
