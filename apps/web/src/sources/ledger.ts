/** The arithmetic of the loss ledger as the page shows it. Pure. */
import type { Source } from "../api/types.ts";

export function droppedTotal(source: Pick<Source, "dropped">): number {
  return Object.values(source.dropped).reduce((sum, count) => sum + count, 0);
}

/** in − (stored + dead + dropped + pending): zero, or records nobody can account for. */
export function balanceOf(source: Pick<Source, "in" | "stored" | "dead" | "dropped" | "pending">): number {
  return source.in - source.stored - source.dead - droppedTotal(source) - source.pending;
}
