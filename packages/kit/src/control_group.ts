/** The batch job that a control group's path names, as slurmd lays them out. Knows no record and no metric. */

export interface JobOfGroup {
  readonly job: string;
  readonly step?: string;
  /** The user's number, which version 1 has in the path. */
  readonly uid?: string;
}

/** A path of the kernel is at most 4,096 bytes. */
const maxPath = 4_096;

/**
 * From the root of the hierarchy, and nowhere else: users make groups of any name within their own slice (`user.slice/…/job_4712`), and those
 * must not pass for a job of somebody else. Version 1: `/slurm/uid_1000/job_4711/step_0/task_0`, with `slurm_NODE` where several daemons share
 * a machine. Version 2: `/system.slice/[NODE_]slurmstepd.scope/job_4711/step_batch/user/task_0`. Either with a mount point before it.
 */
const root = "^(?:/sys/fs/cgroup(?:/[a-z]{1,16}(?:,[a-z_]{1,16}){0,7})?)?/?";
const rest = String.raw`/job_(\d{1,10})(?:/step_([a-z0-9]{1,16}))?(?:/|$)`;
const first = new RegExp(String.raw`${root}slurm(?:_[^/]{1,64})?/uid_(\d{1,10})${rest}`);
const second = new RegExp(String.raw`${root}(?:system\.slice/)?(?:[^/]{1,64}_)?slurmstepd\.scope${rest}`);
/** The innermost name alone, where nothing else is told. */
const alone = /^job_(\d{1,10})$/;

/** Undefined for any other path. */
export function jobOfGroup(path: string): JobOfGroup | undefined {
  if (path.length > maxPath || !path.includes("job_")) return undefined;
  const one = first.exec(path);
  if (one !== null) return { job: one[2]!, uid: one[1]!, ...(one[3] !== undefined && { step: one[3] }) };
  const two = second.exec(path);
  if (two !== null) return { job: two[1]!, ...(two[2] !== undefined && { step: two[2] }) };
  const three = alone.exec(path);
  return three === null ? undefined : { job: three[1]! };
}
