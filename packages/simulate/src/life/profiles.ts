/** Kinds of honest work: how much they ask for, what they start, how they load a node. A dozen of them could be taken for mining. */
import type { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { GpuLoad, Load } from "../load.ts";
import type { User } from "../site.ts";
import { hour, minute } from "../stamps.ts";

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

const noisy = (chance: Chance, mean: number, deviation: number): number => Math.max(0, chance.normal(mean, deviation));
const share = (chance: Chance, mean: number, deviation: number): number => Math.min(1, noisy(chance, mean, deviation));
const idle: Load = { cpu: 0, rss_gb: 0.1, read: 0, write: 0, lustre: 0, infiniband: 0 };
/** True in the first `width` of each `period` seconds: checkpoints, epochs, phases. */
const phase = (seconds: number, period: number, width: number): boolean => seconds % period < width;
const gpuLoad = (chance: Chance, g: GpuLoad): GpuLoad => ({
  busy: share(chance, g.busy, 0.02),
  tensor: share(chance, g.tensor, g.tensor / 8),
  fp64: share(chance, g.fp64, g.fp64 / 8),
  copy: share(chance, g.copy, 0.03),
  fb_gb: g.fb_gb,
  power_w: noisy(chance, g.power_w, g.power_w / 20),
  pcie: noisy(chance, g.pcie, g.pcie / 5),
});
const small = (cores: number, memory_gb: number, lasts: Micros, tasks = 1): Request => ({
  nodes: 1,
  cores,
  gpus: 0,
  memory_gb,
  lasts,
  tasks,
});
const spread = (chance: Chance, from: Micros, to: Micros): Micros => Math.round(Math.exp(chance.between(Math.log(from), Math.log(to))));

/** Work that nobody would take for anything else. */
const ordinary: readonly Profile[] = [
  {
    name: "cfd_mpi",
    weight: 10,
    lookalike: false,
    gpu: false,
    mpi: true,
    request: (c) => ({
      nodes: c.pick([1, 1, 2, 2, 4, 8, 16]),
      cores: 128,
      gpus: 0,
      memory_gb: 200,
      lasts: spread(c, 20 * minute, 12 * hour),
      tasks: 1,
    }),
    program: () => ({ binary: "/apps/openfoam/12/platforms/linux64GccDPInt32Opt/bin/simpleFoam", args: "-parallel" }),
    load: (s, _d, c, r) => ({
      cpu: phase(s, 900, 60) ? share(c, 0.6, 0.1) : share(c, 0.93, 0.03),
      rss_gb: 90 + 20 * Math.sin(s / 3_000),
      read: 2e5,
      write: phase(s, 900, 60) ? 4e8 : 2e4,
      lustre: phase(s, 900, 60) ? 4e8 : 1e4,
      infiniband: r.nodes > 1 ? noisy(c, 9e8, 2e8) : 0,
    }),
  },
  {
    name: "climate_model",
    weight: 4,
    lookalike: false,
    gpu: false,
    mpi: true,
    request: (c) => ({ nodes: c.pick([4, 8, 16]), cores: 128, gpus: 0, memory_gb: 220, lasts: spread(c, 2 * hour, 20 * hour), tasks: 1 }),
    program: () => ({ binary: "/apps/wrf/4.6/bin/wrf.exe", args: "" }),
    load: (s, _d, c) => ({
      cpu: phase(s, 3_600, 300) ? share(c, 0.5, 0.1) : share(c, 0.9, 0.04),
      rss_gb: 150,
      read: phase(s, 3_600, 300) ? 3e8 : 1e4,
      write: phase(s, 1_800, 120) ? 8e8 : 1e4,
      lustre: phase(s, 1_800, 120) ? 8e8 : 1e4,
      infiniband: noisy(c, 2e9, 4e8),
    }),
  },
  {
    name: "genomics_pipeline",
    weight: 14,
    lookalike: false,
    gpu: false,
    request: (c) => small(c.pick([4, 8, 16, 32]), 32, spread(c, 5 * minute, 5 * hour), c.happens(0.2) ? c.whole(4, 24) : 1),
    program: (u) => ({ binary: "/usr/bin/bash", args: `/home/${u.name}/pipeline/run_sample.sh` }),
    churn: {
      per_minute: 6,
      programs: [
        { binary: "/apps/bwa/0.7.17/bin/bwa", args: "mem -t 8 ref/GRCh38.fa sample_R1.fq.gz sample_R2.fq.gz" },
        { binary: "/apps/samtools/1.20/bin/samtools", args: "sort -@ 4 -o sample.bam -" },
        { binary: "/usr/bin/gzip", args: "-d sample_R1.fq.gz" },
        { binary: "/usr/bin/python3", args: "scripts/qc.py sample.bam" },
        { binary: "/usr/bin/awk", args: "{print $1}" },
        { binary: "/usr/bin/grep", args: "-c PASS sample.vcf" },
      ],
    },
    load: (s, _d, c) => ({
      cpu: share(c, 0.55, 0.25),
      rss_gb: 4 + 12 * Math.abs(Math.sin(s / 700)),
      read: 5e7,
      write: 3e7,
      lustre: 6e7,
      infiniband: 0,
    }),
  },
  {
    name: "python_analysis",
    weight: 26,
    lookalike: false,
    gpu: false,
    request: (c) =>
      small(c.pick([1, 1, 2, 4, 8]), c.pick([4, 8, 16, 64]), spread(c, minute, 4 * hour), c.happens(0.1) ? c.whole(5, 60) : 1),
    program: (u, c) => ({ binary: `/home/${u.name}/miniforge3/envs/work/bin/python`, args: `analyse.py --case ${c.whole(1, 400)}` }),
    load: (s, _d, c) => ({
      cpu: phase(s, 300, 60) ? share(c, 0.2, 0.1) : share(c, 0.8, 0.2),
      rss_gb: 1 + s / 4_000,
      read: 2e6,
      write: 4e5,
      lustre: 2e6,
      infiniband: 0,
    }),
  },
  {
    name: "compilation",
    weight: 5,
    lookalike: false,
    gpu: false,
    request: (c) => small(c.pick([8, 16, 32]), 32, spread(c, 3 * minute, 40 * minute)),
    program: () => ({ binary: "/usr/bin/make", args: "-j 16" }),
    churn: {
      per_minute: 60,
      programs: [
        { binary: "/usr/bin/gcc", args: "-O3 -march=native -c src/solver.c -o build/solver.o" },
        { binary: "/usr/lib/gcc/x86_64-linux-gnu/12/cc1", args: "-quiet src/solver.c -O3" },
        { binary: "/usr/bin/as", args: "--64 -o build/solver.o /tmp/ccQw12.s" },
        { binary: "/usr/bin/ld", args: "-o build/solver build/solver.o -lm" },
        { binary: "/usr/bin/cmake", args: "-E cmake_depends" },
      ],
    },
    egress: [{ service: "git.forge.example", client: "git", every: 30 * minute, lasts: 4, sent: 4_000, received: 3e6 }],
    load: (_s, _d, c) => ({ cpu: share(c, 0.7, 0.2), rss_gb: 3, read: 1e6, write: 4e6, lustre: 2e6, infiniband: 0 }),
  },
  {
    name: "gpu_inference",
    weight: 4,
    lookalike: false,
    gpu: true,
    request: (c) => ({ nodes: 1, cores: 8, gpus: 1, memory_gb: 64, lasts: spread(c, 10 * minute, 6 * hour), tasks: 1 }),
    program: (u) => ({ binary: `/home/${u.name}/miniforge3/envs/llm/bin/python`, args: "serve_batch.py --model 7b" }),
    load: (s, _d, c) => ({
      cpu: share(c, 0.3, 0.15),
      rss_gb: 20,
      read: 1e6,
      write: 1e5,
      lustre: 1e6,
      infiniband: 0,
      gpu: gpuLoad(c, { busy: phase(s, 120, 50) ? 0.3 : 0.7, tensor: 0.3, fp64: 0, copy: 0.4, fb_gb: 30, power_w: 220, pcie: 2e8 }),
    }),
  },
];

/** The twelve that a miner could be taken for. */
const lookalikes: readonly Profile[] = [
  {
    name: "hpl_stress",
    weight: 0.6,
    lookalike: true,
    gpu: false,
    mpi: true,
    request: (c) => ({ nodes: c.pick([1, 2, 4]), cores: 128, gpus: 0, memory_gb: 240, lasts: spread(c, 40 * minute, 5 * hour), tasks: 1 }),
    program: () => ({ binary: "/apps/hpl/2.3/bin/xhpl", args: "" }),
    load: (_s, d, c, r) => ({
      cpu: share(c, 0.992, 0.004),
      rss_gb: 205,
      read: 0,
      write: d > 0.98 ? 1e6 : 0,
      lustre: 0,
      infiniband: r.nodes > 1 ? noisy(c, 1.5e9, 2e8) : 0,
    }),
  },
  {
    name: "md_cpu",
    weight: 9,
    lookalike: true,
    gpu: false,
    mpi: true,
    request: (c) => ({ nodes: c.pick([1, 1, 1, 2, 4]), cores: 128, gpus: 0, memory_gb: 64, lasts: spread(c, hour, 24 * hour), tasks: 1 }),
    program: () => ({ binary: "/apps/gromacs/2024.2/bin/gmx_mpi", args: "mdrun -deffnm prod -cpi prod.cpt -maxh 23.5" }),
    load: (s, _d, c, r) => ({
      cpu: share(c, 0.985, 0.006),
      rss_gb: 1.6,
      read: 0,
      write: phase(s, 900, 30) ? 3e7 : 2e4,
      lustre: phase(s, 900, 30) ? 3e7 : 2e4,
      infiniband: r.nodes > 1 ? noisy(c, 4e8, 5e7) : 0,
    }),
  },
  {
    name: "gpu_training",
    weight: 6,
    lookalike: true,
    gpu: true,
    request: (c) => ({ nodes: 1, cores: 32, gpus: c.pick([1, 2, 4, 4]), memory_gb: 256, lasts: spread(c, hour, 20 * hour), tasks: 1 }),
    program: (u) => ({
      binary: `/home/${u.name}/miniforge3/envs/torch/bin/python`,
      args: "train.py --epochs 90 --amp --data /lustre/datasets/imagenet",
    }),
    egress: [{ service: "api.wandb.example", client: "python", every: 20 * minute, lasts: 1_100, sent: 180_000, received: 40_000 }],
    load: (s, _d, c) => ({
      cpu: share(c, 0.45, 0.1),
      rss_gb: 60,
      read: 3e8,
      write: phase(s, 1_800, 60) ? 5e8 : 1e5,
      lustre: 3e8,
      infiniband: 0,
      gpu: gpuLoad(c, { busy: phase(s, 1_800, 60) ? 0.1 : 0.95, tensor: 0.42, fp64: 0, copy: 0.6, fb_gb: 71, power_w: 370, pcie: 3e9 }),
    }),
  },
  {
    name: "hyperparameter_sweep",
    weight: 2,
    lookalike: true,
    gpu: true,
    request: (c) => ({ nodes: 1, cores: 8, gpus: 1, memory_gb: 48, lasts: spread(c, 8 * minute, 50 * minute), tasks: c.whole(8, 40) }),
    program: (u, c) => ({
      binary: `/home/${u.name}/miniforge3/envs/torch/bin/python`,
      args: `sweep.py --lr ${c.between(1e-5, 1e-2).toExponential(2)} --seed ${c.whole(1, 9)}`,
    }),
    egress: [{ service: "api.wandb.example", client: "python", every: 10 * minute, lasts: 500, sent: 90_000, received: 20_000 }],
    load: (_s, _d, c) => ({
      cpu: share(c, 0.6, 0.1),
      rss_gb: 12,
      read: 4e7,
      write: 2e5,
      lustre: 4e7,
      infiniband: 0,
      gpu: gpuLoad(c, { busy: 0.9, tensor: 0.25, fp64: 0, copy: 0.4, fb_gb: 22, power_w: 290, pcie: 9e8 }),
    }),
  },
  {
    name: "folding",
    weight: 1,
    lookalike: true,
    gpu: false,
    request: (c) => small(c.pick([16, 32]), 16, spread(c, 4 * hour, 20 * hour)),
    program: (u) => ({ binary: "/apps/fah/8.3/bin/fah-client", args: `--user=${u.name} --team=1 --cpus=32` }),
    egress: [{ service: "assign.folding.example", client: "curl", every: 100 * minute, lasts: 12, sent: 8e6, received: 2e7 }],
    load: (s, _d, c) => ({
      cpu: share(c, 0.985, 0.008),
      rss_gb: 0.9,
      read: 0,
      write: phase(s, 900, 30) ? 4e6 : 5e3,
      lustre: 1e3,
      infiniband: 0,
    }),
  },
  {
    name: "cryptography_research",
    weight: 1.5,
    lookalike: true,
    gpu: false,
    request: (c) => small(c.pick([16, 64, 128]), 32, spread(c, 2 * hour, 30 * hour)),
    program: (u, c) => ({
      binary: `/home/${u.name}/src/ecm/${c.pick(["ecm", "las", "sha3_collide"])}`,
      args: `-c 4000 -sigma ${c.whole(1e8, 9e9)} 11e7`,
    }),
    load: (_s, d, c) => ({ cpu: share(c, 0.995, 0.003), rss_gb: 0.8, read: 0, write: d > 0.99 ? 2e5 : 20, lustre: 0, infiniband: 0 }),
  },
  {
    name: "blas_benchmark",
    weight: 0.8,
    lookalike: true,
    gpu: true,
    request: (c) => ({ nodes: 1, cores: 64, gpus: 4, memory_gb: 128, lasts: spread(c, 10 * minute, 2 * hour), tasks: 1 }),
    program: () => ({ binary: "/apps/bench/cublas/dgemm_bench", args: "-n 32768 -r 5000" }),
    load: (_s, _d, c) => ({
      cpu: share(c, 0.2, 0.02),
      rss_gb: 4,
      read: 0,
      write: 100,
      lustre: 0,
      infiniband: 0,
      gpu: gpuLoad(c, { busy: 1, tensor: 0.3, fp64: 0.85, copy: 0.5, fb_gb: 60, power_w: 395, pcie: 1e6 }),
    }),
  },
  {
    name: "video_encoding",
    weight: 1.5,
    lookalike: true,
    gpu: false,
    request: (c) => small(32, 32, spread(c, 20 * minute, 4 * hour), c.whole(1, 8)),
    program: (_u, c) => ({ binary: "/apps/ffmpeg/7.0/bin/ffmpeg", args: `-i raw_${c.whole(1, 90)}.y4m -c:v libx265 -preset slow out.mkv` }),
    load: (_s, _d, c) => ({ cpu: share(c, 0.96, 0.02), rss_gb: 6, read: 3e7, write: 2e6, lustre: 3e7, infiniband: 0 }),
  },
  {
    name: "idle_reservation",
    weight: 2,
    lookalike: true,
    gpu: false,
    request: (c) => small(c.pick([8, 32, 128]), 64, spread(c, 2 * hour, 12 * hour)),
    program: () => ({ binary: "/usr/bin/sleep", args: "infinity" }),
    load: () => idle,
  },
  {
    name: "jupyter",
    weight: 8,
    lookalike: true,
    gpu: false,
    request: (c) => small(c.pick([4, 8, 16]), 32, spread(c, 30 * minute, 9 * hour)),
    program: (u, c) => ({
      binary: `/home/${u.name}/miniforge3/bin/python`,
      args: `/home/${u.name}/miniforge3/bin/jupyter-lab --no-browser --ip=0.0.0.0 --port=${c.whole(8_888, 8_999)}`,
    }),
    churn: {
      per_minute: 0.3,
      programs: [
        { binary: "/usr/bin/git", args: "status --porcelain" },
        { binary: "/usr/bin/ls", args: "--color=auto" },
      ],
    },
    egress: [
      { service: "pypi.python.example", client: "python", every: 2 * hour, lasts: 3, sent: 9_000, received: 4e5 },
      { service: "files.pythonhosted.example", client: "python", every: 2 * hour, lasts: 20, sent: 9_000, received: 8e7 },
      { service: "hub.models.example", client: "python", every: 4 * hour, lasts: 40, sent: 6_000, received: 2e9 },
    ],
    load: (_s, _d, c) => ({
      cpu: c.happens(0.25) ? share(c, 0.8, 0.2) : 0.01,
      rss_gb: 3,
      read: 1e5,
      write: 1e4,
      lustre: 1e5,
      infiniband: 0,
    }),
  },
  {
    name: "licensed_solver",
    weight: 3,
    lookalike: true,
    gpu: false,
    request: (c) => ({ nodes: c.pick([1, 1, 2]), cores: 64, gpus: 0, memory_gb: 128, lasts: spread(c, 30 * minute, 10 * hour), tasks: 1 }),
    program: (_u, c) => ({ binary: "/apps/ansys/2024R2/fluent/bin/fluent", args: `3ddp -t64 -g -i case${c.whole(1, 60)}.jou` }),
    // the vendor's shared licence service: a long, thin, public connection
    egress: [{ service: "licence.vendor.example", client: "java", every: 30 * minute, lasts: 1_750, sent: 24_000, received: 30_000 }],
    load: (s, _d, c) => ({
      cpu: share(c, 0.94, 0.02),
      rss_gb: 60,
      read: 1e4,
      write: phase(s, 1_200, 60) ? 2e8 : 1e4,
      lustre: phase(s, 1_200, 60) ? 2e8 : 1e4,
      infiniband: 2e8,
    }),
  },
  {
    name: "data_shuffle",
    weight: 2,
    lookalike: true,
    gpu: false,
    request: (c) => ({ nodes: c.pick([2, 4, 8]), cores: 64, gpus: 0, memory_gb: 220, lasts: spread(c, 20 * minute, 3 * hour), tasks: 1 }),
    program: () => ({
      binary: "/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
      args: "-Xmx180g org.apache.spark.executor.CoarseGrainedExecutorBackend",
    }),
    egress: [{ service: "objects.cloud.example", client: "java", every: 3 * minute, lasts: 60, sent: 2e8, received: 6e8 }],
    load: (s, _d, c) => ({
      cpu: phase(s, 240, 120) ? share(c, 0.9, 0.05) : share(c, 0.35, 0.1),
      rss_gb: 150,
      read: 2e8,
      write: 4e8,
      lustre: 1e8,
      infiniband: noisy(c, 3e9, 1e9),
    }),
  },
];

export const profiles: readonly Profile[] = [...ordinary, ...lookalikes];
