/** A Slurm job as an event, whoever tells of it: sacct, squeue, the job completion plug-ins. Knows no way of writing it. */
import { createHash } from "node:crypto";
import { type Decoded, type JsonObject, type JsonValue, newFields } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { compileMapping, putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { path, valueAt } from "../json/path.ts";
import { formatTime } from "../time/parse.ts";
import { expandHosts } from "./hostlist.ts";

/** The names by which versions and tools know each part; sacct's columns are spelt small. */
const map = compileMapping({
  "slurm.job.id": ["job_id", "jobid", "id"],
  "slurm.job.name": ["job_name", "jobname", "name"],
  "slurm.job.account": "account",
  "slurm.job.partition": "partition",
  "slurm.job.qos": "qos",
  "slurm.job.reservation": ["reservation", "resv_name", "reservation.name"],
  "slurm.job.node_list": ["nodes", "nodelist", "node_list", "job_resources.nodes.list"],
  "slurm.job.tres": ["tres_alloc_str", "tres_alloc", "alloctres", "tres.allocated"],
  "slurm.job.tres_requested": ["tres_req_str", "tres_req", "reqtres"],
  "slurm.job.submit_line": ["submit_line", "submitline"],
  "slurm.job.comment": ["comment.job", "comment"],
  "slurm.job.kill_user": ["kill_request_user"],
  "slurm.job.state_reason": ["state_reason", "state.reason"],
  "slurm.cluster": "cluster",
  "orchestrator.cluster.name": "cluster",
  "user.name": ["user_name", "username", "user", "association.user"],
  "user.id": ["user_id", "uid"],
  "group.name": ["group_name", "groupname", "group"],
  "group.id": ["group_id", "gid"],
  "process.working_directory": ["work_dir", "workdir", "working_directory", "current_working_directory"],
  "process.command_line": "command",
});

/** Entries that are numbers: cpus and nodes are `{set, infinite, number}` from 23.02 on, and counts before. */
const counts: readonly (readonly [field: string, names: readonly string[]])[] = [
  ["slurm.job.cpus", ["total_cpus", "cpus", "ncpus", "alloccpus", "nprocs"]],
  ["slurm.job.node_count", ["node_count", "nnodes", "allocation_nodes", "alloc_node"]],
  ["slurm.job.priority", ["priority"]],
];
const times = {
  submit: ["@submit", "submit_time", "time.submission", "submit"],
  start: ["@start", "start_time", "time.start", "start"],
  end: ["@end", "end_time", "time.end", "end"],
};

/** Numbers that are names: of an array or of a job of several parts, and which of it this is. Where there is none of it, its id is 0 or unset. */
const wholes: readonly (readonly [whole: string, names: readonly string[], part: string, parts: readonly string[]])[] = [
  ["slurm.job.array.id", ["array_job_id", "array.job_id"], "slurm.job.array.task", ["array_task_id", "array.task_id"]],
  ["slurm.job.het.id", ["het_job_id", "het.job_id"], "slurm.job.het.offset", ["het_job_offset", "het.job_offset"]],
];

type Names = readonly ReturnType<typeof path>[];
const wholePaths = wholes.map(([whole, names, part, parts]) => [whole, names.map(path), part, parts.map(path)] as const);
const countPaths = counts.map(([field, names]) => [field, names.map(path)] as const);
const timePaths = { submit: times.submit.map(path), start: times.start.map(path), end: times.end.map(path) };
const statePaths = ["job_state", "state.current", "state"].map(path);
const cpusPath = path("required.CPUs");
const tresPath = path("tres.allocated");
const signalPath = path("signal.id");
const oldSignalPath = path("signal.signal_id");
const exitPaths = ["exit_code", "exitcode", "derived_exit_code"].map(path);

function first(job: JsonObject, names: Names): JsonValue | undefined {
  for (const name of names) {
    const value = valueAt(job, name);
    if (value !== undefined && value !== "") return value;
  }
  return undefined;
}

/** A number, or the number of a `{set, infinite, number}`; undefined where it is unset. */
function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "string" && value !== "") return Number.isFinite(Number(value)) ? Number(value) : undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const told = value as JsonObject;
  return told["set"] === false || told["infinite"] === true ? undefined : numberOf(told["number"]);
}

