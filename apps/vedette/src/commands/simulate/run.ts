/** `vedette simulate`: plays a cluster's days with attacks among them, into files or into a server. Knows no actor. */
import { BadInputError, jsonText, systemClock } from "@vedette/kit";
import { type Emitted, Folder, parseDuration, Simulation, scenarios, send, stage, type WorldOptions } from "@vedette/simulate";
import { connect } from "../../client.ts";
import { formOf, printRows } from "../../output.ts";
import { Progress } from "../../progress.ts";

interface Options {
  readonly seed: string;
  readonly nodes: string;
  readonly duration: string;
  readonly start: string;
  readonly activity: string;
  readonly scenario?: readonly string[];
  readonly zeek: "json" | "tsv";
  readonly accounting: "jobcomp" | "sacct";
  readonly interval: string;
  readonly only?: string;
  readonly out?: string;
  readonly to?: string;
  readonly dataDir?: string;
  readonly rate?: string;
  readonly speed?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

const kinds = ["zeek", "tetragon", "auth", "slurm", "metrics"] as const;

export async function simulate(options: Options): Promise<void> {
  if (options.list) return listScenarios(options);
  if (options.out === undefined)
    throw new BadInputError("bad_request", "--out DIR: expected a new folder for the records (with --to: for the truth)");
  const world = worldOf(options);
  const only = kindsOf(options.only);
  const simulation = new Simulation(world, stage(options.scenario ?? ["all"], world.end - world.start));
  const folder = new Folder(options.out, world.zeek);
  const sending = options.to === undefined ? undefined : new Sending(options, world.start);
  const progress = new Progress(world.end - world.start);
  const { user, system } = process.cpuUsage();
  let records = 0;
  for (const batch of simulation.run()) {
    const wanted = only === undefined ? batch : batch.filter(({ stream }) => only.has(stream.split("/", 1)[0]!));
    if (sending === undefined) folder.write(wanted);
    else await sending.send(wanted);
    folder.addJobs(simulation.takeJobs());
    records += wanted.length;
    const at = simulation.world.now;
    progress.at(at - world.start, `simulated ${new Date(at / 1_000).toISOString().slice(0, 16)}  ${records} records`);
  }
  folder.addJobs([...simulation.takeJobs(), ...simulation.unfinishedJobs()]);
  const truth = simulation.truth();
  folder.close(truth);
  progress.clear();
  const used = process.cpuUsage();
  const cpu_s = (used.user - user + used.system - system) / 1e6;
  const [head, ...incidents] = truth;
  const summary = {
    ...head,
    incidents: incidents.length,
    written: records,
    files: folder.files,
    bytes: folder.bytes,
    cpu_s,
    records_per_cpu_s: Math.round(records / cpu_s),
  };
  if (options.json) process.stdout.write(`${jsonText(summary, 2)}\n`);
  else
    process.stderr.write(
      `Simulated ${world.nodes} nodes from ${head.start} to ${head.end}, seed ${world.seed}: ${records} records${sending === undefined ? ` in ${folder.files} files` : ` sent to ${options.to}`}, ` +
        `${head.jobs} jobs, ${incidents.length} attacks. The truth is in ${options.out}/truth.ndjson and truth_jobs.ndjson.\n`,
    );
}

function listScenarios(options: Options): void {
  const rows = scenarios.map(({ name, summary, expected }) => ({
    name,
    summary,
    attack: expected.attack.join(" "),
    "alert about": expected.entity,
  }));
  printRows(rows, ["name", "summary", "attack", "alert about"], formOf(options));
}

/** Largest simulation: a site of the requirements' size, and room. */
const maxNodes = 20_000;

function worldOf(o: Options): WorldOptions {
  const whole = (name: "seed" | "nodes" | "interval", low: number, high: number): number => {
    const value = Number(o[name]);
    if (Number.isInteger(value) && value >= low && value <= high) return value;
    throw new BadInputError("bad_request", `--${name} ${o[name]}: expected a whole number from ${low} to ${high}`);
  };
  const duration = parseDuration(o.duration);
  if (duration === undefined || duration === 0)
    throw new BadInputError("bad_request", `--duration ${o.duration}: expected a time such as 6h, 1d or 7d12h`);
  const activity = Number(o.activity);
  if (!(activity > 0 && activity <= 10))
    throw new BadInputError("bad_request", `--activity ${o.activity}: expected a share above 0, at most 10; 1 is a real site's`);
  const start = startOf(o.start);
  return {
    seed: whole("seed", 0, 4_294_967_295),
    nodes: whole("nodes", 10, maxNodes),
    start,
    end: start + duration,
    activity,
    zeek: o.zeek,
    accounting: o.accounting,
    interval: whole("interval", 1, 3_600) * 1_000_000,
  };
}

function startOf(text: string): number {
  const now = Math.floor(Date.now() / 1_000) * 1_000_000;
  if (text === "now") return now;
  const back = text.startsWith("-") ? parseDuration(text.slice(1)) : undefined;
  if (back !== undefined) return now - back;
  const time = Date.parse(text);
  if (Number.isNaN(time))
    throw new BadInputError("bad_request", `--start ${text}: expected a time in RFC 3339, now, or how long ago, e.g. -1d`);
  return time * 1_000;
}

function kindsOf(text: string | undefined): ReadonlySet<string> | undefined {
  if (text === undefined) return undefined;
  const asked = text.split(",").map((one) => one.trim());
  for (const one of asked)
    if (!(kinds as readonly string[]).includes(one))
      throw new BadInputError("bad_request", `--only ${text}: expected some of ${kinds.join(",")}`);
  return new Set(asked);
}

const above = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (Number(text) > 0) return Number(text);
  throw new BadInputError("bad_request", `--${name} ${text}: expected a number above 0`);
};

/** Sends at a pace: so many records a second, or so many simulated seconds a second. */
class Sending {
  readonly #server: ReturnType<typeof connect>;
  readonly #rate: number | undefined;
  readonly #speed: number | undefined;
  readonly #start: number;
  readonly #begun = systemClock.now();
  #sent = 0;

  constructor({ to, dataDir, rate, speed }: Options, start: number) {
    this.#server = connect({ url: to!, ...(dataDir === undefined ? {} : { dataDir }) });
    this.#rate = above("rate", rate);
    this.#speed = above("speed", speed);
    this.#start = start;
  }

  async send(records: readonly Emitted[]): Promise<void> {
    const first = records[0];
    if (first === undefined) return;
    const due =
      this.#begun +
      Math.max(
        this.#rate === undefined ? 0 : (this.#sent / this.#rate) * 1e6,
        this.#speed === undefined ? 0 : (first.time - this.#start) / this.#speed,
      );
    const wait = (due - systemClock.now()) / 1_000;
    if (wait > 0) await systemClock.sleep(wait);
    await send(records, (path, body, headers) => this.#server.send(path, body, headers));
    this.#sent += records.length;
  }
}
