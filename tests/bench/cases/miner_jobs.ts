/**
 * silent_miner over many simulated jobs, as meters and calls tell of each on nodes of its own: the confusion table of the ten kinds of miners and all
 * kinds of honest work. The tenth's node speaks with nobody outside: the rules about forwarders judge what its user started on a log-in node, and what
 * owners of honest jobs start there. No other record is written or decoded: `bench miners` has the whole way. `--jobs N` (10,000) `--each N` (20 of each kind of miner) `--seed N` `--hours N` (longest that a job is played, 3).
 */
import { inputOf, prepareDetectors } from "@vedette/detect";
import { newFields } from "@vedette/kit";
import type { Event, Fields, Micros } from "@vedette/model";
import { type JobCourse, jobCourses } from "@vedette/simulate";
import { costOf, option, print, say } from "../harness.ts";
import { RuleJudge } from "../simulated.ts";

const second = 1_000_000;
const hour = 3_600 * second;
const gb = 1_073_741_824;
/** Seconds from sample to sample: the score asks for six within half an hour, of short tasks within ten minutes. */
const intervalOf = (seconds: number): number => (seconds < 1_800 ? 60 : 300);
const goal = 0.95;
/** What people start on log-in nodes that listens or forwards, and brings nobody outside. Each owner of a job starts one of them. */
const honestForwarders = [
  "/usr/bin/ssh -N -L 8888:cn017:8888 localhost",
  "/usr/bin/socat TCP-LISTEN:5432,fork,reuseaddr TCP:10.30.0.12:5432",
  "/usr/bin/socat UNIX-LISTEN:/run/user/1000/x.sock,fork TCP:10.30.0.12:5901",
  "/opt/code-server/lib/node /opt/code-server --bind-addr 127.0.0.1:8443",
  "/opt/conda/bin/python -m jupyterlab --no-browser --port 8888",
  "/usr/bin/kubectl port-forward svc/grafana 3000:80",
  "/usr/bin/nc -l 9000",
  "/usr/bin/ssh -D 1080 gateway.cluster.example",
];

export async function bench(): Promise<void> {
  const [jobs, each, seed, hours] = [option("jobs") ?? 10_000, option("each") ?? 20, option("seed") ?? 1, option("hours") ?? 3];
  const judge = await Judge.of();
  const forwarders = await RuleJudge.of((text) => text.includes("attack.t1090"));
  const counts = new Map<string, { readonly course: JobCourse; played: number; found: number; first: number[] }>();
  const wrong: string[] = [];
  const cost = await costOf(() => {
    const start = Date.UTC(2026, 2, 2) * 1_000;
    for (const course of jobCourses({ seed, jobs, each, start, longest: hours * hour })) {
      const known = counts.get(course.profile) ?? { course, played: 0, found: 0, first: [] };
      counts.set(course.profile, known);
      known.played++;
      const own = honestForwarders[course.job % honestForwarders.length]!;
      const command = course.forwarder === undefined ? own : `${course.forwarder.binary} ${course.forwarder.args}`;
      const [started] = forwarders.take("tetragon/login1", [execLine(command, course)]);
      const found = judge.of(course) ?? (started && { after_s: 0, summary: `${started.rule.title}: ${command}` });
      if (found === undefined) continue;
      known.found++;
      known.first.push(found.after_s / 60);
      if (!course.miner) wrong.push(`${course.profile}: ${found.summary}`);
    }
  });
  for (const [profile, { course, played, found, first }] of [...counts].sort()) {
    const kind = course.miner ? "miner" : course.lookalike ? "look-alike" : "ordinary";
    const after = first.length > 0 ? `, after ${Math.round(first.sort((a, b) => a - b)[first.length >> 1]!)} min in the middle` : "";
    say(`${kind}: ${profile}: ${found} of ${played} found${after}`);
  }
  for (const one of wrong.slice(0, 8)) say(`false: ${one}`);
  const sum = (miner: boolean, of: "played" | "found") =>
    [...counts.values()].reduce((n, one) => n + (one.course.miner === miner ? one[of] : 0), 0);
  const recall = sum(true, "found") / sum(true, "played");
  print({
    name: "miner jobs (simulated)",
    value: recall,
    unit: "recall of silent_miner and the rule about forwarders",
    baseline: goal,
    details: {
      seed,
      miners: sum(true, "played"),
      jobs: sum(false, "played"),
      hours,
      false_alarms: wrong.length,
      false_per_10000_jobs: (wrong.length / sum(false, "played")) * 1e4,
      cpu_s: cost.cpu_s,
    },
  });
}

/** As Tetragon tells of a program that the owner of a job starts on a log-in node, a moment before. */
function execLine(command: string, { job, start, plan: { user } }: JobCourse): string {
  const [binary, ...args] = command.split(" ");
  const time = new Date(start / 1_000 - 60_000).toISOString();
  const process = {
    exec_id: `p${job}`,
    pid: 4_242,
    uid: user.uid,
    auid: user.uid,
    cwd: `/home/${user.name}`,
    binary,
    arguments: args.join(" "),
    start_time: time,
  };
  const parent = { exec_id: "s", pid: 4_200, uid: user.uid, binary: "/usr/bin/bash" };
  return JSON.stringify({ process_exec: { process, parent }, node_name: "login1", time });
}

/** The detector alone, over one job after the other. */
class Judge {
  readonly #stage: Awaited<ReturnType<typeof prepareDetectors>>;
  #seq = 0;

  private constructor(stage: Awaited<ReturnType<typeof prepareDetectors>>) {
    this.#stage = stage;
  }
  static async of(): Promise<Judge> {
    const { detectors } = await prepareDetectors({});
    const off = [...detectors.keys()].filter((name) => name !== "silent_miner").map((name) => [name.split("/")[0], false]);
    return new Judge(await prepareDetectors(Object.fromEntries(off)));
  }

