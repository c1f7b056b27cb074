/** The replay of the bundled scenario through the real path, one at a time. Knows no scenario. */
import type { Intake } from "@vedette/kit";

export type PlayDemo = (open: (stream: string) => Intake, signal: AbortSignal) => Promise<void>;

export class DemoReplay {
  readonly #play: PlayDemo;
  #running: AbortController | undefined;

  constructor(play: PlayDemo) {
    this.#play = play;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** @returns when it has ended; at once where it runs already */
  start(intake: Intake): Promise<void> {
    if (this.#running) return Promise.resolve();
    const running = new AbortController();
    this.#running = running;
    const open = (stream: string): Intake => ({ accept: (records) => intake.accept(records, { stream }) });
    return this.#play(open, running.signal).finally(() => {
      this.#running = undefined;
    });
  }

  stop(): void {
    this.#running?.abort();
  }
}