/** Words that end a job, and how. */
const failures = new Set(["FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE", "LAUNCH_FAILED"]);
const ended = new Set(["COMPLETED", "CANCELLED", "PREEMPTED", "REVOKED", ...failures]);
const running = new Set(["RUNNING", "COMPLETING", "SUSPENDED", "RESIZING", "STOPPED", "SIGNALING", "STAGE_OUT"]);
/** Flags among them: a job that waits may be told by one of these alone. */
const waiting = new Set([
  "PENDING",
  "CONFIGURING",
  "POWER_UP_NODE",
  "EXPEDITING",
  "REQUEUED",
  "REQUEUE_HOLD",
  "REQUEUE_FED",
  "RESV_DEL_HOLD",
  "SPECIAL_EXIT",
]);

/** Whether a word is one of Slurm's states, with or without what follows it (`CANCELLED by 1000`). */
export function isState(text: string): boolean {
  const word = text.split(" ", 1)[0] ?? "";
  return ended.has(word) || waiting.has(word) || running.has(word);
}

/** @param of whose state it is */
function setState(fields: Fields, told: JsonValue | undefined, of: "job" | "step"): void {
  const words = Array.isArray(told) ? (told as readonly JsonValue[]) : [told];
  const text = typeof words[0] === "string" ? words[0] : "UNKNOWN";
  const state = text.split(" ", 1)[0]!.slice(0, 64);
  fields[`slurm.${of}.state`] = state;
  fields["event.action"] = `slurm_${of}_${state.toLowerCase()}`;
  fields["event.type"] = ended.has(state) ? "end" : running.has(state) ? "start" : "info";
  if (state === "COMPLETED") fields["event.outcome"] = "success";
  else if (failures.has(state)) fields["event.outcome"] = "failure";
  else if (ended.has(state)) fields["event.outcome"] = "unknown";
  const by = /^CANCELLED by (\d{1,10})$/.exec(text);
  if (by !== null) fields["slurm.job.kill_user"] = by[1]!;
}

/** `0:15`: exit status and signal; in JSON an object. */
function setExit(fields: Fields, told: JsonValue | undefined): void {
  if (typeof told === "string" && /^\d{1,3}:\d{1,3}$/.test(told)) {
    const [code, signal] = told.split(":", 2);
    fields["process.exit_code"] = Number(code);
    if (signal !== "0") fields["slurm.job.signal"] = Number(signal);
    return;
  }
  const object = typeof told === "object" && told !== null && !Array.isArray(told) ? (told as JsonObject) : undefined;
  const code = numberOf(object === undefined ? told : object["return_code"]);
  const signal = object === undefined ? undefined : (numberOf(valueAt(object, signalPath)) ?? numberOf(valueAt(object, oldSignalPath)));
  if (signal !== undefined && signal !== 0) fields["slurm.job.signal"] = signal;
  if (code !== undefined && object !== undefined) fields["process.exit_code"] = code;
  else if (code !== undefined) fields["process.exit_code"] = code > 255 ? code >> 8 : code;
}

/** `4711`, `4711_7`, `4711_[8-20%4]`, `4711+1`, and each with `.batch`: what sacct calls a job, a task, those that wait, a part, and a step of it. */
const called = /^(\d{1,10})(?:_(?:(\d{1,7})|\[[^\]]{1,1024}\]?)|\+(\d{1,5}))?(?:\.(\w{1,16}))?(?:\+\d{1,5})?$/;

/** What sacct's name of a job holds besides its number; the number by which nodes know it is JobIDRaw. */
function setNames(fields: Fields, job: JsonObject, names: RegExpExecArray): void {
  const [, id, task, offset, step] = names;
  const raw = typeof job["jobidraw"] === "string" ? called.exec(job["jobidraw"]) : null;
  const parted = task !== undefined || names[0].includes("[");
  if (raw !== null) fields["slurm.job.id"] = raw[1]!;
  else if (offset !== undefined) fields["slurm.job.id"] = `${id}+${offset}`;
  else fields["slurm.job.id"] = task === undefined ? id! : `${id}_${task}`;
  if (parted) fields["slurm.job.array.id"] = id!;
  if (task !== undefined) fields["slurm.job.array.task"] = task;
  if (offset !== undefined) [fields["slurm.job.het.id"], fields["slurm.job.het.offset"]] = [id!, offset];
  if (step !== undefined) fields["slurm.step.id"] = step;
}

