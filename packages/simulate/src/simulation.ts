/** A whole simulation: the site, everybody who lives there, and the attacks staged among them. Knows no way of writing or sending. */
import { meters } from "./life/meters.ts";
import { squeue, submissions } from "./life/queue.ts";
import type { Incident, IncidentTruth, JobTruth, SimulationTruth } from "./truth.ts";
import { type Emitted, World, type WorldOptions } from "./world.ts";

/** Records handed on at once. */
const together = 4_096;

export class Simulation {
  readonly world: World;
  readonly incidents: Incident[] = [];
  readonly #records: { [stream: string]: number } = {};

  constructor(options: WorldOptions) {
    this.world = new World(options);
    const { site } = this.world;
    this.world.begin(submissions(this.world));
    this.world.begin(squeue(this.world));
    for (const host of [...site.compute, ...site.gpu, ...site.logins]) this.world.begin(meters(this.world, host));
  }

  /** All records in the order in which the programs would write them; the same for the same options. */
  *run(): Generator<readonly Emitted[]> {
    for (const records of this.world.run(together)) {
      for (const { stream } of records) this.#records[stream] = (this.#records[stream] ?? 0) + 1;
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
        records: this.#records,
        jobs: this.world.jobs,
      },
      ...this.incidents.filter((one) => one.begun).map((one) => one.told()),
    ];
  }
}
