/** Checkpoints for who must not end because their store is away for a while: what is asked waits until it is back. Knows no driver. */
import type { Clock } from "@vedette/kit";
import type { CheckpointStore } from "@vedette/store";

export interface Patience {
  readonly clock: Clock;
  /** From its abort on nothing waits any more: what cannot be written now is done again after the next start. */
  readonly signal: AbortSignal;
  readonly onProblem: (code: string, message: string | undefined) => void;
}

const longest_ms = 2_000;

/**
 * The same checkpoints. Only what would fail again at once is told to the caller: `conflict`, when another owner took over. Asking twice changes
 * nothing: a commit whose answer was lost writes the same keys and the same offset again.
 */
export function patient(checkpoints: CheckpointStore, { clock, signal, onProblem }: Patience): CheckpointStore {
  const waiting = new Set<object>();
  const insist = async <T>(ask: () => Promise<T>): Promise<T> => {
    const self = {};
    const over = () => {
      if (waiting.delete(self) && waiting.size === 0) onProblem("state_blocked", undefined);
    };
    for (let delay_ms = 50; ; delay_ms = Math.min(delay_ms * 2, longest_ms)) {
      try {
        const answer = await ask();
        over();
        return answer;
      } catch (e) {
        if ((e as { code?: string }).code === "conflict" || signal.aborted) {
          over();
          throw e;
        }
        waiting.add(self);
        onProblem("state_blocked", (e as Error).message);
        await clock.sleep(delay_ms, signal);
      }
    }
  };
  return {
    load: (consumer, most) => insist(() => checkpoints.load(consumer, most)),
    standing: (consumers) => insist(() => checkpoints.standing(consumers)),
    rows: (consumer, which) => insist(() => checkpoints.rows(consumer, which)),
    acquire: (consumer) => insist(() => checkpoints.acquire(consumer)),
    commit: (consumer, epoch, offset, meta, changed) => insist(() => checkpoints.commit(consumer, epoch, offset, meta, changed)),
  };
}
