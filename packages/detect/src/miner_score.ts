/**
 * How much a job looks like one that mines: nine factors with their weights, after the corrected heuristic for RandomX and GPU coins. What is
 * measured of a job never suffices by itself: physics looks like that too. Knows no state and no log.
 */
import type { Match } from "@vedette/model";
import type { Meter } from "./job_meters.ts";

/** Values a minute, the oldest first. */
export type Course = readonly (readonly [minute: number, value: number])[];
export type Courses = { readonly [M in Meter]?: Course };

/** What else is known of the job. */
export interface Circumstances {
  /** Nodes it runs on. */
  readonly nodes: number;
  /** Whether it has the node for itself: else the node's meters say nothing of it. */
  readonly alone: boolean;
  /** Several tasks of an array, each measured from its beginning to its end: then a third of the time is enough. */
  readonly short: boolean;
  /** Minutes of contact with one network outside, by connections that carry little; and with whom. */
  readonly contact_min: number;
  readonly contact?: string;
  /** A public socket of which no more is known. */
  readonly socket?: string;
  /** Why it is known to speak with a pool. */
  readonly pool?: string;
  /** What is odd about a program of its. */
  readonly program?: string;
  /** A program that is neither the system's nor of its modules: most people's own work is that. */
  readonly own?: string;
  /** Why the account or the way of submitting stands out. */
  readonly account?: string;
}
export interface Factor {
  readonly name: string;
  readonly points: number;
  readonly of: number;
  readonly value: string;
}
export interface Score {
  readonly total: number;
  readonly factors: readonly Factor[];
  /** Something besides measurements speaks for it. */
  readonly evidence: boolean;
}

/** Measurements alone come to no more (reference 2.5), and no alert is below what the detector's settings say. */
export const mostOfMeters = 60;
/** Below it a factor is no evidence: many honest programs lie in folders of their users. */
const leastEvidence = 10;

const mean = (course: Course): number => course.reduce((sum, [, value]) => sum + value, 0) / course.length;
function deviation(course: Course): number {
  const m = mean(course);
  return Math.sqrt(course.reduce((sum, [, value]) => sum + (value - m) ** 2, 0) / course.length);
}
const most = (course: Course): number => Math.max(...course.map(([, value]) => value));
/** Change over the course per hour, as a share of its mean, by the means of its halves: a single odd value does not make a slope. */
function slope(course: Course): number {
  const half = Math.floor(course.length / 2);
  const [a, b] = [course.slice(0, half), course.slice(-half)];
  const hours = (mean(b.map(([m]) => [0, m])) - mean(a.map(([m]) => [0, m]))) / 60;
  return hours <= 0 || mean(course) === 0 ? 0 : Math.abs(mean(b) - mean(a)) / mean(course) / hours;
}
/** Long enough to judge: thirty minutes (reference), of short tasks ten, by at least six values. */
const enough = ({ short }: Circumstances): number => (short ? 10 : 30);
const long = (course: Course | undefined, minutes: number): course is Course =>
  course !== undefined && course.length >= 6 && course.at(-1)![0] - course[0]![0] >= minutes - 1;
