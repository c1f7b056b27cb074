/** The exporters of a node: node_exporter, a cgroup exporter of jobs, DCGM; sampled at the site's interval and sent on in fives. Knows no work. */
import type { Host } from "../host.ts";
import type { Load, Resident } from "../load.ts";
import { type Series, writeRequest } from "../records/metrics.ts";
import { second } from "../stamps.ts";
import type { Actor, World } from "../world.ts";

/** Moments in a request, as remote write collects them. */
const together = 5;

const gb = 1_073_741_824;

/** Counters of the node since boot. */
interface Counters {
  user: number;
  system: number;
  idle: number;
  read: number;
  written: number;
  received: number;
  sent: number;
  ibReceived: number;
  ibSent: number;
  lustreRead: number;
  lustreWritten: number;
}

export function* meters(world: World, host: Host): Actor {
  const { interval } = world.options;
  const step = interval / second;
  const up = (world.now - host.booted) / second;
  const c: Counters = {
    user: up * host.cores * 0.6,
    system: up * host.cores * 0.01,
    idle: up * host.cores * 0.39,
    read: up * 1e5,
    written: up * 1e5,
    received: up * 1e6,
    sent: up * 1e6,
    ibReceived: up * 1e8,
    ibSent: up * 1e8,
    lustreRead: up * 1e7,
    lustreWritten: up * 5e6,
  };
  const shared = { instance: host.name, job: "node", cluster: world.site.cluster };
  yield world.now + Math.round(host.chance.next() * interval);
  for (;;) {
    const times: number[] = [];
    const all: Kept[] = [];
    const kept = new Map<Labels, Map<string, Kept>>();
    for (let i = 0; i < together; i++) {
      if (i > 0) yield world.now + interval;
      times.push(world.now);
      sample(world, host, c, step, (name, labels, value) => {
        const named = kept.get(labels) ?? new Map<string, Kept>();
        const series = named.get(name) ?? { name, labels, values: [], from: i };
        if (series.values.push(value) > 1) return;
        kept.set(labels, named.set(name, series));
        all.push(series);
      });
    }
    // a job that began or ended in between has fewer samples than the node
    const groups = new Map<string, Series[]>();
    for (const series of all) {
      const at = `${series.from} ${series.values.length}`;
      const group = groups.get(at);
      if (group === undefined) groups.set(at, [series]);
      else group.push(series);
    }
    for (const [at, series] of groups) {
      const [from, count] = at.split(" ").map(Number) as [number, number];
      world.emit("metrics", writeRequest(shared, times.slice(from, from + count), series));
    }
    yield world.now + interval;
  }
}

type Labels = Series["labels"];
interface Kept extends Series {
  readonly values: number[];
  /** The first of the request's moments that it was there. */
  readonly from: number;
}
/** @param labels one object for the same labels, so that a series is found by it and its text is made once */
type Put = (name: string, labels: Labels, value: number) => void;
const none: Labels = {};
const [user, system, idle] = ["user", "system", "idle"].map((mode): Labels => ({ mode })) as [Labels, Labels, Labels];
const disk: Labels = { device: "nvme0n1" };
const ethernet: Labels = { device: "eth0" };
const infiniband: Labels = { device: "mlx5_0", port: "1" };
const lustre: Labels = { component: "client", target: "lustre" };

/** A job's labels on a node, and those of its GPUs there. */
const labels = new WeakMap<Resident, { readonly job: Labels; readonly gpus: readonly Labels[] }>();
function labelsOf(host: Host, resident: Resident): { readonly job: Labels; readonly gpus: readonly Labels[] } {
  let known = labels.get(resident);
  if (known === undefined) {
    const { user, account, job } = resident;
    const gpu = (index: number) => ({
      gpu: String(index),
      modelName: "NVIDIA A100-SXM4-80GB",
      Hostname: host.name,
      hpc_job: String(job),
    });
    known = { job: { user, account, slurmjobid: String(job) }, gpus: resident.gpus.map(gpu) };
    labels.set(resident, known);
  }
  return known;
}

