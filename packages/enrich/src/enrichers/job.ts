/**
 * Says of which batch job a record is, where the record itself tells: by control group, by the parent's title, by environment, or because the
 * scheduler wrote it. Knows no other record: what takes several of them to tell is told by the detectors that need it (ADR 11).
 */
import { defineEnricher, jobOfGroup, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { give, textOf } from "../give.ts";

/** One way in which a record names its job. */
interface Told {
  readonly by: "cgroup" | "ancestry" | "scheduler" | "environment";
  readonly job: string;
  readonly step?: string | undefined;
}

/** What schedulers set in a job's environment: Slurm (srun(1)), PBS (qsub(1)) and LSF (bsub(1)). */
const jobVariables = ["SLURM_JOB_ID", "SLURM_JOBID", "PBS_JOBID", "LSB_JOBID"];
const stepVariables = ["SLURM_STEP_ID", "SLURM_STEPID"];
const clusterVariable = "SLURM_CLUSTER_NAME";
const isJob = /^[0-9]{1,10}(?:[_[][0-9[\]]{1,10})?(?:\.[\w.-]{1,64})?$/;

export default defineEnricher({
  name: "job",
  summary: "Says of which batch job a process, connection or scheduler record is, by every way in which the record tells it.",
  description:
    "Sets `hpc.job.id`, `hpc.step.id`, `hpc.cluster`, `hpc.account`, `hpc.partition`, `user.name` where the log names none, and `hpc.job.by`: the ways that say so, of `cgroup` (the control group, which only root can choose), `ancestry` (started by slurmstepd, whose title names the step), `scheduler` (the record is the scheduler's own) and `environment` (SLURM_JOB_ID and the like, which users can set as they please). Where they disagree the first of them in this order counts, and `hpc.job.conflict` holds what the others said. `hpc.node` and `hpc.cluster` come from the columns `node` and `cluster` of the `assets` inventory, by the host's name or, for connections that a network sensor saw, by the source's address. What takes several records to tell (ancestry over processes, node and user and time) is told in the findings of the detectors that need it.",
  stability: "beta",
  after: ["assets", "container"],
  config: z.strictObject({
    stepd: z
      .array(z.string().startsWith("/"))
      .max(16)
      .default(["/usr/sbin/slurmstepd", "/sbin/slurmstepd", "/usr/local/sbin/slurmstepd", "/opt/slurm/sbin/slurmstepd"])
      .describe("Where slurmstepd is installed: a program of that name elsewhere is not believed."),
  }),
  examples: [
    {
      title: "A process whose environment and control group agree",
      fields: {
        "process.env_vars": ["SLURM_JOB_ID=4711", "SLURM_STEP_ID=0"],
        "tetragon.cgroup": "/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0",
        "slurm.job.account": "physics",
      },
      adds: { "hpc.job.id": "4711", "hpc.step.id": "0", "hpc.account": "physics", "hpc.job.by": ["cgroup", "environment"] },
    },
    {
      title: "A process that pretends to be of another job",
      fields: { "process.env_vars": ["SLURM_JOB_ID=4712"], "tetragon.cgroup": "/slurm/uid_1000/job_4711/step_batch/task_0" },
      adds: {
        "hpc.job.id": "4711",
        "hpc.step.id": "batch",
        "hpc.job.by": ["cgroup"],
        "hpc.job.conflict": ["environment 4712"],
      },
    },
    {
      title: "A process that slurmstepd started",
      fields: {
        "process.parent.executable": "/usr/sbin/slurmstepd",
        "process.parent.command_line": "/usr/sbin/slurmstepd slurmstepd: [4711.batch]",
      },
      adds: { "hpc.job.id": "4711", "hpc.step.id": "batch", "hpc.job.by": ["ancestry"] },
    },
    {
      title: "A program called slurmstepd, of a user's own",
      fields: { "process.parent.executable": "/home/eve/slurmstepd", "process.parent.command_line": "slurmstepd: [4711.batch]" },
      adds: {},
    },
    {
      title: "A record of the scheduler",
      fields: {
        "event.module": "slurm",
        "slurm.job.id": "4711",
        "slurm.cluster": "hpc",
        "slurm.job.account": "physics",
        "slurm.job.partition": "gpu",
      },
      adds: {
        "hpc.job.id": "4711",
        "hpc.cluster": "hpc",
        "hpc.account": "physics",
        "hpc.partition": "gpu",
        "hpc.job.by": ["scheduler"],
      },
    },
    {
      title: "A connection that a sensor saw: the node by the inventory",
      fields: { "source.ip": "10.1.0.7", "source.asset.node": "cn007", "source.asset.cluster": "hpc" },
      adds: { "hpc.node": "cn007", "hpc.cluster": "hpc" },
    },
    { title: "A control group that users can make", fields: { "tetragon.cgroup": "/user.slice/user-1000.slice/job_4712" }, adds: {} },
  ],
  enricher({ stepd }) {
    const daemons = new Set(stepd);
    return (fields: Fields) => {
      if (fields["hpc.job.by"] !== undefined) return;
      const node = fields["host.asset.node"] ?? fields["source.asset.node"];
      if (node !== undefined) {
        give(fields, "hpc.node", node);
        give(fields, "hpc.cluster", fields["host.asset.cluster"] ?? fields["source.asset.cluster"]);
      }
      const variables = fields["process.env_vars"];
      const group = fields["tetragon.cgroup"] ?? fields["process.cgroup"];
      const parent = fields["process.parent.executable"];
      // nearly every record is none of a job, and comes no further
      if (variables === undefined && group === undefined && fields["slurm.job.id"] === undefined && !daemons.has(parent as string)) return;
      const told = [
        byGroup(group),
        daemons.has(parent as string) ? byTitle(fields) : undefined,
        byScheduler(fields),
        byVariables(variables),
      ];
      put(
        fields,
        told.filter((one) => one !== undefined),
        variables,
      );
    };
  },
});

function put(fields: Fields, told: readonly Told[], variables: FieldValue | undefined): void {
  const [first] = told;
  if (first === undefined) return;
  const agree = told.filter(({ job }) => job === first.job);
  const others = told.filter(({ job }) => job !== first.job);
  give(fields, "hpc.job.id", first.job);
  give(fields, "hpc.step.id", agree.find(({ step }) => step !== undefined)?.step);
  fields["hpc.job.by"] = agree.map(({ by }) => by);
  if (others.length > 0) fields["hpc.job.conflict"] = others.map(({ by, job }) => `${by} ${job}`);
  give(fields, "hpc.cluster", fields["slurm.cluster"] ?? variableOf(variables, clusterVariable));
  give(fields, "hpc.account", fields["slurm.job.account"]);
  give(fields, "hpc.partition", fields["slurm.job.partition"]);
  give(fields, "user.name", fields["slurm.job.user"]);
}

function byGroup(value: FieldValue | undefined): Told | undefined {
  const path = value === undefined ? undefined : textOf(value);
  const found = path === undefined ? undefined : jobOfGroup(path);
  return found && { by: "cgroup", job: found.job, step: found.step };
}

/** slurmstepd(8) names its step in its title: `slurmstepd: [4711.batch]`. */
const title = /slurmstepd: \[(\d{1,10})\.([a-z0-9]{1,16})\]/;

function byTitle(fields: Fields): Told | undefined {
  const found = title.exec((textOf(fields["process.parent.command_line"]) ?? "").slice(0, 512));
  return found === null ? undefined : { by: "ancestry", job: found[1]!, step: found[2] };
}

function byScheduler(fields: Fields): Told | undefined {
  if (fields["event.module"] !== "slurm") return undefined;
  const job = textOf(fields["slurm.job.id"]);
  return job === undefined ? undefined : { by: "scheduler", job, step: textOf(fields["slurm.step.id"]) };
}

function byVariables(value: FieldValue | undefined): Told | undefined {
  const job = jobVariables.map((name) => variableOf(value, name)).find((one) => one !== undefined);
  if (job === undefined || !isJob.test(job)) return undefined;
  return { by: "environment", job, step: stepVariables.map((name) => variableOf(value, name)).find((one) => one !== undefined) };
}

/** `NAME=value` among the variables; at most 256 characters of it. */
function variableOf(value: FieldValue | undefined, name: string): string | undefined {
  const all = Array.isArray(value) ? value : [value];
  for (const one of all)
    if (typeof one === "string" && one.charCodeAt(name.length) === 0x3d && one.startsWith(name))
      return one.slice(name.length + 1, name.length + 257);
  return undefined;
}
