/** Reads a stream of bytes that cannot be read again, piece by piece, into batches. Knows neither files nor protocols. */
import type { Clock } from "@vedette/kit";
import { Batch } from "./batch.ts";
import { type Cutter, settle_ms } from "./lines.ts";

export interface StreamReaderOptions {
  /** Asked before each cut, with what is there: undefined while it is too little to choose. */
  readonly cutter: (bytes: Buffer, final: boolean) => Cutter | undefined;
  /** Resolves when durable; the next piece is not read before. False: shutting down, stop. */
  readonly deliver: (batch: Batch) => Promise<boolean>;
}

/** Resolves at the end of the input, or when `deliver` says so. What is left over at the end is a record too. */
export async function readStream(input: AsyncIterable<Uint8Array>, options: StreamReaderOptions): Promise<void> {
  const state = { rest: Buffer.alloc(0) as Buffer, offset: 0 };
  for await (const piece of input) {
    state.rest = state.rest.length === 0 ? Buffer.from(piece) : Buffer.concat([state.rest, piece]);
    if (!(await drain(state, options, false))) return;
  }
  await drain(state, options, true);
}

const nothing = new Uint8Array(0);

/** The pieces as they come, and an empty one when the cutter has held something long enough: reading it again settles that. */
export async function* settling(
  pieces: AsyncIterable<Uint8Array>,
  cutter: () => Cutter | undefined,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const held = cutter();
      const come = held?.holding ? await orQuiet(next, clock) : await next;
      if (come === undefined) {
        held?.settle?.();
        yield nothing;
        continue;
      }
      if (come.done) return;
      yield come.value;
      next = iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}

/** Undefined where nothing came in time. */
async function orQuiet<T>(next: Promise<T>, clock: Clock): Promise<T | undefined> {
  const over = new AbortController();
  try {
    return await Promise.race([next, clock.sleep(settle_ms, over.signal).then(() => undefined)]);
  } finally {
    over.abort();
  }
}

async function drain(state: { rest: Buffer; offset: number }, options: StreamReaderOptions, final: boolean): Promise<boolean> {
  for (;;) {
    const cutter = options.cutter(state.rest, final);
    if (cutter === undefined || (state.rest.length === 0 && !final)) return true;
    const batch = new Batch();
    const consumed = cutter.cut(state.rest, state.offset, batch, final);
    state.rest = state.rest.subarray(consumed);
    state.offset += consumed;
    if (!batch.empty && !(await options.deliver(batch))) return false;
    if (consumed === 0 && batch.empty && options.cutter(state.rest, final) === cutter) return true;
    if (state.rest.length === 0) return true;
  }
}
