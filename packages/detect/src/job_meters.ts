/** What exporters measure of a job or its node, by whatever names they have for it, summed up per minute. Knows no detector and no limit. */
import { jobOfGroup } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { textField } from "./episode.ts";
import { nodeName } from "./node_jobs.ts";

/** `cpu` in cores, sizes in bytes, rates in bytes a second, shares of one, `power` in watts. */
export type Meter = "cpu" | "cores" | "rss" | "asked" | "io" | "busy" | "tensor" | "fp64" | "fb" | "power" | "pcie" | "fabric" | "lustre";

interface Known {
  readonly meter: Meter;
  /** To the meter's unit. */
  readonly scale: number;
  /** A counter's rate is what counts. */
  readonly counter?: true;
}
const gauge = (meter: Meter, scale = 1): Known => ({ meter, scale });
const counter = (meter: Meter, scale = 1): Known => ({ meter, scale, counter: true });
const MiB = 1_048_576;

/**
 * Series by name: slurm-job-exporter, treydock's cgroup_exporter, CEEMS, cAdvisor, NVIDIA's dcgm-exporter, node_exporter and lustre_exporter,
 * Netdata. Of a node's processors nothing is taken: hundreds of series tell less than its jobs' own.
 */
const meters: ReadonlyMap<string, Known> = new Map<string, Known>([
  ["slurm_job_core_usage_total", counter("cpu", 1e-9)],
  ["cgroup_cpu_user_seconds", counter("cpu")],
  ["ceems_compute_unit_cpu_user_seconds_total", counter("cpu")],
  ["container_cpu_user_seconds_total", counter("cpu")],
  ["slurm_job_cores", gauge("cores")],
  ["cgroup_cpus", gauge("cores")],
  ["ceems_compute_unit_cpus", gauge("cores")],
  ["slurm_job_memory_rss", gauge("rss")],
  ["cgroup_memory_rss_bytes", gauge("rss")],
  ["ceems_compute_unit_memory_rss_bytes", gauge("rss")],
  ["container_memory_rss", gauge("rss")],
  ["slurm_job_memory_limit", gauge("asked")],
  ["cgroup_memory_total_bytes", gauge("asked")],
  ["ceems_compute_unit_memory_total_bytes", gauge("asked")],
  ["container_spec_memory_limit_bytes", gauge("asked")],
  ["slurm_job_io_bytes_per_second", gauge("io")],
  ["slurm_job_process_read_bytes_total", counter("io")],
  ["slurm_job_process_write_bytes_total", counter("io")],
  ["ceems_compute_unit_blkio_read_total_bytes", counter("io")],
  ["ceems_compute_unit_blkio_write_total_bytes", counter("io")],
  ["container_fs_reads_bytes_total", counter("io")],
  ["container_fs_writes_bytes_total", counter("io")],
  ["slurm_job_utilization_gpu", gauge("busy", 0.01)],
  ["DCGM_FI_DEV_GPU_UTIL", gauge("busy", 0.01)],
  ["netdata.nvidia_smi.gpu_utilization", gauge("busy", 0.01)],
  ["DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", gauge("tensor")],
  ["DCGM_FI_PROF_PIPE_FP64_ACTIVE", gauge("fp64")],
  ["slurm_job_fp64_gpu", gauge("fp64", 0.01)],
  ["DCGM_FI_DEV_FB_USED", gauge("fb", MiB)],
  ["slurm_job_memory_usage_gpu", gauge("fb")],
  ["DCGM_FI_DEV_POWER_USAGE", gauge("power")],
  ["slurm_job_power_gpu", gauge("power", 0.001)],
  ["DCGM_FI_PROF_PCIE_RX_BYTES", gauge("pcie")],
  ["DCGM_FI_PROF_PCIE_TX_BYTES", gauge("pcie")],
  ["slurm_job_pcie_gpu", gauge("pcie")],
  ["node_infiniband_port_data_received_bytes_total", counter("fabric")],
  ["node_infiniband_port_data_transmitted_bytes_total", counter("fabric")],
  ["netdata.infiniband.bytes", gauge("fabric", 125)],
  ["lustre_read_bytes_total", counter("lustre")],
  ["lustre_write_bytes_total", counter("lustre")],
]);

/** Labels that name the job, and those that hold its control group; `job` is Prometheus's word for something else. */
const jobLabels = ["labels.slurmjobid", "labels.jobid", "labels.hpc_job", "labels.slurm_job_id", "labels.job_id", "labels.SLURM_JOB_ID"];
const groupLabels = ["labels.cgroup", "labels.id"];
const nodeLabels = ["labels.Hostname", "labels.hostname"];
/** What tells the series of one meter and job apart. */
const partLabels = ["labels.gpu", "labels.device", "labels.core", "labels.port", "labels.target", "labels.dimension", "labels.UUID"];

