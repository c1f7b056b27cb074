/** Fills an event store the way the engine does: raw batches through the analysis workers, then `put`. No log, no rules, no detectors. */
import { encodeRecords, makeProgram, threadPool } from "@vedette/pipeline";
import type { Store } from "@vedette/store";

export interface Batch {
  readonly source: string;
  readonly format: string;
  /** What the format goes by besides the lines: a file's path, a TSV file's head. */
  readonly stream?: string;
  readonly preamble?: string;
  readonly lines: readonly string[];
  /** Microseconds; decides the hour's partition. */
  readonly received: number;
}

/** Raw batches of the engine hold about a MiB: some 2,000 to 3,000 of these lines. */
export const batchLines = 2_500;
/** Batches being analysed or written at once. */
const underWay = 4;

/** @returns how many events were stored and how many lines could not be understood */
export async function fillStore(store: Store, batches: Iterable<Batch>): Promise<{ readonly stored: number; readonly dead: number }> {
  const pool = threadPool();
  const program = makeProgram({ rules: [], pipelines: [], detectors: { brute_force: false }, lateness_s: 30 }, 0);
  let offset = (await store.events.applied()) + 1;
  let [stored, dead] = [0, 0];
  const running: Promise<void>[] = [];
  let order: Promise<void> = Promise.resolve();
  for (const batch of batches) {
    const at = offset++;
    const analysis = pool.run({ entries: [{ offset: at, bytes: encode(batch, at, program.hash) }], sample: false, store: true }, program);
    const turn = order;
    order = analysis.then(async ({ events, dead: letters }) => {
      await turn;
      dead += letters.length;
      stored += events?.count ?? 0;
      if (events) await store.events.put(at, batch.received, events);
    });
    running.push(order);
    if (running.length >= underWay) await running.shift();
  }
  await Promise.all(running);
  await pool.close();
  return { stored, dead };
}

function encode({ source, format, stream = "", preamble, lines, received }: Batch, offset: number, program: string): Uint8Array {
  const bodies = lines.map((line) => Buffer.from(line));
  const run = { stream, format, count: bodies.length, ...(preamble === undefined ? {} : { preamble }) };
  return encodeRecords(
    {
      kind: "records",
      version: 1,
      program,
      tenant: "main",
      source,
      received,
      demo: false,
      seq: offset * batchLines,
      runs: [run],
      // as the file source names them: a token of the file and the place in it
      positions: bodies.map((_, n) => `AAAAAAAAAAAAAAAA.${offset * batchLines + n}`),
    },
    bodies,
  );
}