  /** The first claim about the job. */
  of(course: JobCourse): { readonly after_s: number; readonly summary: string } | undefined {
    const { spec, config } = this.#stage.detectors.get("silent_miner")!;
    const told = Array.from({ length: course.tasks }, (_, task) => eventsOf(course, task))
      .flat()
      .sort((a, b) => a.counts - b.counts);
    const states = new Map<string, unknown>();
    for (let i = 0; i < told.length; ) {
      const minute = Math.floor(told[i]!.counts / 60);
      for (; i < told.length && Math.floor(told[i]!.counts / 60) === minute; i++) this.#observe(course, told[i]!);
      for (const o of this.#stage.flush().observations) {
        const { state, claims = [] } = spec.fold(inputOf(o), states.get(o.key), config);
        states.set(o.key, state);
        if (claims[0] !== undefined) return { after_s: minute * 60, summary: claims[0].summary };
      }
    }
    return undefined;
  }

  #observe({ start }: JobCourse, { at, counts, fields }: Told): void {
    const time: Micros = start + Math.round(at * second);
    const received = start + Math.round(counts * second);
    const event: Event = {
      id: `e${this.#seq}`,
      tenant: "main",
      source: "s",
      time,
      received,
      seq: this.#seq++,
      class: "network",
      host: "h",
      fields: Object.assign(newFields(), fields),
      original: "",
    };
    this.#stage.observe(event, Number.NEGATIVE_INFINITY, false);
  }
}

/** Seconds after the start: when it was, and when one hears of it. */
interface Told {
  readonly at: number;
  readonly counts: number;
  readonly fields: Fields;
}

function eventsOf({ job: array, tasks, plan, calls, load, seconds, start }: JobCourse, task: number): Told[] {
  const { user, request, program } = plan;
  const node = `cn${array}`;
  const job = array * 1_000 + task;
  const begun = task * (seconds + 20);
  const nodes = Array.from({ length: request.nodes }, (_, i) => (i === 0 ? node : `${node}x${i}`));
  const process = { "host.name": node, "hpc.job.id": String(job), "hpc.job.by": ["environment"], "user.id": String(user.uid) };
  const tetragon = { "event.module": "tetragon", "event.dataset": "tetragon", ...process, "process.executable": program.binary };
  const told: Told[] = [];
  const add = (at: number, fields: Fields, counts = at) => told.push({ at: begun + at, counts: begun + counts, fields });
  add(0, {
    "event.module": "slurm",
    "event.dataset": "slurm.job",
    "event.type": "start",
    "event.start": new Date(start / 1_000 + begun * 1_000).toISOString(),
    ...(tasks > 1 && { "slurm.job.array.id": String(array * 1_000) }),
    "slurm.job.id": String(job),
    "slurm.job.nodes": nodes,
    "slurm.job.node_count": nodes.length,
    "slurm.job.account": user.project.account,
    "user.name": user.name,
    "user.id": String(user.uid),
  });
  const line = `${program.binary} ${program.args}`;
  add(1, { ...tetragon, "tetragon.type": "process_exec", "event.category": ["process"], "process.command_line": line });
  for (const { at, lasts, address, port, sent, received } of calls) {
    const to = { "destination.ip": address, "destination.port": port, "network.transport": "tcp" };
    add(at, { ...tetragon, ...to, "event.category": ["network"], "event.type": ["connection", "start"] });
    const bytes = { "source.bytes": sent, "destination.bytes": received, "event.duration": Math.round(lasts * 1e9) };
    add(at, { "event.module": "zeek", "event.dataset": "zeek.conn", "hpc.node": node, ...to, ...bytes }, at + lasts);
  }
  let [used, fabric, lustre] = [0, 0, 0];
  const interval = intervalOf(seconds);
  for (let s = interval; s <= seconds; s += interval) {
    const now = load(s);
    used += now.cpu * request.cores * interval * 1e9;
    fabric += now.infiniband * interval;
    lustre += now.lustre * interval;
    const put = (name: string, value: number, counter: boolean, labels: Fields) =>
      add(s, {
        "event.dataset": "vedette.metric",
        "metric.kind": counter ? "counter" : "gauge",
        "metric.name": name,
        "metric.value": value,
        "host.name": node,
        ...labels,
      });
    const own = { "labels.slurmjobid": String(job) };
    put("slurm_job_core_usage_total", used, true, own);
    put("slurm_job_cores", request.cores, false, own);
    put("slurm_job_memory_rss", now.rss_gb * gb, false, own);
    put("slurm_job_memory_limit", request.memory_gb * gb, false, own);
    put("slurm_job_io_bytes_per_second", now.read + now.write, false, own);
    put("node_infiniband_port_data_received_bytes_total", fabric, true, {});
    put("lustre_read_bytes_total", lustre, true, {});
    for (let gpu = 0; now.gpu !== undefined && gpu < Math.min(1, request.gpus); gpu++) {
      const labels = { "labels.gpu": String(gpu), "labels.hpc_job": String(job) };
      put("DCGM_FI_DEV_GPU_UTIL", Math.round(now.gpu.busy * 100), false, labels);
      put("DCGM_FI_DEV_FB_USED", now.gpu.fb_gb * 1_024, false, labels);
      put("DCGM_FI_DEV_POWER_USAGE", now.gpu.power_w, false, labels);
      put("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", now.gpu.tensor, false, labels);
      put("DCGM_FI_PROF_PIPE_FP64_ACTIVE", now.gpu.fp64, false, labels);
      put("DCGM_FI_PROF_PCIE_RX_BYTES", now.gpu.pcie, false, labels);
    }
  }
  return told;
}
