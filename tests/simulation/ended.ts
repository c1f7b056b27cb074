/** A simulated run that came to its end, to be looked at. Types only. */
import type { Log } from "@vedette/log";
import type { Runtime } from "@vedette/pipeline";
import type { MemoryEvents } from "./events.ts";
import type { Input } from "./input.ts";
import type { Heard } from "./process.ts";
import type { State } from "./state.ts";
import type { World } from "./world.ts";

export interface Ended {
  readonly world: World;
  readonly input: Input;
  readonly heard: Heard;
  readonly log: Log;
  readonly events: MemoryEvents;
  readonly state: State;
  readonly runtimes: readonly Runtime[];
  /** Starts of processes. */
  readonly lives: number;
}
