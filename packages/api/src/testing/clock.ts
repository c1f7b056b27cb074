/** A clock that tests move. */
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { start } from "./samples.ts";

/** Time stands still until told otherwise. */
export class FakeClock implements Clock {
  time: Micros = start;
  readonly #waiting: { readonly at: Micros; readonly wake: () => void }[] = [];
  now(): Micros {
    return this.time;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      this.#waiting.push({ at: this.time + ms * 1000, wake: resolve });
      signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  /** Wakes who is due, and lets what they started settle. */
  async pass(ms: number): Promise<void> {
    this.time += ms * 1000;
    for (const one of this.#waiting.splice(0)) one.at <= this.time ? one.wake() : this.#waiting.push(one);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}
