/** Audit events as JSON: laurel's (an object a record type) and go-audit's (records as lines). Knows how they stand there, not what they mean. */
import type { Decoded, JsonObject, JsonValue } from "@vedette/kit";
import { isObject } from "../json/parse.ts";
import { parseEpochSeconds } from "../time/parse.ts";
import { AuditEvent } from "./event.ts";
import { eachPair, typeName } from "./record.ts";

/** Records of one event, values of one list: the kernel tells of fewer. */
const maxRecords = 1_024;

/** As `JsonKind.claims`. */
export function isAuditDocument(object: JsonObject): number {
  if (typeof object["ID"] === "string" && laurelId.test(object["ID"])) return 1;
  return isGoAudit(object) ? 1 : 0;
}

const laurelId = /^(\d{1,11}\.\d{3}):(\d{1,20})$/;

const isGoAudit = (object: JsonObject): boolean => {
  const { messages } = object;
  const first = Array.isArray(messages) ? (messages as readonly JsonValue[])[0] : undefined;
  return object["sequence"] !== undefined && object["timestamp"] !== undefined && isObject(first) && typeof first["data"] === "string";
};

/** Undefined where it is neither. */
export function auditDocument(object: JsonObject): Decoded | undefined {
  const id = typeof object["ID"] === "string" ? laurelId.exec(object["ID"]) : null;
  if (id !== null) return fromLaurel(object, id[1]!, id[2]!);
  return isGoAudit(object) ? fromGoAudit(object) : undefined;
}

const scalar = (value: JsonValue | undefined): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;

function fromLaurel(object: JsonObject, seconds: string, sequence: string): Decoded | undefined {
  const event = new AuditEvent();
  for (const type in object) {
    if (type === "ID" || type === "NODE" || type === "PARENT_INFO" || !/^[A-Z][A-Z0-9_]{1,40}$/.test(type)) continue;
    const value = object[type];
    const records = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
    for (const record of records.slice(0, maxRecords)) if (isObject(record)) addLaurel(event, type, record);
  }
  const fields = event.finish();
  if (fields === undefined) return undefined;
  const node = scalar(object["NODE"]);
  if (node !== undefined) fields["host.name"] = node;
  fields["auditd.sequence"] = sequence;
  setParent(event, object["PARENT_INFO"]);
  const syscall = object["SYSCALL"];
  if (isObject(syscall)) setParent(event, syscall["PPID"]);
  return { time: parseEpochSeconds(seconds), fields };
}

function addLaurel(event: AuditEvent, type: string, record: JsonObject): void {
  event.record(type);
  for (const key in record) {
    const value = record[key];
    const text = scalar(value);
    if (text !== undefined) event.pair(key === "ARGV_STR" ? (type === "PROCTITLE" ? "proctitle" : "cmd") : key, plainNumber(key, text));
    else if (key === "ARGV" && Array.isArray(value)) addArguments(event, type, value as readonly JsonValue[]);
    else if (key === "SADDR" && isObject(value)) for (const name in value) event.pair(name, scalar(value[name]) ?? "?");
  }
}

/** Laurel writes numbers with their base in front; the daemon writes hex without. */
const plainNumber = (key: string, text: string): string =>
  text.startsWith("0x") && (key === "arch" || /^a\d$/.test(key)) ? text.slice(2) : text;

function addArguments(event: AuditEvent, type: string, values: readonly JsonValue[]): void {
  const args = values.slice(0, maxRecords).map((one) => scalar(one) ?? "");
  if (type === "EXECVE") for (const [i, one] of args.entries()) event.pair(`a${i}`, one);
  else event.pair("proctitle", args.join(" "));
}

/** What laurel remembers of the process that made this one. */
function setParent({ fields }: AuditEvent, told: JsonValue | undefined): void {
  if (!isObject(told)) return;
  const { ARGV: args, exe, comm } = told;
  if (Array.isArray(args)) {
    const line = (args as readonly JsonValue[]).slice(0, maxRecords).map((one) => scalar(one) ?? "");
    fields["process.parent.args"] = line;
    fields["process.parent.command_line"] = line.join(" ");
  }
  if (typeof exe === "string") fields["process.parent.executable"] = exe;
  if (typeof comm === "string") fields["process.parent.name"] = comm;
}

function fromGoAudit(object: JsonObject): Decoded | undefined {
  const event = new AuditEvent();
  for (const one of (object["messages"] as readonly JsonValue[]).slice(0, maxRecords)) {
    if (!isObject(one) || typeof one["data"] !== "string") continue;
    const type = typeName(scalar(one["type"]) ?? "");
    event.record(type);
    eachPair(one["data"], 0, type === "EXECVE", (key, value) => event.pair(key, value));
  }
  const fields = event.finish();
  if (fields === undefined) return undefined;
  fields["auditd.sequence"] = scalar(object["sequence"]);
  const users = object["uid_map"];
  const user = isObject(users) ? scalar(users[String(fields["user.id"])]) : undefined;
  if (user !== undefined) fields["user.name"] = user;
  return { time: parseEpochSeconds(scalar(object["timestamp"]) ?? ""), fields };
}
