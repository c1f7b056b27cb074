/** One process over its own disk: lives, crashes and comes back, until everything has been said and judged. Knows no promise that it must keep. */
import { type Log, openLogHere } from "@vedette/log";
import type { Runtime } from "@vedette/pipeline";
import { CrashDisk } from "../../packages/log/src/testing/crash_disk.ts";
import { seededBytes } from "../../packages/log/src/testing/random.ts";
import { type DiskHealth, simulatedDisk } from "./disk.ts";
import type { Ended } from "./ended.ts";
import { eventStore, MemoryEvents } from "./events.ts";
import { begin, busyFor, type Input, inputOf } from "./input.ts";
import { type HostClock, Life } from "./life.ts";
import { type Heard, prepare, start } from "./process.ts";
import { send } from "./sender.ts";
import { emptyState, type State } from "./state.ts";
import { over, sound, wire } from "./wire.ts";
import { ms, second, World } from "./world.ts";

/** When nothing has been new for so long, everything is final: lateness, windows and idle sources are through. */
const quietFor = 24 * second;
/** How far a machine's clock is set forward or back when it starts again; what was received by a clock ahead of it counts as new for so long. */
const maxStep = 15 * second;

class Machine {
  readonly world: World;
  readonly host: HostClock = { offset: 0, drift: 0 };
  readonly input: Input;
  readonly heard: Heard = { accepted: new Set() };
  readonly events = new MemoryEvents(false);
  readonly state: State;
  readonly health: DiskHealth = { failing: 0 };
  readonly store = sound();
  disk = new CrashDisk();
  lives = 0;
  stepped = false;
  #running: { readonly life: Life; readonly runtime: Runtime; readonly log: Log } | undefined;
  #life: Life | undefined;

  constructor(world: World, input: Input, state: State) {
    this.world = world;
    this.input = input;
    this.state = state;
  }

  get running() {
    return this.#running;
  }
  listening = () => (this.#running ? [this.#running] : []);

  /** A new life, tried again until it stands; nothing where there is one. */
  async start(): Promise<void> {
    if (this.#life) return;
    const life = new Life(this.world, "vedette", this.host);
    this.world.tell(`start ${++this.lives}`);
    this.#life = life;
    const ask = wire(life, "store", this.store);
    const { alerts, checkpoints, settings } = this.state;
    const state = { alerts: over(ask, alerts), checkpoints: over(ask, checkpoints), settings: over(ask, settings) };
    const { input, heard, world } = this;
    // so small that segments are sealed and dropped all the time
    const small = { directory: "/d", segmentBytes: 6_000, cacheBytes: world.chance.pick([0, 20_000]) };
    try {
      const random = seededBytes((choices) => world.chance.whole(0, choices - 1));
      const log = await openLogHere(small, { disk: simulatedDisk(life, this.disk, this.health), clock: life.clock, random });
      const runtime = await start({ life, log, events: eventStore(over(ask, this.events)), state, input, heard });
      this.#running = { life, runtime, log };
      world.tell("started");
    } catch (e) {
      world.tell(`start failed: ${(e as Error).message}`);
      this.kill(false);
      world.after(second, () => void this.start());
    }
  }

  /** @param power whether the machine goes too: what was not synced may be gone, whole or in part */
  kill(power: boolean): void {
    this.world.tell(power ? "power lost" : "killed");
    this.#life?.kill();
    this.#life = undefined;
    this.#running = undefined;
    const { chance } = this.world;
    this.disk = power ? this.disk.crash((choices) => chance.whole(0, choices - 1)) : this.disk.killed();
  }
}

/** What goes wrong, from time to time, until the world is well. */
function disturb(machine: Machine, until: number): void {
  const { world } = machine;
  const { chance } = world;
  const often = chance.between(1.5, 10) * second;
  const back = (delay: number) => world.after(delay, () => void machine.start());
  const crash = () => {
    machine.kill(chance.happens(0.5));
    if (chance.happens(0.3)) {
      machine.host.offset = chance.between(-1, 1) * maxStep;
      machine.stepped = true;
    }
    back(chance.between(0.01, 2) * second);
  };
  const full = () => {
    machine.disk.capacity = machine.disk.files().reduce((n, file) => n + machine.disk.bytesOf(file).length, 0) + chance.whole(0, 3_000);
    world.tell("the disk is full");
    world.after(chance.between(0.1, 4) * second, () => {
      machine.disk.capacity = Number.POSITIVE_INFINITY;
    });
  };
  const blocked = () => {
    machine.store.cut = true;
    world.tell("the store is away");
    world.after(chance.between(0.1, 5) * second, () => {
      machine.store.cut = false;
    });
  };
  const kinds = [
    { weight: 2, what: crash },
    { weight: 4, what: () => world.between(chance.whole(1, 60), crash) },
    { weight: 2, what: () => machine.running?.life.pause(chance.between(0.01, 6) * second) },
    { weight: 2, what: full },
    { weight: 2, what: blocked },
  ];
  const next = (): void =>
    world.after(chance.exponential(often), () => {
      if (world.now >= until) return;
      chance.weighted(kinds).what();
      next();
    });
  next();
}

/** @param faults none for what everything else is compared with */
export async function embedded(seed: number, faults: boolean): Promise<Ended> {
  await prepare();
  const world = new World(seed, begin);
  const { chance } = world;
  const input = inputOf(seed);
  const machine = new Machine(world, input, await emptyState());
  await machine.disk.mkdir("/d");
  if (faults) {
    machine.host.drift = chance.between(-0.001, 0.001);
    if (chance.happens(0.3)) machine.health.failing = chance.pick([300, 2_000]);
    if (chance.happens(0.3)) machine.store.lost = chance.pick([20, 100]);
    disturb(machine, begin + busyFor);
  }
  const play = async () => {
    void machine.start();
    send(world, input, machine.listening, machine.heard);
    await world.sleep(busyFor);
    machine.health.failing = 0;
    machine.store.lost = 0;
    for (let waited = 0; machine.heard.accepted.size < input.lines || machine.running === undefined; waited++) {
      if (waited > 200) break;
      await world.sleep(0.5 * second);
    }
    await world.sleep(quietFor + (machine.stepped ? 2 * maxStep : 0));
    const { runtime } = machine.running!;
    await runtime.caughtUp(new AbortController().signal);
    await world.sleep(10 * ms);
  };
  try {
    await world.run(play());
  } catch (e) {
    throw Object.assign(e as Error, { story: world.story });
  }
  const { runtime, log } = machine.running!;
  return {
    world,
    input,
    heard: machine.heard,
    log,
    events: machine.events,
    state: machine.state,
    runtimes: [runtime],
    lives: machine.lives,
  };
}
