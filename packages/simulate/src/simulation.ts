/** A whole simulation: the site, everybody who lives there, and the attacks staged among them. Knows no way of writing or sending. */
import { beginBorder } from "./life/border.ts";
import { beginHouse } from "./life/house.ts";
import { meters } from "./life/meters.ts";
import { knocking, person } from "./life/people.ts";
import { squeue, submissions } from "./life/queue.ts";
import type { Staged } from "./scenarios/catalogue.ts";
import { Incident, type IncidentTruth, type JobTruth, type SimulationTruth } from "./truth.ts";
import { type Actor, type Emitted, World, type WorldOptions } from "./world.ts";

/** Records handed on at once. */
const together = 256;

export class Simulation {
  readonly world: World;
  readonly incidents: Incident[] = [];
  readonly #records = new Map<string, number>();

  constructor(options: WorldOptions, staged: readonly Staged[]) {
    const world = new World(options);
    this.world = world;
    const { site } = world;
    world.begin(submissions(world));
    world.begin(squeue(world));
    for (const user of site.users) world.begin(person(world, user));
    world.begin(knocking(world));
    beginHouse(world);
    beginBorder(world);
    for (const host of [...site.compute, ...site.gpu, ...site.logins]) world.begin(meters(world, host));
    for (const [i, one] of staged.entries()) world.begin(this.#play(one, i));
  }

  *#play({ scenario, after }: Staged, i: number): Actor {
    const incident = new Incident(`S${String(i + 1).padStart(4, "0")}`, scenario.name, scenario.expected);
    this.incidents.push(incident);
    yield this.world.now + after;
    yield* scenario.play(this.world, incident, this.world.chanceOf(`incident ${incident.id}`));
  }

  /** All records in the order in which the programs would write them; the same for the same options. */
  *run(): Generator<readonly Emitted[]> {
    for (const records of this.world.run(together)) {
      for (const { stream } of records) this.#records.set(stream, (this.#records.get(stream) ?? 0) + 1);
      yield records;
    }
  }

  /** Jobs that ended since this was last asked. */
  takeJobs(): JobTruth[] {
    return this.world.jobTruths.splice(0);
  }

  /** After the run: jobs that had not ended. */
  unfinishedJobs(): JobTruth[] {
    return [...this.world.running.values()].map((told) => told());
  }

  /** After the run: the lines of truth.ndjson, the head first. */
  truth(): [SimulationTruth, ...IncidentTruth[]] {
    const { seed, nodes, start, end, activity } = this.world.options;
    return [
      {
        kind: "simulation",
        simulated: true,
        seed,
        nodes,
        start: new Date(start / 1_000).toISOString(),
        end: new Date(end / 1_000).toISOString(),
        activity,
        records: Object.fromEntries(this.#records),
        jobs: this.world.jobs,
      },
      ...this.incidents.filter((one) => one.begun).map((one) => one.told()),
    ];
  }
}
