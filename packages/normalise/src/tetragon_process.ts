/** Writes the processes of a Tetragon event as ECS has them, with their container, pod and Slurm job. Knows no kind of event. */
import { type JsonObject, type JsonValue, jobOfGroup } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { flattenValue } from "./json/flatten.ts";
import { isObject } from "./json/parse.ts";

const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
const whole = (value: JsonValue | undefined): number | undefined =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;

/** What user ids look like when nobody logged in: `(uid_t)-1`. */
const nobody = 4_294_967_295;
/** Arguments and variables kept as lists; the command line holds all of them. */
const maxArguments = 256;
const maxVariables = 64;

interface Keys {
  readonly executable: string;
  readonly name: string;
  readonly commandLine: string;
  readonly args: string;
  readonly pid: string;
  readonly entity: string;
  readonly directory: string;
  readonly start: string;
}
const keysOf = (prefix: string): Keys => ({
  executable: `${prefix}.executable`,
  name: `${prefix}.name`,
  commandLine: `${prefix}.command_line`,
  args: `${prefix}.args`,
  pid: `${prefix}.pid`,
  entity: `${prefix}.entity_id`,
  directory: `${prefix}.working_directory`,
  start: `${prefix}.start`,
});
const ownKeys = keysOf("process");
const parentKeys = keysOf("process.parent");

/** The process an event is about, its user, surroundings and privileges. */
export function putProcess(fields: Fields, process: JsonObject): void {
  putCommon(fields, process, ownKeys);
  put(fields, "process.parent.entity_id", text(process["parent_exec_id"]));
  put(fields, "process.thread.id", whole(process["tid"]));
  const uid = whole(process["uid"]);
  if (uid !== undefined) fields["user.id"] = String(uid);
  const user = process["user"];
  if (isObject(user)) put(fields, "user.name", text(user["name"]));
  const auid = whole(process["auid"]);
  if (auid !== undefined && auid !== nobody) fields["process.real_user.id"] = String(auid);
  put(fields, "tetragon.process.flags", text(process["flags"]));
  const caps = process["cap"];
  if (isObject(caps)) flattenValue(caps["effective"], fields, "tetragon.process.cap.effective");
  flattenValue(process["process_credentials"], fields, "tetragon.process.credentials");
  flattenValue(process["binary_properties"], fields, "tetragon.process.binary_properties");
  putHostNamespaces(fields, process["ns"]);
  putContainer(fields, process);
  putJob(fields, process);
}

/** What is known of the parent. */
export function putParent(fields: Fields, parent: JsonObject): void {
  putCommon(fields, parent, parentKeys);
}

function putCommon(fields: Fields, process: JsonObject, keys: Keys): void {
  const binary = text(process["binary"]);
  const given = text(process["arguments"]);
  if (binary !== undefined) {
    fields[keys.executable] = binary;
    const name = binary.slice(binary.lastIndexOf("/") + 1);
    if (name !== "") fields[keys.name] = name;
    fields[keys.commandLine] = given === undefined ? binary : `${binary} ${given}`;
    fields[keys.args] = given === undefined ? [binary] : [binary, ...splitArguments(given)];
  }
  put(fields, keys.pid, whole(process["pid"]));
  put(fields, keys.entity, text(process["exec_id"]));
  put(fields, keys.directory, text(process["cwd"]));
  put(fields, keys.start, text(process["start_time"]));
}

/** Tetragon joins arguments by blanks and quotes those that hold one, without escaping: what cannot be told apart stays together. */
export function splitArguments(given: string): string[] {
  const args: string[] = [];
  let at = 0;
  while (at < given.length && args.length < maxArguments) {
    if (given.charCodeAt(at) === 0x20) {
      at++;
      continue;
    }
    const close = given.charCodeAt(at) === 0x22 ? given.indexOf('"', at + 1) : -1;
    const quoted = close > 0 && (close + 1 === given.length || given.charCodeAt(close + 1) === 0x20);
    const blank = given.indexOf(" ", at);
    const end = quoted ? close : blank < 0 ? given.length : blank;
    args.push(given.slice(quoted ? at + 1 : at, end));
    at = end + 1;
  }
  return args;
}

