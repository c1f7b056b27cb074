/** What Slurm tells of jobs: jobcomp documents, sacct lines, squeue's JSON. Knows no job's work. */
import type { Micros } from "@vedette/model";
import { secondText } from "../stamps.ts";

/** A job as the controller knows it. */
export interface JobAccount {
  readonly id: number;
  readonly array?: { readonly id: number; readonly task: number };
  readonly name: string;
  readonly user: string;
  readonly uid: number;
  readonly group: string;
  readonly gid: number;
  readonly account: string;
  readonly partition: string;
  readonly cluster: string;
  readonly folder: string;
  readonly script: string;
  readonly nodes: readonly string[];
  readonly cores: number;
  readonly memory_gb: number;
  readonly gpus: number;
  readonly limit: Micros;
  readonly submitted: Micros;
  readonly started: Micros;
}
export interface Ended {
  readonly time: Micros;
  readonly state: "COMPLETED" | "FAILED" | "CANCELLED" | "TIMEOUT" | "OUT_OF_MEMORY" | "NODE_FAIL";
  readonly exit: number;
  readonly signal: number;
}

const tres = (job: JobAccount): string =>
  `billing=${job.cores},cpu=${job.cores},${job.gpus > 0 ? `gres/gpu=${job.gpus},` : ""}mem=${job.memory_gb}G,node=${job.nodes.length}`;

/** Slurm's short form of a list of names that end in numbers of one width: `cn[0001-0004,0009]`. */
export function hostList(names: readonly string[]): string {
  if (names.length === 1) return names[0]!;
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const [, stem, digits] = /^(.*?)(\d+)$/.exec(name)!;
    const list = groups.get(stem!) ?? [];
    list.push(digits!);
    groups.set(stem!, list);
  }
  return [...groups].map(([stem, digits]) => `${stem}[${ranges(digits.sort())}]`).join(",");
}

function ranges(digits: readonly string[]): string {
  const out: string[] = [];
  for (let from = 0; from < digits.length; ) {
    let to = from;
    while (to + 1 < digits.length && Number(digits[to + 1]) === Number(digits[to]) + 1) to++;
    out.push(from === to ? digits[from]! : `${digits[from]}-${digits[to]}`);
    from = to + 1;
  }
  return out.join(",");
}

/** A document of jobcomp/elasticsearch or jobcomp/kafka. */
export const jobcompLine = (job: JobAccount, end: Ended): string =>
  JSON.stringify({
    jobid: job.id,
    username: job.user,
    user_id: job.uid,
    groupname: job.group,
    group_id: job.gid,
    "@start": secondText(job.started),
    "@end": secondText(end.time),
    elapsed: Math.round((end.time - job.started) / 1e6),
    partition: job.partition,
    alloc_node: "login1",
    nodes: hostList(job.nodes),
    total_cpus: job.cores,
    total_nodes: job.nodes.length,
    derived_ec: "0:0",
    exit_code: end.exit * 256 + end.signal,
    state: end.state,
    cpu_hours: Number((((end.time - job.started) / 3.6e9) * job.cores).toFixed(4)),
    "@submit": secondText(job.submitted),
    "@eligible": secondText(job.submitted),
    cluster: job.cluster,
    qos: "normal",
    ntasks: job.nodes.length,
    tres_req: tres(job),
    tres_alloc: tres(job),
    script: job.script,
    work_dir: job.folder,
    time_limit: Math.round(job.limit / 6e7),
    job_name: job.name,
    account: job.account,
    ...(job.array === undefined ? {} : { array_job_id: job.array.id, array_task_id: job.array.task }),
  });

const span = (micros: Micros): string => {
  const s = Math.max(0, Math.round(micros / 1e6));
  const two = (n: number) => String(n).padStart(2, "0");
  const days = Math.floor(s / 86_400);
  return `${days > 0 ? `${days}-` : ""}${two(Math.floor((s % 86_400) / 3_600))}:${two(Math.floor((s % 3_600) / 60))}:${two(s % 60)}`;
};

/** A line of `sacct --allocations --parsable2` with the columns that the slurm_job format reads by default. */
export const sacctLine = (job: JobAccount, end: Ended): string =>
  [
    job.array === undefined ? job.id : `${job.array.id}_${job.array.task}`,
    job.id,
    job.cluster,
    job.partition,
    "normal",
    job.account,
    job.group,
    job.gid,
    job.user,
    job.uid,
    secondText(job.submitted),
    secondText(job.submitted),
    secondText(job.started),
    secondText(end.time),
    span(end.time - job.started),
    `${end.exit}:${end.signal}`,
    end.state === "CANCELLED" ? `CANCELLED by ${job.uid}` : end.state,
    job.nodes.length,
    job.cores,
    job.cores,
    `${job.memory_gb * 1024}M`,
    tres(job),
    tres(job),
    span(job.limit),
    hostList(job.nodes),
    job.name,
  ].join("|");

const set = (number: number) => ({ set: true, infinite: false, number });
const seconds = (time: Micros) => set(Math.floor(time / 1e6));

/** What `squeue --json` says of jobs that run. */
export const squeueLine = (jobs: readonly JobAccount[]): string =>
  JSON.stringify({
    meta: {
      plugins: { data_parser: "data_parser/v0.0.40" },
      Slurm: { version: { major: "23", micro: "7", minor: "11" }, release: "23.11.7" },
    },
    jobs: jobs.map((job) => ({
      account: job.account,
      ...(job.array === undefined ? {} : { array_job_id: set(job.array.id), array_task_id: set(job.array.task) }),
      cluster: job.cluster,
      command: `${job.folder}/${job.name}.sh`,
      cpus: set(job.cores),
      current_working_directory: job.folder,
      end_time: seconds(job.started + job.limit),
      group_id: job.gid,
      group_name: job.group,
      job_id: job.id,
      job_state: ["RUNNING"],
      name: job.name,
      node_count: set(job.nodes.length),
      nodes: hostList(job.nodes),
      partition: job.partition,
      start_time: seconds(job.started),
      submit_time: seconds(job.submitted),
      tres_alloc_str: tres(job),
      user_id: job.uid,
      user_name: job.user,
    })),
    warnings: [],
    errors: [],
  });