/**
 * A job, or a step of one, which sacct lists below its job: that has a dataset of its own (`slurm.step`), as it says when the step began and ended.
 * @param readTime reads a stamp as its writer gives it
 */
export function jobEvent(job: JsonObject, readTime: (value: JsonValue | undefined) => Micros | undefined): Decoded {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "slurm";
  const names = typeof job["jobid"] === "string" ? called.exec(job["jobid"]) : null;
  const of = names?.[4] === undefined ? "job" : "step";
  fields["event.dataset"] = `slurm.${of}`;
  fields["event.category"] = "process";
  setState(fields, first(job, statePaths), of);
  map(job, fields);
  if (fields["slurm.job.state_reason"] === "None") delete fields["slurm.job.state_reason"];
  for (const [field, names] of countPaths) {
    const value = numberOf(first(job, names));
    if (value !== undefined) fields[field] = value;
  }
  const cpus = allocated(job) ?? numberOf(valueAt(job, cpusPath));
  if (cpus !== undefined) fields["slurm.job.cpus"] ??= cpus;
  for (const [whole, names, part, parts] of wholePaths) {
    const [id, which] = [numberOf(first(job, names)), numberOf(first(job, parts))];
    if (id === undefined || id === 0) continue;
    fields[whole] = String(id);
    if (which !== undefined) fields[part] = String(which);
  }
  if (names !== null) setNames(fields, job, names);
  setExit(fields, first(job, exitPaths));
  setNodes(fields);
  setScript(fields, job["script"]);
  const time = setTimes(fields, job, readTime);
  relate(fields);
  return { time, fields };
}

/** Processors that `sacct --json` lists among what a job was given. */
function allocated(job: JsonObject): number | undefined {
  const tres = valueAt(job, tresPath);
  if (!Array.isArray(tres)) return undefined;
  const cpu = (tres as readonly JsonValue[])
    .slice(0, 64)
    .find((one) => typeof one === "object" && one !== null && (one as JsonObject)["type"] === "cpu");
  return numberOf((cpu as JsonObject | undefined)?.["count"]);
}

function setNodes(fields: Fields): void {
  const list = fields["slurm.job.node_list"];
  if (typeof list !== "string" || list === "None assigned" || list.startsWith("(")) {
    delete fields["slurm.job.node_list"];
    return;
  }
  fields["slurm.job.nodes"] = [...expandHosts(list)];
}

/** A batch script may hold secrets: its hash tells equal ones apart, its text stays in the original only. */
function setScript(fields: Fields, script: JsonValue | undefined): void {
  if (typeof script === "string" && script !== "") fields["slurm.job.script_sha256"] = createHash("sha256").update(script).digest("hex");
}

/** The event's time is the newest thing it tells: the end, else the start, else the submission. */
function setTimes(fields: Fields, job: JsonObject, readTime: (value: JsonValue | undefined) => Micros | undefined): Micros | undefined {
  const at = (names: Names) => {
    const value = first(job, names);
    const time = readTime(typeof value === "object" ? numberOf(value) : value);
    // Slurm writes 0 for what has not come to pass.
    return time === undefined || time <= 0 ? undefined : time;
  };
  const submit = at(timePaths.submit);
  const start = at(timePaths.start);
  const end = at(timePaths.end);
  const over = fields["event.type"] === "end";
  if (submit !== undefined) putField(fields, "slurm.job.submit", formatTime(submit));
  if (start !== undefined) fields["event.start"] = formatTime(start);
  // Before a job is over its end is a limit, not an event.
  if (end !== undefined && over) fields["event.end"] = formatTime(end);
  if (start !== undefined && end !== undefined && over && end >= start) fields["event.duration"] = (end - start) * 1000;
  return over ? (end ?? start ?? submit) : fields["event.type"] === "start" ? (start ?? submit) : submit;
}
