/** What jobs do to the meters of a node. Types only. */
import type { Micros } from "@vedette/model";

/** What a job does to a node's meters, per node; rates are per second. */
export interface Load {
  /** Share of the job's cores that are busy. */
  readonly cpu: number;
  readonly rss_gb: number;
  readonly read: number;
  readonly write: number;
  readonly lustre: number;
  readonly infiniband: number;
  readonly gpu?: GpuLoad;
}
export interface GpuLoad {
  /** Shares of one: of the time, of tensor pipes, of FP64 pipes, of memory copies. */
  readonly busy: number;
  readonly tensor: number;
  readonly fp64: number;
  readonly copy: number;
  readonly fb_gb: number;
  readonly power_w: number;
  readonly pcie: number;
}

/** A job's part on one node, as the meters see it. */
export interface Resident {
  readonly job: number;
  readonly user: string;
  readonly account: string;
  readonly cores: number;
  /** What was asked for. */
  readonly memory_gb: number;
  readonly gpus: readonly number[];
  readonly processes: number;
  /** The load at a moment. */
  readonly load: (time: Micros) => Load;
  /** Nanoseconds of CPU used so far, as the cgroup counts them. */
  used_ns: number;
}