function sample(world: World, host: Host, c: Counters, step: number, put: Put): void {
  const { chance } = host;
  const loads = [...host.residents.values()].map((resident) => ({ resident, load: resident.load(world.now) }));
  let busy = host.cores * 0.004 * (1 + chance.next());
  let rss = 6 + chance.next();
  for (const { resident, load } of loads) {
    busy += load.cpu * resident.cores;
    rss += load.rss_gb;
    c.read += load.read * step;
    c.written += load.write * step;
    c.ibReceived += load.infiniband * step;
    c.ibSent += load.infiniband * step;
    c.lustreRead += load.lustre * step;
    c.lustreWritten += Math.min(load.write, load.lustre) * step;
  }
  busy = Math.min(busy, host.cores);
  c.user += busy * step * 0.98;
  c.system += busy * step * 0.02;
  c.idle += (host.cores - busy) * step;
  c.received += (2e4 + 1e4 * chance.next()) * step;
  c.sent += (2e4 + 1e4 * chance.next()) * step;
  putNode(host, c, busy, rss, put);
  for (const { resident, load } of loads) {
    resident.used_ns += load.cpu * resident.cores * step * 1e9;
    const { job: labels, gpus } = labelsOf(host, resident);
    put("slurm_job_core_usage_total", labels, resident.used_ns);
    put("slurm_job_cores", labels, resident.cores);
    put("slurm_job_memory_usage", labels, load.rss_gb * gb * 1.1);
    put("slurm_job_memory_rss", labels, load.rss_gb * gb);
    put("slurm_job_memory_limit", labels, resident.memory_gb * gb);
    put("slurm_job_process_count", labels, resident.processes);
    // how many bytes per second the job's cgroup reads and writes, from io.stat
    put("slurm_job_io_bytes_per_second", labels, load.read + load.write);
    putGpus(gpus, load, put);
  }
}

function putNode(host: Host, c: Counters, busy: number, rss: number, put: Put): void {
  put("node_cpu_seconds_total", user, c.user);
  put("node_cpu_seconds_total", system, c.system);
  put("node_cpu_seconds_total", idle, c.idle);
  put("node_load1", none, busy);
  put("node_memory_MemTotal_bytes", none, host.memory_gb * gb);
  put("node_memory_MemAvailable_bytes", none, Math.max(1, host.memory_gb - rss) * gb);
  put("node_disk_read_bytes_total", disk, c.read);
  put("node_disk_written_bytes_total", disk, c.written);
  put("node_network_receive_bytes_total", ethernet, c.received);
  put("node_network_transmit_bytes_total", ethernet, c.sent);
  put("node_infiniband_port_data_received_bytes_total", infiniband, c.ibReceived);
  put("node_infiniband_port_data_transmitted_bytes_total", infiniband, c.ibSent);
  put("lustre_read_bytes_total", lustre, c.lustreRead);
  put("lustre_write_bytes_total", lustre, c.lustreWritten);
}

function putGpus(gpus: readonly Labels[], { gpu }: Load, put: Put): void {
  for (const labels of gpus) {
    put("DCGM_FI_DEV_GPU_UTIL", labels, Math.round((gpu?.busy ?? 0) * 100));
    put("DCGM_FI_DEV_MEM_COPY_UTIL", labels, Math.round((gpu?.copy ?? 0) * 100));
    put("DCGM_FI_DEV_FB_USED", labels, Math.round((gpu?.fb_gb ?? 0.4) * 1_024));
    put("DCGM_FI_DEV_POWER_USAGE", labels, gpu?.power_w ?? 58);
    put("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", labels, gpu?.tensor ?? 0);
    put("DCGM_FI_PROF_PIPE_FP64_ACTIVE", labels, gpu?.fp64 ?? 0);
    put("DCGM_FI_PROF_PCIE_RX_BYTES", labels, gpu?.pcie ?? 0);
  }
}
