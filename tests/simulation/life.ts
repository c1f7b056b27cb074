/**
 * One process from its start until it is killed: what it waits for reaches it while it runs, later while it is paused, and never once it is
 * dead. Knows nothing of what it does.
 */
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { World } from "./world.ts";

/** A machine's clock, which drifts, and is set anew when the machine starts. */
export interface HostClock {
  offset: Micros;
  /** Seconds that it gains a second. */
  drift: number;
}

export class Life {
  readonly world: World;
  readonly name: string;
  readonly clock: Clock;
  alive = true;
  #paused = false;
  #held: (() => void)[] = [];

  constructor(world: World, name: string, host: HostClock) {
    this.world = world;
    this.name = name;
    const begun = world.now;
    const { offset, drift } = host;
    // as systemClock: what a machine's clock is set to meanwhile moves no process of it
    let last = 0;
    const now = () => {
      last = Math.max(last + 1, Math.round(world.now + offset + (world.now - begun) * drift));
      return last;
    };
    this.clock = {
      now,
      sleep: (delay_ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const done = () => {
            signal?.removeEventListener("abort", done);
            resolve();
          };
          this.after(delay_ms * 1_000, done);
          signal?.addEventListener("abort", done);
        }),
    };
  }

  /** Has something happen to this process after so long, if it still lives. */
  after(delay: Micros, run: () => void): void {
    this.world.after(delay, () => this.#reach(run));
  }

  #reach(run: () => void): void {
    if (!this.alive) return;
    if (this.#paused) this.#held.push(run);
    else run();
  }

  /** As `kill -9`: nothing that it waits for comes. */
  kill(): void {
    this.alive = false;
    this.#held = [];
  }
  /** As `kill -STOP`, or a collector that takes long. */
  pause(length: Micros): void {
    if (this.#paused || !this.alive) return;
    this.#paused = true;
    this.world.tell(`${this.name} paused for ${length / 1_000} ms`);
    this.world.after(length, () => {
      this.#paused = false;
      // what came meanwhile comes at once, in its order
      for (const run of this.#held.splice(0)) this.after(0, run);
    });
  }
}
