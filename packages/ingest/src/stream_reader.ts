/** Reads a stream of bytes that cannot be read again, piece by piece, into batches. Knows neither files nor protocols. */
import { Batch } from "./batch.ts";
import type { Cutter } from "./lines.ts";

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