const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;
const size = (bytes: number): string =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.round(bytes)} B`;

export function scoreOf(courses: Courses, circumstances: Circumstances, numa: number): Score {
  const cores = courses.cores?.at(-1)?.[1];
  const meters = [
    processor(courses.cpu, cores, enough(circumstances)),
    memory(courses, numa, enough(circumstances)),
    files(courses, cores, circumstances),
    fabric(courses, circumstances),
    gpu(courses),
  ];
  const others = [network(circumstances), pool(circumstances), program(circumstances), account(circumstances)];
  const measured = Math.min(
    mostOfMeters,
    meters.reduce((sum, one) => sum + one.points, 0),
  );
  const rest = others.reduce((sum, one) => sum + one.points, 0);
  const evidence = others.some(({ points }) => points >= leastEvidence);
  return { total: Math.min(100, measured + rest), factors: [...meters, ...others], evidence };
}

const factor = (name: string, of: number, points: number, value: string): Factor => ({ name, of, points, value });
const unknown = (name: string, of: number): Factor => factor(name, of, 0, "not measured long enough");

/** Every core busy, without a phase. One that is told to leave room is as even, and counts half. */
function processor(cpu: Course | undefined, cores: number | undefined, minutes: number): Factor {
  if (!long(cpu, minutes) || cores === undefined || cores <= 0) return unknown("cpu", 15);
  const [share, spread] = [mean(cpu) / cores, deviation(cpu) / cores];
  const even = spread < 0.02;
  const points = even && share > 0.9 ? 15 : even && share > 0.2 ? 8 : 0;
  return factor("cpu", 15, points, `${percent(share)} of ${cores} cores, deviation ${percent(spread)}`);
}

/** RandomX: 2,080 MB and 256 MB a NUMA node, there from the first minute; and much more was asked for than is used. */
function memory({ rss, asked }: Courses, numa: number, minutes: number): Factor {
  if (!long(rss, minutes)) return unknown("memory", 10);
  const [used, grows, wanted] = [mean(rss), slope(rss), asked?.at(-1)?.[1]];
  const flat = used < 3e9 * numa && grows < 0.01;
  const idle = wanted !== undefined && wanted > 4 * used;
  return factor(
    "memory",
    10,
    flat ? (idle ? 10 : 6) : 0,
    `${size(used)} resident, ${percent(grows)} an hour${wanted === undefined ? "" : `, ${size(wanted)} asked for`}`,
  );
}

/** No result is written: less than 1 kB a second and core, and nothing of the parallel file system. */
function files({ io, lustre }: Courses, cores: number | undefined, circumstances: Circumstances): Factor {
  const { alone } = circumstances;
  if (!long(io, enough(circumstances))) return unknown("files", 15);
  const shared = alone && long(lustre, enough(circumstances)) ? mean(lustre) : undefined;
  const rate = mean(io) / Math.max(1, cores ?? 1);
  const none = rate < 1_000 && (shared === undefined || shared / Math.max(1, cores ?? 1) < 1_000);
  return factor(
    "files",
    15,
    none ? 15 : 0,
    `${size(rate)}/s a core${shared === undefined ? "" : `, parallel file system ${size(shared)}/s`}`,
  );
}

/** A job on several nodes whose nodes say nothing to each other. */
function fabric({ fabric }: Courses, { nodes, alone }: Circumstances): Factor {
  if (nodes < 2) return factor("fabric", 10, 0, "one node");
  if (!alone || !long(fabric, 10)) return unknown("fabric", 10);
  const rate = mean(fabric);
  return factor("fabric", 10, rate < 10_000 ? 10 : 0, `${size(rate)}/s on ${nodes} nodes`);
}

/** Busy to the last percent with tensor and FP64 pipes dead, memory as it was, nothing over the bus, power as a ruler. */
function gpu({ busy, tensor, fp64, fb, pcie, power }: Courses): Factor {
  if (busy === undefined) return factor("gpu", 20, 0, "none");
  if (!long(busy, 10)) return unknown("gpu", 20);
  const steady = (course: Course | undefined) => course === undefined || deviation(course) <= 0.02 * Math.max(1, mean(course));
  const load = mean(busy);
  const pinned = load > 0.95 && steady(fb) && steady(power) && (pcie === undefined || mean(pcie) < 1e6);
  const pipes = tensor !== undefined && fp64 !== undefined ? most(tensor) < 0.01 && most(fp64) < 0.01 : undefined;
  // without the pipes' meters (they must be switched on) half of it is known
  const points = !pinned || pipes === false ? 0 : pipes === undefined ? 10 : 20;
  const told = pipes === undefined ? "pipes not measured" : `tensor ${percent(most(tensor!))}, FP64 ${percent(most(fp64!))} at most`;
  return factor("gpu", 20, points, `${percent(load)} busy, ${told}`);
}

const network = ({ contact_min, contact, socket }: Circumstances): Factor => {
  if (contact !== undefined && contact_min >= 30)
    return factor("network", 30, 30, `${Math.round(contact_min)} min of thin contact with ${contact}`);
  if (socket !== undefined) return factor("network", 30, 15, `a socket to ${socket}`);
  return factor(
    "network",
    30,
    0,
    contact === undefined ? "none to outside" : `${Math.round(contact_min)} min of thin contact with ${contact}`,
  );
};
const pool = ({ pool: why }: Circumstances): Factor => factor("pool", 60, why === undefined ? 0 : 60, why ?? "none");
const program = ({ program: why, own }: Circumstances): Factor =>
  factor("program", 15, why !== undefined ? 15 : own !== undefined ? 8 : 0, why ?? own ?? "of the system or its modules");
const account = ({ account: why }: Circumstances): Factor => factor("account", 10, why === undefined ? 0 : 10, why ?? "nothing odd");

/** The score and its factors as an alert's evidence shows them. */
export const matchesOf = ({ total, factors }: Score): readonly Match[] => [
  { clause: "score", field: "hpc.miner.score", value: String(total) },
  ...factors.map(({ name, points, of, value }) => ({ clause: `${points} of ${of}`, field: `hpc.miner.${name}`, value })),
];

/** `cpu 15, memory 10, network 30`: what counted, the heaviest first. */
export const shownOf = ({ factors }: Score): string =>
  factors
    .filter(({ points }) => points > 0)
    .sort((a, b) => b.points - a.points)
    .map(({ name, points }) => `${name} ${points}`)
    .join(", ");
