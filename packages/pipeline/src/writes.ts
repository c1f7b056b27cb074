/** Writes that the next checkpoint waits for: each target takes its own strictly one after the other, and none is given up. Knows no target's meaning. */
import type { Clock } from "@vedette/kit";

export class Writes<Target extends string> {
  readonly #clock: Clock;
  readonly #onProblem: ((code: string, message: string | undefined) => void) | undefined;
  #open: Promise<unknown>[] = [];
  /** The newest write of each target. */
  readonly #tails = new Map<Target, Promise<unknown>>();

  constructor(clock: Clock, onProblem?: (code: string, message: string | undefined) => void) {
    this.#clock = clock;
    this.#onProblem = onProblem;
  }

  /** How many nobody has waited for. */
  get waiting(): number {
    return this.#open.length;
  }

  /** A later batch that got through while an earlier one is tried again would make the earlier one look applied, and lose it. */
  add(target: Target, write: () => Promise<unknown>): void {
    const done = (this.#tails.get(target) ?? Promise.resolve()).then(() => this.#insist(write));
    this.#tails.set(target, done);
    // looked at when the checkpoint waits for it; until then a failure is not unheard of
    done.catch(() => {});
    this.#open.push(done);
  }

  /** Resolves when all so far are durable. */
  async settled(): Promise<void> {
    await Promise.all(this.#open.splice(0));
  }

  /** A full disk or a busy store is waited out: the log holds what is behind. */
  async #insist(write: () => Promise<unknown>): Promise<void> {
    for (let delay_ms = 50; ; delay_ms = Math.min(delay_ms * 2, 5_000)) {
      try {
        await write();
        if (delay_ms > 50) this.#onProblem?.("output_blocked", undefined);
        return;
      } catch (e) {
        // what is another's to write by now, no waiting makes this one's again
        if (["log_closed", "conflict"].includes((e as { code?: string }).code ?? "")) throw e;
        this.#onProblem?.("output_blocked", (e as Error).message);
        await this.#clock.sleep(delay_ms);
      }
    }
  }
}
