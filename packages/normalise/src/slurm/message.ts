/** What Slurm's daemons say: jobs, steps, requests, credentials, nodes. Knows no header. */
import type { Fields, FieldValue } from "@vedette/model";
import { plainIp } from "../linux/peer.ts";
import { expandHosts } from "./hostlist.ts";

/** A level in front of the message, as Slurm's log levels are called. */
export function levelOf(line: string, at: number): string {
  for (const level of ["error", "fatal", "warning"]) if (line.startsWith(`${level}: `, at)) return level;
  return line.startsWith("debug", at) ? "debug" : "info";
}

interface Saying {
  readonly pattern: RegExp;
  readonly action: string;
  readonly category: FieldValue;
  readonly type: FieldValue;
  readonly outcome?: "success" | "failure";
}
const saying = (pattern: RegExp, action: string, category: FieldValue, type: FieldValue, outcome?: "success" | "failure"): Saying => ({
  pattern,
  action,
  category,
  type,
  ...(outcome === undefined ? {} : { outcome }),
});

/** By the words a message holds, the more telling first. */
const sayings: readonly Saying[] = [
  saying(/^Security violation/i, "slurm_security_violation", ["authentication", "iam"], "denied", "failure"),
  saying(
    /Munge decode failed|auth_g_verify|authentication|Invalid authentication credential|Protocol authentication error|credential/i,
    "slurm_authentication",
    "authentication",
    "denied",
    "failure",
  ),
  saying(
    /Access\/permission denied|not authorized|Invalid user id|unauthorized|permission denied/i,
    "slurm_denied",
    "authentication",
    "denied",
    "failure",
  ),
  saying(
    /_slurm_rpc_submit_batch_job: JobId=|_slurm_rpc_allocate_resources: .{0,64}JobId=/,
    "slurm_job_submitted",
    "process",
    "info",
    "success",
  ),
  saying(
    /Allocate JobId=|_start_job: Started JobId=|backfill: Started JobId=|Started JobId=/,
    "slurm_job_started",
    "process",
    "start",
    "success",
  ),
  saying(/_job_complete: |job_complete: /, "slurm_job_completed", "process", "end"),
  saying(/REQUEST_KILL_JOB|_slurm_rpc_kill_job|job_signal|_job_signal/, "slurm_job_killed", "process", "end"),
  saying(/Launching batch job /i, "slurm_batch_launched", "process", "start", "success"),
  saying(/^launch task /, "slurm_task_launched", "process", "start", "success"),
  saying(/done with (?:job|step)|Job .{0,32} (?:finished|completed)/, "slurm_step_ended", "process", "end"),
  saying(/Time limit exhausted|CANCELLED .{0,64}DUE TO TIME LIMIT/i, "slurm_job_timeout", "process", "end", "failure"),
  saying(/oom.?kill|OUT_OF_MEMORY|exceeded memory limit/i, "slurm_out_of_memory", "process", "end", "failure"),
  saying(/not responding|setting node .{0,64} (?:to )?DOWN|state set to DOWN/i, "slurm_node_down", "host", "info", "failure"),
  saying(/now responding|returned to service|registered with/i, "slurm_node_up", "host", "info", "success"),
  saying(/update_(?:job|node|part)|_slurm_rpc_update|scontrol|reconfigure/i, "slurm_configuration", "configuration", "change"),
];

/** The message, its level in front or not. */
export function readSlurmMessage(told: string, fields: Fields): boolean {
  let text = told;
  const level = /^(?:error|fatal|warning|info|debug\d?): /.exec(text.slice(0, 16));
  if (level !== null) text = text.slice(level[0].length);
  const head = text.slice(0, 512);
  const found = level?.[0].startsWith("debug") ? undefined : sayings.find((one) => one.pattern.test(head));
  fields["event.category"] = found?.category ?? "host";
  fields["event.type"] = found?.type ?? (level?.[0].startsWith("error") || level?.[0].startsWith("fatal") ? "error" : "info");
  if (found !== undefined) {
    fields["event.action"] = found.action;
    if (found.outcome !== undefined) fields["event.outcome"] = found.outcome;
  }
  setParts(fields, text.slice(0, 4_096));
  return found !== undefined;
}

function setParts(fields: Fields, text: string): void {
  const job = /\b(?:JobId|JobID|job|Job)[= ]?=?(\d{1,10})(?:_(\d{1,7}))?\b/.exec(text);
  const step = /\bStepId=(\d{1,10})\.(\w{1,16})/.exec(text) ?? /^\[(\d{1,10})\.(\w{1,16})\] /.exec(text);
  if (step !== null) {
    fields["slurm.job.id"] = step[1]!;
    fields["slurm.step.id"] = step[2]!;
  } else if (job !== null) fields["slurm.job.id"] = job[1]!;
  const nodes = /\bNodeList=(\S{1,1024})/.exec(text);
  if (nodes !== null) {
    fields["slurm.job.node_list"] = nodes[1]!;
    fields["slurm.job.nodes"] = [...expandHosts(nodes[1]!)];
  }
  const partition = /\bPartition=(\S{1,128})/.exec(text);
  if (partition !== null) fields["slurm.job.partition"] = partition[1]!;
  const cpus = /#CPUs=(\d{1,9})\b/.exec(text);
  if (cpus !== null) fields["slurm.job.cpus"] = Number(cpus[1]);
  const uid = /\b(?:UID|uid|user id)[:= ](\d{1,10})\b/.exec(text);
  if (uid !== null) fields["user.id"] = uid[1]!;
  const gid = /\bGID:(\d{1,10})\b/.exec(text);
  if (gid !== null) fields["group.id"] = gid[1]!;
  const status = /\bWEXITSTATUS (\d{1,3})\b/.exec(text);
  if (status !== null) {
    fields["process.exit_code"] = Number(status[1]);
    fields["event.outcome"] = status[1] === "0" ? "success" : "failure";
  }
  setPeer(fields, text);
}

/** `HOST:10.0.0.1 PORT:4`, `[10.0.0.1:4]`, `from 10.0.0.1:4`. */
function setPeer(fields: Fields, text: string): void {
  const found =
    /\bHOST:([0-9a-fA-F.:]{2,45}) PORT:(\d{1,5})\b/.exec(text) ??
    /\[\[?([0-9a-fA-F.:]{2,45}?)\]?:(\d{1,5})\]/.exec(text) ??
    /\bfrom ([0-9.]{7,15}):(\d{1,5})\b/.exec(text);
  const address = found === null ? undefined : plainIp(found[1]!);
  if (found === null || address === undefined) return;
  fields["source.ip"] = address;
  fields["source.port"] = Number(found[2]);
}
