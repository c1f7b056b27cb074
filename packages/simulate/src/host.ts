/** A machine of the site and the processes on it, as Tetragon tells of them; a process's JSON is written once, for it stands in every event of it and of its children. Knows no actor. */
import type { Chance } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Resident } from "./load.ts";
import { day, nanoStamp, second } from "./stamps.ts";

export interface HostOptions {
  readonly kind: "compute" | "gpu" | "login" | "service";
  readonly name: string;
  readonly address: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly gpus: number;
  readonly chance: Chance;
  /** When the simulation begins: it was booted days before. */
  readonly start: Micros;
}

export class Host {
  readonly kind: HostOptions["kind"];
  readonly name: string;
  readonly address: string;
  readonly cores: number;
  readonly memory_gb: number;
  readonly gpus: number;
  readonly chance: Chance;
  /** Its clock is this far off. */
  readonly skew: Micros;
  /** Whether its Tetragon was told to keep SLURM_JOB_ID and SLURM_STEP_ID; a tenth of the nodes was forgotten. */
  readonly tellsEnvironment: boolean;
  readonly residents = new Map<number, Resident>();
  freeCores: number;
  readonly freeGpus: number[];
  readonly booted: Micros;
  readonly #pidMax: number;
  #pid: number;
  #init: Process | undefined;
  readonly #daemons = new Map<string, Process>();

  constructor({ kind, name, address, cores, memory_gb, gpus, chance, start }: HostOptions) {
    this.kind = kind;
    this.name = name;
    this.address = address;
    this.cores = cores;
    this.memory_gb = memory_gb;
    this.gpus = gpus;
    this.chance = chance;
    this.skew = chance.happens(0.01) ? Math.round(chance.between(-20, 20) * second) : 0;
    this.tellsEnvironment = chance.happens(0.9);
    this.freeCores = cores;
    this.freeGpus = Array.from({ length: gpus }, (_, i) => i);
    this.booted = start - Math.round(chance.between(3, 60) * day);
    // some kernels still have the small default, so that process ids come again within a day
    this.#pidMax = chance.happens(0.2) ? 32_768 : 4_194_304;
    this.#pid = chance.whole(2_000, 30_000);
  }

  pid(): number {
    this.#pid += 1 + (this.#pid & 1);
    if (this.#pid >= this.#pidMax) this.#pid = 1_000;
    return this.#pid;
  }

  port(): number {
    return this.chance.whole(32_768, 60_999);
  }

  get init(): Process {
    this.#init ??= new Process(this, {
      pid: 1,
      uid: 0,
      binary: "/usr/lib/systemd/systemd",
      args: "--switched-root --system --deserialize 31",
      cwd: "/",
      start: this.booted,
    });
    return this.#init;
  }

  /** A process that has been there since boot: sshd, slurmd, crond. */
  daemon(binary: string, args = ""): Process {
    let found = this.#daemons.get(binary);
    if (found === undefined) {
      const pid = 800 + this.#daemons.size * 7;
      found = new Process(this, { pid, uid: 0, binary, args, cwd: "/", start: this.booted + 9 * second, parent: this.init });
      this.#daemons.set(binary, found);
    }
    return found;
  }
}

/** The container a process is in, on machines that have Kubernetes. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly image: string;
}

export interface ProcessOptions {
  readonly pid: number;
  readonly uid: number;
  readonly binary: string;
  readonly args?: string;
  readonly cwd: string;
  readonly start: Micros;
  readonly parent?: Process;
  /** The user who logged in, as the kernel's login uid; absent where nobody did. */
  readonly auid?: number;
  readonly job?: number;
  readonly step?: string;
  readonly pod?: Pod;
  /** Namespaces that are the host's, for a process that has a container's others. */
  readonly hostNamespaces?: readonly string[];
  /** Its file was deleted or never had a name (memfd). */
  readonly unlinked?: boolean;
}

const unset = 4_294_967_295;
const namespaces = ["uts", "ipc", "mnt", "pid", "pid_for_children", "net", "time", "cgroup", "user"];

export class Process {
  readonly host: Host;
  readonly pid: number;
  readonly uid: number;
  readonly binary: string;
  readonly parent: Process | undefined;
  readonly job: number | undefined;
  readonly step: string | undefined;
  readonly auid: number;
  readonly cwd: string;
  readonly start: Micros;
  readonly execId: string;
  readonly #options: ProcessOptions;
  #json = "";

  constructor(host: Host, options: ProcessOptions) {
    this.host = host;
    this.pid = options.pid;
    this.uid = options.uid;
    this.binary = options.binary;
    this.parent = options.parent;
    this.cwd = options.cwd;
    this.job = options.job ?? options.parent?.job;
    this.step = options.step ?? options.parent?.step;
    this.auid = options.auid ?? options.parent?.auid ?? unset;
    this.start = options.start;
    this.#options = options;
    const boot_ns = (options.start - host.booted) * 1_000;
    this.execId = btoa(`${host.name}:${boot_ns}:${options.pid}`);
  }

  /** A child of it on the same machine. */
  child(options: Omit<ProcessOptions, "pid" | "parent" | "uid" | "cwd"> & Partial<ProcessOptions>): Process {
    return new Process(this.host, {
      ...(this.#options.pod === undefined ? {} : { pod: this.#options.pod }),
      pid: this.host.pid(),
      uid: this.uid,
      cwd: this.cwd,
      parent: this,
      ...options,
    });
  }

  /** Tetragon's `process` object. */
  get json(): string {
    if (this.#json === "") this.#json = this.#write();
    return this.#json;
  }

  #write(): string {
    const { args, pod, hostNamespaces, unlinked } = this.#options;
    const said = args === undefined || args === "" ? "" : `,"arguments":${JSON.stringify(args)}`;
    const parent = this.parent === undefined ? "" : `,"parent_exec_id":"${this.parent.execId}"`;
    return (
      `{"exec_id":"${this.execId}","pid":${this.pid},"uid":${this.uid},"cwd":${JSON.stringify(this.cwd)},"binary":${JSON.stringify(this.binary)}${said},` +
      `"flags":"execve clone","start_time":"${nanoStamp(this.start + this.host.skew)}","auid":${this.auid}` +
      `${pod === undefined ? "" : podText(pod)}${parent}${hostNamespaces === undefined ? "" : namespacesText(hostNamespaces)},"tid":${this.pid}` +
      `${unlinked ? `,"binary_properties":{"file":{"inode":{"number":"${4_000_000 + this.pid}","links":0}}}` : ""}${this.#environment()}}`
    );
  }

  #environment(): string {
    if (this.job === undefined || !this.host.tellsEnvironment) return "";
    const step = this.step === undefined || /^\D/.test(this.step) ? "" : `,{"key":"SLURM_STEP_ID","value":"${this.step}"}`;
    return `,"environment_variables":[{"key":"SLURM_JOB_ID","value":"${this.job}"}${step}]`;
  }
}

const podText = ({ namespace, name, container, image }: Pod): string =>
  `,"pod":{"namespace":"${namespace}","name":"${name}","container":{"id":"containerd://${container}","name":"${name}","image":{"id":"${image}@sha256:${container}","name":"${image}"},"pid":1},"workload":"${name}","workload_kind":"Pod"},"docker":"${container.slice(0, 31)}"`;

const namespacesText = (shared: readonly string[]): string =>
  `,"ns":{${namespaces
    .map(
      (name, i) =>
        `"${name}":{"inum":${4_026_531_834 + i + (shared.includes(name) ? 0 : 2_900)}${shared.includes(name) ? ',"is_host":true' : ""}}`,
    )
    .join(",")}}`;