/** Namespaces the process shares with the host: for a process in a container, those it has broken out of. */
function putHostNamespaces(fields: Fields, namespaces: JsonValue | undefined): void {
  if (!isObject(namespaces)) return;
  const shared: string[] = [];
  for (const name in namespaces) {
    const namespace = namespaces[name];
    if (isObject(namespace) && namespace["is_host"] === true) shared.push(name);
  }
  if (shared.length > 0) fields["tetragon.process.host_namespaces"] = shared;
}

function putContainer(fields: Fields, process: JsonObject): void {
  const pod = process["pod"];
  if (!isObject(pod)) {
    put(fields, "container.id", text(process["docker"]));
    return;
  }
  fields["orchestrator.type"] = "kubernetes";
  fields["orchestrator.resource.type"] = "pod";
  for (const key of ["orchestrator.namespace", "kubernetes.namespace"]) put(fields, key, text(pod["namespace"]));
  for (const key of ["orchestrator.resource.name", "kubernetes.pod.name"]) put(fields, key, text(pod["name"]));
  put(fields, "kubernetes.workload.name", text(pod["workload"]));
  put(fields, "kubernetes.workload.kind", text(pod["workload_kind"]));
  const container = pod["container"];
  if (!isObject(container)) return;
  // The runtime stands in front: containerd://0123…
  const id = text(container["id"]);
  const scheme = id?.indexOf("://") ?? -1;
  if (id !== undefined && scheme > 0) fields["container.runtime"] = id.slice(0, scheme);
  put(fields, "container.id", id === undefined || scheme < 0 ? id : id.slice(scheme + 3));
  put(fields, "container.name", text(container["name"]));
  const image = container["image"];
  if (isObject(image)) put(fields, "container.image.name", text(image["name"]));
}

/** The Slurm job from the environment that srun sets, else from the control group. */
function putJob(fields: Fields, process: JsonObject): void {
  putVariables(fields, process["environment_variables"]);
  const group = text(process["cgroup"]);
  if (group !== undefined) fields["tetragon.cgroup"] = group;
  if (fields["slurm.job.id"] === undefined) putJobOfGroup(fields, group ?? text(process["docker"]));
}

/** Job and step from a control group's path or name. */
export function putJobOfGroup(fields: Fields, group: string | undefined): void {
  const found = group === undefined ? undefined : jobOfGroup(group);
  if (found === undefined) return;
  fields["slurm.job.id"] = found.job;
  if (found.step !== undefined) fields["slurm.step.id"] = found.step;
}

const slurmVariables: { readonly [name: string]: string } = {
  SLURM_JOB_ID: "slurm.job.id",
  SLURM_STEP_ID: "slurm.step.id",
  SLURM_JOB_USER: "slurm.job.user",
  SLURM_JOB_ACCOUNT: "slurm.job.account",
  SLURM_JOB_PARTITION: "slurm.job.partition",
  SLURM_JOB_NAME: "slurm.job.name",
};

function putVariables(fields: Fields, variables: JsonValue | undefined): void {
  if (!Array.isArray(variables)) return;
  const all: string[] = [];
  for (const one of variables as readonly JsonValue[]) {
    if (!isObject(one)) continue;
    const name = text(one["key"]);
    const value = text(one["value"]);
    if (name === undefined || value === undefined) continue;
    if (all.length < maxVariables) all.push(`${name}=${value}`);
    const key = Object.hasOwn(slurmVariables, name) ? slurmVariables[name] : undefined;
    if (key !== undefined) fields[key] = value;
  }
  if (all.length > 0) fields["process.env_vars"] = all;
}

function put(fields: Fields, key: string, value: string | number | undefined): void {
  if (value !== undefined) fields[key] = value;
}
