/** What is wrong with a running Vedette now, and which of it means that it is not ready. Knows no cause and no remedy. */
import type { Problem } from "@vedette/model";

/** Something is wrong, or, without a message, is no longer. */
export type OnProblem = (code: string, message: string | undefined) => void;

const maxMessage = 500;

export class Problems {
  readonly #messages = new Map<string, string>();

  readonly report: OnProblem = (code, message) => {
    if (message === undefined) this.#messages.delete(code);
    else this.#messages.set(code, message.slice(0, maxMessage));
  };

  list(): Problem[] {
    return [...this.#messages].map(([code, message]) => ({ code, message }));
  }
}

const blocking: ReadonlySet<string> = new Set([
  "engine_stopped",
  "engine_failed",
  "triage_failed",
  "behind",
  "output_blocked",
  "state_blocked",
  "triage_blocked",
  "log_full",
]);

/** @param shares whether others do the same work: where nobody knows who works on what, nobody does */
export const blocks = (problems: readonly Problem[], shares: boolean): boolean =>
  problems.some(({ code }) => blocking.has(code) || (shares && code === "cluster_unavailable"));
