/** Several processes over a broker, a state server and a shared place: killed, held up and cut off, until everything has been said and judged. */
import { type Cluster, inProcessCluster } from "@vedette/cluster";
import { type Log, memoryLog } from "@vedette/log";
import { type Runtime, roleNames } from "@vedette/pipeline";
import { brokerLog, sharedPlace } from "./broker.ts";
import type { Ended } from "./ended.ts";
import { eventStore, MemoryEvents } from "./events.ts";
import { begin, busyFor, type Input, inputOf } from "./input.ts";
import { type HostClock, Life } from "./life.ts";
import { type Heard, prepare, start } from "./process.ts";
import { send } from "./sender.ts";
import { emptyState, type State } from "./state.ts";
import { over, sound, wire } from "./wire.ts";
import { ms, second, World } from "./world.ts";

/** Of the raw topic. */
const partitions = 2;
/** Leases end, others take over, and everything becomes final. */
const quietFor = 60 * second;

/** What all processes share. */
interface Servers {
  readonly log: Log;
  readonly place: Cluster;
  readonly state: State;
  readonly events: MemoryEvents;
}

export class Node {
  readonly name: string;
  readonly world: World;
  readonly servers: Servers;
  readonly input: Input;
  readonly heard: Heard;
  readonly host: HostClock = { offset: 0, drift: 0 };
  readonly wires = { broker: sound(), redis: sound(), state: sound(), events: sound() };
  lives = 0;
  running: { readonly life: Life; readonly runtime: Runtime } | undefined;
  #life: Life | undefined;

  constructor(name: string, world: World, servers: Servers, input: Input, heard: Heard) {
    this.name = name;
    this.world = world;
    this.servers = servers;
    this.input = input;
    this.heard = heard;
  }

  async start(): Promise<void> {
    if (this.#life) return;
    const name = `${this.name}.${++this.lives}`;
    const life = new Life(this.world, name, this.host);
    this.#life = life;
    this.world.tell(`start ${name}`);
    const { wires, servers, input, heard, world } = this;
    const ask = wire(life, "state", wires.state);
    const { alerts, checkpoints, settings } = servers.state;
    const state = { alerts: over(ask, alerts), checkpoints: over(ask, checkpoints), settings: over(ask, settings) };
    const events = eventStore(over(wire(life, "events", wires.events), servers.events));
    const log = brokerLog(life, wires.broker, servers.log);
    const cluster = {
      cluster: sharedPlace(life, wires.redis, servers.place),
      roles: new Set(roleNames),
      partitions,
      name,
      version: "0",
    };
    try {
      const runtime = await start({ life, log, events, state, input, heard, cluster });
      this.running = { life, runtime };
      world.tell(`started ${name}`);
    } catch (e) {
      world.tell(`${name} did not start: ${(e as Error).message}`);
      this.kill();
      world.after(second, () => void this.start());
    }
  }
  kill(): void {
    this.world.tell(`${this.name} killed`);
    this.#life?.kill();
    this.#life = undefined;
    this.running = undefined;
  }
}

function disturb(world: World, nodes: readonly Node[], until: number): void {
  const { chance } = world;
  const often = chance.between(2, 10) * second;
  const crash = (node: Node) => {
    node.kill();
    world.after(chance.between(0.01, 6) * second, () => void node.start());
  };
  const cut = ({ name, wires }: Node) => {
    const some = chance.happens(0.4) ? Object.values(wires) : [chance.pick(Object.values(wires))];
    world.tell(`${name} is cut off from ${some.length} servers`);
    for (const health of some) health.cut = true;
    world.after(chance.between(0.5, 14) * second, () => {
      for (const health of some) health.cut = false;
    });
  };
  const kinds = [
    { weight: 4, what: crash },
    // longer than a lease, now and then
    { weight: 3, what: ({ running }: Node) => running?.life.pause(chance.between(0.1, 16) * second) },
    { weight: 3, what: cut },
  ];
  const next = (): void =>
    world.after(chance.exponential(often), () => {
      if (world.now >= until) return;
      chance.weighted(kinds).what(chance.pick(nodes));
      next();
    });
  next();
}

export async function cluster(seed: number, faults: boolean): Promise<Ended> {
  await prepare();
  const world = new World(seed, begin);
  const { chance } = world;
  const input = inputOf(seed);
  const heard: Heard = { accepted: new Set() };
  const place = inProcessCluster({ now: () => world.now, sleep: (delay_ms) => world.sleep(delay_ms * ms) });
  const servers: Servers = { log: memoryLog(), place, state: await emptyState(), events: new MemoryEvents(true) };
  const nodes = ["a", "b", "c"].slice(0, chance.whole(1, 3)).map((name) => new Node(name, world, servers, input, heard));
  const wires = nodes.flatMap((node) => Object.values(node.wires));
  if (faults) {
    for (const node of nodes) node.host.drift = chance.between(-0.001, 0.001);
    for (const node of nodes) node.host.offset = chance.between(-1, 1) * second;
    for (const health of wires)
      for (const what of ["lost", "unheard", "slow"] as const) if (chance.happens(0.15)) health[what] = chance.pick([30, 300]);
    disturb(world, nodes, begin + busyFor);
  }
  const standing = () => nodes.flatMap(({ running }) => (running ? [running] : []));
  const play = async () => {
    for (const node of nodes) world.after(chance.between(0, 2) * second, () => void node.start());
    send(world, input, standing, heard);
    await world.sleep(busyFor);
    for (const health of wires) Object.assign(health, sound(), { cut: health.cut });
    for (let waited = 0; heard.accepted.size < input.lines || standing().length < nodes.length; waited++) {
      if (waited > 400) break;
      await world.sleep(0.5 * second);
    }
    await world.sleep(quietFor);
  };
  try {
    await world.run(play(), 2_000_000);
  } catch (e) {
    throw Object.assign(e as Error, { story: world.story });
  }
  const runtimes = standing().map(({ runtime }) => runtime);
  const lives = nodes.reduce((sum, node) => sum + node.lives, 0);
  return { world, input, heard, log: servers.log, events: servers.events, state: servers.state, runtimes, lives };
}
