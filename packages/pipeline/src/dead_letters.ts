/** Pages through the log's dead letters. Knows nothing of why they died. */
import type { Log } from "@vedette/log";
import type { DeadLetter } from "@vedette/model";

export interface DeadLetterPage {
  readonly letters: readonly DeadLetter[];
  /** Cursor of the page after; absent on the last. */
  readonly next?: number;
}

/** Newest first; `before` is the raw cursor of the page before. */
export async function readDeadLetters(log: Log, limit: number, before?: number): Promise<DeadLetterPage> {
  const { start, end } = await log.bounds("dead", 0);
  const letters: DeadLetter[] = [];
  let at = Math.min(before ?? end, end) - 1;
  for (; at >= start && letters.length < limit; at--) {
    const [entry] = await log.read("dead", 0, at, 1);
    if (entry && "bytes" in entry)
      letters.push(...(JSON.parse(Buffer.from(entry.bytes).toString()) as { letters: DeadLetter[] }).letters.reverse());
  }
  return at >= start ? { letters, next: at + 1 } : { letters };
}
