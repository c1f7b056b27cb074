/** Events that the event store will never take, as dead letters. Knows no store. */
import type { Log } from "@vedette/log";
import type { DeadLetter } from "@vedette/model";
import type { RefusedEvent } from "@vedette/store";

const maxDeadBytes = 64 * 1024;

/** Resolves when they are durable. */
export async function buryRefused(log: Log, refused: readonly RefusedEvent[]): Promise<void> {
  const letters = refused.map(
    ({ event, reason }): DeadLetter => ({
      source: event.source,
      position: event.id,
      received: event.received,
      stage: "store",
      code: "refused_by_store",
      expected: reason,
      bytes: Buffer.from(event.original).subarray(0, maxDeadBytes).toString("base64"),
    }),
  );
  // of no raw batch: the engine takes no notice of it after a crash
  await log.append("dead", 0, Buffer.from(JSON.stringify({ letters })), { counts: { dead: letters.length } });
}
