/** A made-up cluster: some jobs of which two look like mining, nodes, talkers and sensors. */
import type { Hpc, HpcJob } from "../src/hpc/data.ts";
import { stamp } from "./events.ts";
import { disguised, payloads } from "./hostile.ts";

const all = <T>(rows: readonly T[], more = false) => ({ rows, more });

const factors = [
  { name: "cpu", points: 15, of: 15, value: "98.5 % of 128 cores, deviation 0.4 %" },
  { name: "memory", points: 10, of: 10, value: "2.5 GB resident, 0 % an hour, 214.7 GB asked for" },
  { name: "files", points: 15, of: 15, value: "0 B/s a core, parallel file system 0 B/s" },
  { name: "fabric", points: 0, of: 10, value: "one node" },
  { name: "gpu", points: 0, of: 20, value: "none" },
  { name: "network", points: 30, of: 30, value: "92 min of thin contact with 203.0.113.0/24 port 443" },
  { name: "pool", points: 0, of: 60, value: "none" },
  { name: "program", points: 8, of: 15, value: "/home/carla/solver is neither the system's nor a module's" },
  { name: "account", points: 0, of: 10, value: "nothing odd" },
];

const job = (n: number): HpcJob => ({
  job: String(4_230_100 + n),
  cluster: "hpc",
  user: ["carla", "deniz", "eva", "farid"][n % 4]!,
  account: "phys01",
  partition: n % 5 === 0 ? "gpu" : "batch",
  states: [n % 3 === 0 ? "RUNNING" : "COMPLETED"],
  nodes: Array.from({ length: 1 + (n % 7) }, (_, i) => `cn${String(n + i).padStart(4, "0")}`),
  ...(n < 2 ? { score: 78 + n, factors, alerts: ["alert-0000", "alert-0001"] } : { alerts: [] }),
});

export const noHpc = (now_ms: number): Hpc => ({
  from: stamp(now_ms - 86_400_000),
  to: stamp(now_ms),
  jobs: all([]),
  partitions: all([]),
  users: all([]),
  nodes: all([]),
  talkers: all([]),
  sensors: { workers: all([]), alerts: [] },
});

export const makeHpc = (now_ms: number): Hpc => ({
  ...noHpc(now_ms),
  jobs: all(
    Array.from({ length: 40 }, (_, n) => job(n)),
    true,
  ),
  partitions: all([
    { partition: "batch", jobs: 1_204, users: 87 },
    { partition: "gpu", jobs: 86, users: 21 },
  ]),
  users: all(["carla", "deniz", "eva", "farid"].map((user, n) => ({ user, jobs: 40 - n * 7, alerts: n === 0 ? 2 : 0 }))),
  nodes: all(
    Array.from({ length: 96 }, (_, n) => ({
      node: `cn${String(n + 1).padStart(4, "0")}`,
      events: 12_400 + n * 31,
      jobs: 1 + (n % 5),
      alerts: n === 6 ? 2 : 0,
    })),
  ),
  talkers: all([
    { address: "10.30.1.11", connections: 4_120, sent: 9.1e12, received: 2.2e12 },
    { address: "10.32.0.7", connections: 31, sent: 410_000, received: 1_200_000 },
  ]),
  sensors: {
    workers: all([
      { worker: "worker-1-1", lost_percent: 0.02, dropped: 0, lag_s: 0.4 },
      { worker: "worker-1-2", lost_percent: 2.4, dropped: 81_200, lag_s: 1.1 },
      { worker: "logger-1", lost_percent: null, dropped: null, lag_s: null },
    ]),
    alerts: [],
  },
});

/** One of each for each text, which stands wherever there is text. */
export function hpcOf(texts: readonly string[], now_ms: number): Hpc {
  const of = <T>(row: (text: string) => T) => all(texts.map(row));
  const odd = (text: string) => ({ ...job(0), job: text, cluster: text, user: text, account: text, partition: text });
  return {
    ...noHpc(now_ms),
    jobs: of((text) => ({ ...odd(text), states: [text], nodes: [text], factors: [{ name: text, points: 1, of: 1, value: text }] })),
    partitions: of((text) => ({ partition: text, jobs: 1, users: 1 })),
    users: of((text) => ({ user: text, jobs: 1, alerts: 1 })),
    nodes: of((text) => ({ node: text, events: 1, jobs: 1, alerts: 1 })),
    talkers: of((text) => ({ address: text, connections: 1, sent: 1, received: 1 })),
    sensors: { workers: of((text) => ({ worker: text, lost_percent: 3, dropped: 1, lag_s: 1 })), alerts: [] },
  };
}

export const hostileHpc = (now_ms: number): Hpc => hpcOf([`${payloads.join(" ")} ${disguised}`], now_ms);
