/** A computing centre drawn from a seed: its machines, people, projects and the outside it speaks with. Knows nothing of what happens there. */
import { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { Host } from "./host.ts";
import { hour, minute } from "./stamps.ts";

export interface Project {
  /** Slurm's account. */
  readonly account: string;
  readonly group: string;
  readonly gid: number;
  /** Share of its jobs that ask for GPUs. */
  readonly gpu: number;
}

/** Somebody with habits. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly project: Project;
  /** Where they log in from: the office first, then home and others. */
  readonly networks: readonly string[];
  readonly key: string;
  readonly keyType: string;
  /** Offsets from midnight UTC between which they work. */
  readonly hours: { readonly from: Micros; readonly to: Micros };
  readonly weekends: boolean;
  /** Log-ins on a working day. */
  readonly sessions: number;
  /** Runs things as root through sudo. */
  readonly administrator: boolean;
}

/** A service outside, by the name that is resolved. */
export interface Service {
  readonly name: string;
  readonly address: string;
}

export interface Site {
  readonly cluster: string;
  readonly compute: readonly Host[];
  readonly gpu: readonly Host[];
  readonly logins: readonly Host[];
  /** Data transfer nodes: all bulk traffic with the outside. */
  readonly transfer: readonly Host[];
  /** Machines of the house, by what they do. */
  readonly house: { readonly [role in Role]: Host };
  readonly users: readonly User[];
  readonly administrators: readonly User[];
  readonly projects: readonly Project[];
}
const roles = ["management", "scanner", "backup", "mirror", "licence", "monitor", "controller", "resolver", "portal", "proxy"] as const;
type Role = (typeof roles)[number];

/** The network for benchmarks (RFC 2544): outside of every site, and nobody's. The upper half is left to attackers, hardly two of whom share a network of 256. */
export const outsideAddress = (chance: Chance): string => `198.18.${chance.whole(0, 255)}.${chance.whole(1, 254)}`;
export const attackerAddress = (chance: Chance): string => `198.19.${chance.whole(0, 255)}.${chance.whole(1, 254)}`;

/** The names of a simulation are few, and each is asked for again and again. */
const named = new Map<string, Service>();
/** An address that a name has for good. */
export function serviceNamed(name: string): Service {
  let found = named.get(name);
  if (found === undefined) {
    found = { name, address: outsideAddress(new Chance(0).fork(name)) };
    named.set(name, found);
  }
  return found;
}
/** What people and programs of a computing centre reach outside, with how often. */
export const services: readonly (Service & { readonly weight: number })[] = [
  { ...serviceNamed("pypi.python.example"), weight: 20 },
  { ...serviceNamed("files.pythonhosted.example"), weight: 20 },
  { ...serviceNamed("conda.anaconda.example"), weight: 12 },
  { ...serviceNamed("git.forge.example"), weight: 25 },
  { ...serviceNamed("registry.containers.example"), weight: 8 },
  { ...serviceNamed("api.wandb.example"), weight: 10 },
  { ...serviceNamed("hub.models.example"), weight: 8 },
  { ...serviceNamed("transfer.globus.example"), weight: 5 },
  { ...serviceNamed("ftp.ncbi.example"), weight: 4 },
  { ...serviceNamed("data.climate.example"), weight: 3 },
];

const syllables = "an bel ca do er fi gu ha il jo ka lu mi na or pe qui ra so ta ul vi we xa yo ze".split(" ");
const fields = ["phys", "chem", "bio", "astro", "clim", "mat", "eng", "med", "math", "geo"];

/** @param nodes compute nodes, GPU nodes among them; log-in and other machines come on top */
export function makeSite(seed: number, nodes: number, start: Micros): Site {
  const chance = new Chance(seed).fork("site");
  const all = Array.from({ length: nodes }, (_, i) => computeNode(i, nodes, chance.fork(`node ${i}`), start));
  const logins = Array.from({ length: Math.max(4, Math.round(nodes / 100)) }, (_, i) =>
    machine("login", `login${i + 1}`, `10.31.0.${i + 11}`, 32, chance.fork(`login ${i}`), start),
  );
  const transfer = Array.from({ length: Math.max(2, Math.round(nodes / 1_000)) }, (_, i) =>
    machine("service", `dtn${i + 1}`, `10.30.1.${i + 11}`, 32, chance.fork(`dtn ${i}`), start),
  );
  const house = Object.fromEntries(
    roles.map((role, i) => [role, machine("service", `${role}1`, `10.30.0.${i + 11}`, 16, chance.fork(role), start)]),
  ) as { [role in Role]: Host };
  const projects = Array.from({ length: Math.max(4, Math.round(nodes / 12)) }, (_, i): Project => {
    const account = `${fields[i % fields.length]}${String(Math.floor(i / fields.length) + 1).padStart(2, "0")}`;
    return { account, group: `${account}g`, gid: 40_000 + i, gpu: chance.happens(0.4) ? chance.between(0.3, 0.9) : 0 };
  });
  const offices = projects.map(() => outsideNetwork(chance));
  const users = Array.from({ length: Math.max(16, Math.round(nodes * 0.6)) }, (_, i) =>
    person(i, projects, offices, chance.fork(`user ${i}`)),
  );
  return {
    cluster: "hpc",
    compute: all.filter((h) => h.kind === "compute"),
    gpu: all.filter((h) => h.kind === "gpu"),
    logins,
    transfer,
    house,
    users,
    administrators: users.filter((u) => u.administrator),
    projects,
  };
}

const outsideNetwork = (chance: Chance): string => `198.18.${chance.whole(0, 255)}`;

/** A tenth of the nodes has GPUs. */
function computeNode(i: number, nodes: number, chance: Chance, start: Micros): Host {
  const gpus = Math.max(1, Math.round(nodes / 10));
  const isGpu = i >= nodes - gpus;
  const number = isGpu ? i - (nodes - gpus) + 1 : i + 1;
  return new Host({
    kind: isGpu ? "gpu" : "compute",
    name: `${isGpu ? "gpu" : "cn"}${String(number).padStart(4, "0")}`,
    address: `10.${32 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`,
    cores: isGpu ? 64 : 128,
    memory_gb: isGpu ? 512 : 256,
    gpus: isGpu ? 4 : 0,
    chance,
    start,
  });
}

const machine = (kind: "login" | "service", name: string, address: string, cores: number, chance: Chance, start: Micros): Host =>
  new Host({ kind, name, address, cores, memory_gb: cores * 4, gpus: 0, chance, start });

function person(i: number, projects: readonly Project[], offices: readonly string[], chance: Chance): User {
  const home = chance.whole(0, projects.length - 1);
  const name = `${chance.pick(syllables)}${chance.pick(syllables)}${chance.happens(0.6) ? chance.pick(syllables) : ""}${i.toString(36)}`;
  // most of Europe's day; one in ten works from elsewhere or by night
  const from = chance.happens(0.9) ? chance.between(6.5, 9.5) * hour : chance.between(12, 20) * hour;
  return {
    name,
    uid: 20_001 + i,
    project: projects[home]!,
    networks: [offices[home]!, ...Array.from({ length: chance.whole(1, 2) }, () => outsideNetwork(chance))],
    key: `SHA256:${chance.text(43, base64)}`,
    keyType: chance.happens(0.75) ? "ED25519" : "RSA",
    hours: { from, to: from + chance.between(7, 11) * hour + chance.whole(0, 59) * minute },
    weekends: chance.happens(0.2),
    sessions: chance.between(0.3, 4),
    administrator: i < Math.max(2, projects.length / 10),
  };
}
const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