/** Whether and of which node it measures something that counts here. */
export function nodeOfSample(fields: Fields): string | undefined {
  if (!meters.has(fields["metric.name"] as string) || typeof fields["metric.value"] !== "number") return undefined;
  // an exporter of GPUs names the host it sits on, and the instance may be its pod
  return nodeName(nodeLabels.map((label) => textField(fields, label)).find((one) => one !== undefined) ?? textField(fields, "host.name"));
}

/** A series within a minute: of gauges what they come to, of counters the first and the last point. */
export type Reading =
  | { readonly n: number; readonly sum: number; readonly min: number; readonly max: number }
  | { readonly first: Point; readonly last: Point };
type Point = readonly [time: Micros, value: number];
/** By job (empty for the node), meter and part. */
export type Readings = { readonly [series: string]: Reading };

/** Series of one node in a minute: some thirty jobs' or eight GPUs'. Beyond, the first by name stay. */
const maxSeries = 384;
const digits = (value: number): number => Number(value.toPrecision(12));

export function readingOf(fields: Fields, time: Micros): Readings {
  const known = meters.get(fields["metric.name"] as string);
  if (known === undefined) return {};
  const value = digits((fields["metric.value"] as number) * known.scale);
  const job = jobOfSample(fields) ?? "";
  const part = partLabels.map((label) => textField(fields, label)?.slice(0, 32) ?? "").join(" ");
  const series = `${job.slice(0, 24)}\t${known.meter}\t${known.counter ? "+" : ""}${fields["metric.name"] as string} ${part}`;
  return { [series]: known.counter ? { first: [time, value], last: [time, value] } : { n: 1, sum: value, min: value, max: value } };
}

function jobOfSample(fields: Fields): string | undefined {
  for (const label of jobLabels) {
    const text = textField(fields, label);
    if (text !== undefined) return /^\d{1,10}/.exec(text)?.[0];
  }
  for (const label of groupLabels) {
    const text = textField(fields, label);
    const found = text === undefined ? undefined : jobOfGroup(text);
    if (found !== undefined) return found.job;
  }
  return undefined;
}

/** Commutative and associative. */
export function mergeReadings(into: Readings, more: Readings): Readings {
  const all: { [series: string]: Reading } = { ...into };
  for (const series in more) {
    const known = all[series];
    all[series] = known === undefined ? more[series]! : joined(known, more[series]!);
  }
  const names = Object.keys(all);
  if (names.length <= maxSeries) return all;
  return Object.fromEntries(
    names
      .sort()
      .slice(0, maxSeries)
      .map((name) => [name, all[name]!]),
  );
}

function joined(a: Reading, b: Reading): Reading {
  if ("first" in a)
    return "first" in b ? { first: earlier(a.first, b.first) ? a.first : b.first, last: earlier(a.last, b.last) ? b.last : a.last } : a;
  if ("first" in b) return b;
  // sums in another order differ in the last digits: they must not decide
  return { n: a.n + b.n, sum: digits(a.sum + b.sum), min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) };
}
const earlier = (a: Point, b: Point): boolean => a[0] < b[0] || (a[0] === b[0] && a[1] <= b[1]);

/** What a minute came to, per job (empty for the node) and meter: rates and sizes summed over the parts; shares and powers averaged. */
export type Minute = ReadonlyMap<string, ReadonlyMap<Meter, number>>;
/** The newest point of each counter. */
export type Counters = { readonly [series: string]: Point };

const averaged: ReadonlySet<Meter> = new Set(["busy", "tensor", "fp64", "power", "cores", "asked"]);

export function minuteOf(readings: Readings, before: Counters): { readonly minute: Minute; readonly counters: Counters } {
  const sums = new Map<string, Map<Meter, { sum: number; n: number }>>();
  const counters: { [series: string]: Point } = {};
  for (const series of Object.keys(readings).sort()) {
    const reading = readings[series]!;
    const [job, meter] = series.split("\t") as [string, Meter];
    let value: number | undefined;
    if ("first" in reading) {
      const [from, to] = [before[series] ?? reading.first, reading.last];
      counters[series] = to;
      // lower than before: it began again at zero
      if (to[0] > from[0]) value = Math.max(0, to[1] >= from[1] ? to[1] - from[1] : to[1]) / ((to[0] - from[0]) / 1e6);
    } else value = reading.sum / reading.n;
    if (value === undefined || !Number.isFinite(value)) continue;
    const ofJob = sums.get(job) ?? new Map<Meter, { sum: number; n: number }>();
    sums.set(job, ofJob);
    const known = ofJob.get(meter);
    ofJob.set(meter, { sum: (known?.sum ?? 0) + value, n: (known?.n ?? 0) + 1 });
  }
  const minute = new Map<string, ReadonlyMap<Meter, number>>();
  for (const [job, ofJob] of sums)
    minute.set(
      job,
      new Map([...ofJob].map(([meter, { sum, n }]) => [meter, Number((averaged.has(meter) ? sum / n : sum).toPrecision(5))] as const)),
    );
  return { minute, counters };
}
