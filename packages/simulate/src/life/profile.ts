/** What a kind of work is: how much it asks for, what it starts, how it loads a node; and the shapes that loads have. Knows no kind. */
import type { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { GpuLoad, Load } from "../load.ts";
import type { User } from "../site.ts";

/** What a job asks for. */
export interface Request {
  readonly nodes: number;
  /** Of each node. */
  readonly cores: number;
  readonly gpus: number;
  readonly memory_gb: number;
  readonly lasts: Micros;
  /** Tasks of an array; 1 for a job of its own. */
  readonly tasks: number;
}

export interface Program {
  readonly binary: string;
  readonly args: string;
}

export interface Profile {
  readonly name: string;
  readonly weight: number;
  /** Work that a miner could be taken for. */
  readonly lookalike: boolean;
  readonly gpu: boolean;
  request(chance: Chance): Request;
  /** A rank for each core (MPI); else one program a node. */
  readonly mpi?: true;
  /** What each rank or task runs. */
  program(user: User, chance: Chance): Program;
  /** Short programs that it starts per minute and node: compilers, tools of pipelines. */
  readonly churn?: { readonly per_minute: number; readonly programs: readonly Program[] };
  /** Services outside that it speaks with, and how often. */
  readonly egress?: readonly Egress[];
  /** The load of a node, given how far the job is (0 to 1) and the seconds since it began. */
  load(seconds: number, done: number, chance: Chance, request: Request): Load;
}
export interface Egress {
  readonly service: string;
  readonly client: "python" | "curl" | "git" | "conda" | "go" | "java";
  readonly every: Micros;
  /** Seconds that a connection lasts. */
  readonly lasts: number;
  readonly sent: number;
  readonly received: number;
}

export const noisy = (chance: Chance, mean: number, deviation: number): number => Math.max(0, chance.normal(mean, deviation));
export const share = (chance: Chance, mean: number, deviation: number): number => Math.min(1, noisy(chance, mean, deviation));
/** True in the first `width` of each `period` seconds: checkpoints, epochs, phases. */
export const phase = (seconds: number, period: number, width: number): boolean => seconds % period < width;
export const gpuLoad = (chance: Chance, g: GpuLoad): GpuLoad => ({
  busy: share(chance, g.busy, 0.02),
  tensor: share(chance, g.tensor, g.tensor / 8),
  fp64: share(chance, g.fp64, g.fp64 / 8),
  copy: share(chance, g.copy, 0.03),
  fb_gb: g.fb_gb,
  power_w: noisy(chance, g.power_w, g.power_w / 20),
  pcie: noisy(chance, g.pcie, g.pcie / 5),
});
export const small = (cores: number, memory_gb: number, lasts: Micros, tasks = 1): Request => ({
  nodes: 1,
  cores,
  gpus: 0,
  memory_gb,
  lasts,
  tasks,
});
export const spread = (chance: Chance, from: Micros, to: Micros): Micros =>
  Math.round(Math.exp(chance.between(Math.log(from), Math.log(to))));
