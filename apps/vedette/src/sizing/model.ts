/** How much a cluster of a given size sends, and what it takes to keep up with it: a model with every assumption written down. Knows no measurement but those named. */

/** One number of the model, with where it comes from. All of them are printed. */
export interface Assumption {
  readonly value: number;
  readonly unit: string;
  readonly from: string;
}
const model = "model of a cluster; measure yours";
const assume = <A extends { readonly [name: string]: readonly [number, string, string] }>(all: A) =>
  Object.fromEntries(Object.entries(all).map(([name, [value, unit, from]]) => [name, { value, unit, from }])) as {
    readonly [N in keyof A]: Assumption;
  };

export const assumptions = assume({
  execs_per_node: [1, "process starts a second and compute node", model],
  exits_per_node: [1, "process ends a second and compute node", model],
  connects_per_node: [0.2, "connections a second and compute node", model],
  syslog_per_node: [0.1, "log lines a second and node", model],
  login_share: [0.01, "login nodes per compute node, at least two", model],
  events_per_login_node: [100, "events a second and login node", model],
  mean_load: [0.25, "of the link's rate, on average", model],
  outside_shunts: [0.1, "of the bytes outside of elephant flows that are shunted", model],
  bytes_per_flow: [50_000, "bytes of a flow that is not shunted", model],
  rows_per_flow: [2.2, "rows of Zeek's logs per flow", model],
  series_per_node: [40, "series kept per node", model],
  sample_seconds: [10, "seconds between samples", model],
  host_bytes: [722, "bytes of a Tetragon event as sent", "measured, synthetic events"],
  host_stored: [133, "bytes of a Tetragon event compressed", "measured, zstd level 3"],
  zeek_bytes: [425, "bytes of a row of Zeek as sent", "measured, synthetic rows"],
  zeek_stored: [90, "bytes of a row of Zeek compressed", "measured, zstd level 3; 68 in docs/benchmarks.md on real rows"],
  events_per_cpu_second: [17_020, "events a CPU second, everything included", "docs/benchmarks.md, `ingest`, 153 rules and 15 detectors"],
  target_load: [0.7, "of what the processors can do, at most", "room for queries and for catching up"],
  storage_thread_share: [0.17, "of an event's cost falls to the one storage thread", "docs/benchmarks.md, sampled per thread"],
  main_thread_share: [0.09, "of an event's cost falls to the main thread", "docs/benchmarks.md, sampled per thread"],
  program_gb: [0.65, "GB of memory of the program under load", "docs/benchmarks.md, peak of `ingest`"],
  cached_share: [0.05, "of a day's bytes in the page cache, for queries over the past hour", model],
  ranks_per_node: [128, "processes that an MPI start makes per node", model],
  start_seconds: [10, "seconds that a start over all nodes takes", model],
  burst_seconds: [60, "seconds of burst to be absorbed", model],
});

export interface Site {
  readonly nodes: number;
  /** Rate of the monitored link. */
  readonly gbps: number;
  /** For how long events are kept. */
  readonly days: number;
  /** What one core was measured to do here; else the assumption. */
  readonly eventsPerCpuSecond?: number;
}
export interface Sizing {
  readonly eventsPerSecond: { readonly host: number; readonly zeek: number; readonly total: number };
  readonly samplesPerSecond: number;
  /** Bits a second, uncompressed. */
  readonly networkMbps: number;
  readonly rawGbPerDay: number;
  readonly storedGbPerDay: number;
  readonly diskTb: number;
  /** Processor time used, in cores, and how many to have. */
  readonly coresUsed: number;
  readonly cores: number;
  readonly memoryGb: number;
  readonly burst: { readonly eventsPerSecond: number; readonly spoolGb: number; readonly drainSeconds: number };
  /** How many times this load each part bears, the first to give way first. */
  readonly limits: readonly { readonly what: string; readonly bears: number; readonly remedy: string }[];
}

const a = (name: keyof typeof assumptions): number => assumptions[name].value;
const day_s = 86_400;
const giga = 1e9;

export function sizingOf({ nodes, gbps, days, eventsPerCpuSecond = a("events_per_cpu_second") }: Site): Sizing {
  const logins = Math.max(2, nodes * a("login_share"));
  const host =
    nodes * (a("execs_per_node") + a("exits_per_node") + a("connects_per_node")) +
    (nodes + logins) * a("syslog_per_node") +
    logins * a("events_per_login_node");
  const zeek = (((gbps * giga) / 8) * a("mean_load") * a("outside_shunts") * a("rows_per_flow")) / a("bytes_per_flow");
  const total = host + zeek;
  const raw = host * a("host_bytes") + zeek * a("zeek_bytes");
  const stored = (host * a("host_stored") + zeek * a("zeek_stored")) * day_s;
  const coresUsed = total / eventsPerCpuSecond;
  const cores = Math.max(1, Math.ceil(coresUsed / a("target_load")));
  const capacity = cores * eventsPerCpuSecond;
  // every process that starts ends, too
  const peak = total + (2 * nodes * a("ranks_per_node")) / a("start_seconds");
  const left = Math.max(0, peak - capacity) * a("burst_seconds");
  return {
    eventsPerSecond: { host, zeek, total },
    samplesPerSecond: (nodes * a("series_per_node")) / a("sample_seconds"),
    networkMbps: (raw * 8) / 1e6,
    rawGbPerDay: (raw * day_s) / giga,
    storedGbPerDay: stored / giga,
    diskTb: (stored * days) / 1e12,
    coresUsed,
    cores,
    memoryGb: a("program_gb") + (a("cached_share") * stored) / giga,
    burst: {
      eventsPerSecond: peak,
      spoolGb: (peak * a("burst_seconds") * a("host_bytes")) / giga,
      drainSeconds: left / Math.max(1, capacity - total),
    },
    limits: limitsOf({ total, capacity, eventsPerCpuSecond, raw }),
  };
}

/** Where one thread or one cable carries all of it, more cores do not help. */
function limitsOf({
  total,
  capacity,
  eventsPerCpuSecond,
  raw,
}: {
  total: number;
  capacity: number;
  eventsPerCpuSecond: number;
  raw: number;
}) {
  const thread = (share: number) => eventsPerCpuSecond / share / total;
  return [
    { what: "the analysis threads on these cores", bears: capacity / total, remedy: "more cores" },
    { what: "the storage thread", bears: thread(a("storage_thread_share")), remedy: "a second installation for part of the sources" },
    { what: "the main thread", bears: thread(a("main_thread_share")), remedy: "a second installation for part of the sources" },
    {
      what: "a cable of 10 Gbit/s, uncompressed",
      bears: (10 * giga) / 8 / raw,
      remedy: "compression at the sender, as every shipper offers",
    },
  ].sort((x, y) => x.bears - y.bears);
}
