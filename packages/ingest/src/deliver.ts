/** Hands a batch to the intake and waits while the intake is full. Knows no source. */
import { type Clock, type Intake, VedetteError } from "@vedette/kit";
import type { Batch } from "./batch.ts";

/** Records known to be lost before they reached us, by reason. */
export type Lost = { readonly [reason: string]: number };

export interface Delivery {
  readonly intake: Intake;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
/** First wait after a refusal; each next one is twice as long, up to `longestWait_ms`. */
const firstWait_ms = 50;
/** Long enough not to matter to a log that is full, short enough to go on within seconds of there being room. */
const longestWait_ms = 2_000;

/**
 * Resolves with true when the batch is durable, with false if the signal aborted while the intake was refusing it (nothing accepted).
 * @throws whatever the intake throws that is permanent.
 */
export async function deliver(
  batch: Batch,
  where: { readonly stream: string; readonly position?: string | undefined; readonly lost?: Lost | undefined },
  delivery: Delivery,
): Promise<boolean> {
  const options = {
    stream: where.stream,
    ...(where.position === undefined ? {} : { position: where.position }),
    ...(where.lost === undefined ? {} : { lost: where.lost }),
    ...(batch.preamble === undefined ? {} : { preamble: batch.preamble }),
  };
  for (let wait_ms = firstWait_ms; ; wait_ms = Math.min(wait_ms * 2, longestWait_ms)) {
    try {
      await delivery.intake.accept(batch.records, options);
      return true;
    } catch (error) {
      if (!(error instanceof VedetteError) || error.permanent) throw error;
      if (delivery.signal.aborted) return false;
      await delivery.clock.sleep(wait_ms, delivery.signal);
      if (delivery.signal.aborted) return false;
    }
  }
}
