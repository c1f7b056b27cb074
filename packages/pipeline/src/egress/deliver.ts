/** Hands records to a sink until each is sent or refused: batches, halves what is not liked, waits for who is not there. Knows no protocol and no log. */
import { type Clock, type Delivery, defineHistogram, type Outgoing, type Sink } from "@vedette/kit";

const deliveries = defineHistogram("sink_delivery_duration_seconds", "Time that one attempt to deliver took, by what came of it.", [
  "sink",
  "outcome",
]);

export interface DeliverOptions {
  /** Of the configuration. */
  readonly name: string;
  readonly sink: Sink;
  readonly batch: { readonly records: number; readonly bytes: number };
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** Told after each attempt; undefined once the receiver answers again. */
  readonly onProblem: (reason: string | undefined) => void;
  readonly onAnswer: (answer: string) => void;
}
export interface Delivered {
  readonly sent: number;
  readonly refused: readonly { readonly record: Outgoing; readonly reason: string }[];
}

/** First and longest wait; half of each is chance, so that many senders do not come back at once. */
const backoff_ms = { first: 1_000, longest: 60_000 };
/** A receiver may ask for longer, within reason. */
const longestAsked_ms = 300_000;
/** Attempts at a record that a receiver puts off after it took others of its batch, a quarter of an hour in all: then it is the record. */
const maxPutOff = 20;
/** Records refused in a row after which it is more likely our settings than the records: from then on each takes the longest wait, so that little is lost until somebody looks. */
const suspicious = 50;

/** @returns undefined when `signal` aborted: nothing of it is known to have been sent */
export async function deliver(records: readonly Outgoing[], options: DeliverOptions): Promise<Delivered | undefined> {
  const refused: { record: Outgoing; reason: string }[] = [];
  const waiting = cut(records, options.batch);
  let sent = 0;
  let inARow = 0;
  let failures = 0;
  for (let batch = waiting.shift(); batch; ) {
    let delivery: Delivery;
    const begun = performance.now();
    try {
      delivery = await options.sink.send(batch.records, options.signal);
    } catch (error) {
      // a sink must not throw; if one does, nothing is lost by trying again
      delivery = { outcome: "unavailable", reason: (error as Error).message };
    }
    deliveries.observe((performance.now() - begun) / 1_000, options.name, delivery.outcome);
    if (options.signal.aborted) return undefined;
    if (delivery.outcome === "refused" && batch.records.length > 1) {
      const middle = batch.records.length >> 1;
      waiting.unshift({ records: batch.records.slice(middle), putOff: 0 });
      batch = { records: batch.records.slice(0, middle), putOff: 0 };
      continue;
    }
    const left = settle(batch, delivery, refused);
    const taken = batch.records.length - left.records.length - left.gone;
    sent += taken;
    inARow = taken > 0 ? 0 : inARow + left.gone;
    const calm = left.records.length === 0 && (taken > 0 || inARow < suspicious);
    failures = taken > 0 || calm ? 0 : failures + 1;
    if (delivery.outcome === "answered") options.onAnswer(delivery.answer);
    options.onProblem(calm ? undefined : "reason" in delivery ? delivery.reason : delivery.answer);
    if (!calm) await options.clock.sleep(waitAfter(delivery, inARow >= suspicious ? 99 : failures, options.random), options.signal);
    if (options.signal.aborted) return undefined;
    batch = left.records.length > 0 ? { records: left.records, putOff: left.putOff } : waiting.shift();
  }
  return { sent, refused };
}

interface Batch {
  readonly records: readonly Outgoing[];
  /** Times that the receiver answered and put these off, since it took others of their batch. */
  readonly putOff: number;
}

function cut(records: readonly Outgoing[], most: DeliverOptions["batch"]): Batch[] {
  const batches: Outgoing[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of records) {
    if (bytes + one.body.length > most.bytes || batches.at(-1)!.length >= most.records) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(one);
    bytes += one.body.length;
  }
  return batches.map((some) => ({ records: some, putOff: 0 }));
}

/** What is left to send, and how many are refused for good. */
function settle(
  { records, putOff }: Batch,
  delivery: Delivery,
  refused: { record: Outgoing; reason: string }[],
): Batch & { readonly gone: number } {
  if (delivery.outcome === "unavailable") return { records, putOff, gone: 0 };
  if (delivery.outcome === "refused") {
    refused.push({ record: records[0]!, reason: delivery.reason });
    return { records: [], putOff, gone: 1 };
  }
  for (const { index, reason } of delivery.refused ?? []) refused.push({ record: records[index]!, reason });
  const gone = delivery.refused?.length ?? 0;
  const later = (delivery.later ?? []).map((index) => records[index]!);
  const times = putOff > 0 || later.length + gone < records.length ? putOff + 1 : 0;
  if (times < maxPutOff) return { records: later, putOff: times, gone };
  for (const record of later) refused.push({ record, reason: `put off ${maxPutOff} times: ${delivery.answer}` });
  return { records: [], putOff: 0, gone: gone + later.length };
}

function waitAfter(delivery: Delivery, failures: number, random: () => number): number {
  const grown = Math.min(backoff_ms.longest, backoff_ms.first * 2 ** Math.min(failures - 1, 20));
  const own = grown * (0.5 + random() / 2);
  const asked = delivery.outcome === "unavailable" ? Math.min(delivery.retryAfter_ms ?? 0, longestAsked_ms) : 0;
  return Math.max(own, asked);
}
