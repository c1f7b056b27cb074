/** How far detection has come with what was accepted. Moves nothing. */
import type { Clock } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Micros } from "@vedette/model";
import type { AlertStore } from "@vedette/store";
import type { Detection } from "../detection.ts";
import type { Intakes } from "../intake/intakes.ts";

/** In a cluster it is known from checkpoints: at most so late. */
export const staleWithin: Micros = 8_000_000;
const lookEvery_ms = 20;

interface ProgressParts {
  readonly clock: Clock;
  readonly intakes: Intakes;
  readonly engine: Detection;
  readonly log: Log;
  readonly alerts: Pick<AlertStore, "offset">;
}

export class Progress {
  readonly #parts: ProgressParts;
  /** When everything was started; 0 before. */
  started: Micros = 0;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
  }

  /** How far behind the newest accepted record analysis is, by receive time. */
  lag(): Micros {
    const { intakes, engine } = this.#parts;
    const newest = Math.max(0, ...intakes.status().map((s) => s.lastReceived ?? 0));
    // before anything has been analysed since this start, what waits has waited since the start at most
    return newest === 0 ? 0 : Math.max(0, newest - (engine.reached || this.started));
  }

  /** Resolves when everything accepted so far has been analysed and its outputs are durable. */
  async caughtUp(signal: AbortSignal): Promise<void> {
    const { clock, engine, log, alerts } = this.#parts;
    const through = await engine.waitsFor();
    while (!signal.aborted && !(await through())) await clock.sleep(lookEvery_ms, signal);
    const findings = (await log.bounds("findings", 0)).end;
    while (!signal.aborted && (await alerts.offset()) < findings) await clock.sleep(lookEvery_ms, signal);
  }
}
