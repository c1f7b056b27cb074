/** What the records of one audit event come to, in ECS. Knows no form in which records are written. */
import { posix } from "node:path";
import { newFields } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { relate } from "../ecs/related.ts";
import { plainIp } from "../linux/peer.ts";
import { socketAddress } from "./address.ts";
import { callName, comesIn, flagsArgument, kindOf } from "./calls.ts";

const categories: readonly (readonly [category: FieldValue, types: string])[] = [
  ["process", "EXECVE SYSCALL PROCTITLE USER_CMD BPRM_FCAPS SECCOMP ANOM_ABEND"],
  ["authentication", "USER_LOGIN USER_AUTH USER_ERR USER_ACCT CRED_ACQ CRED_DISP CRED_REFR LOGIN ANOM_LOGIN_FAILURES"],
  ["session", "USER_START USER_END USER_LOGOUT"],
  ["iam", "ADD_USER DEL_USER ADD_GROUP DEL_GROUP USER_MGMT GRP_MGMT USER_CHAUTHTOK ACCT_LOCK ACCT_UNLOCK ROLE_ASSIGN"],
  [
    "configuration",
    "CONFIG_CHANGE DAEMON_CONFIG DAEMON_START DAEMON_END DAEMON_ABORT SERVICE_START SERVICE_STOP FEATURE_CHANGE MAC_CONFIG_CHANGE",
  ],
  ["file", "PATH CWD FS_RELABEL"],
  ["network", "SOCKADDR NETFILTER_CFG NETFILTER_PKT"],
  ["driver", "KERN_MODULE"],
];
const categoryOf = new Map(categories.flatMap(([category, types]) => types.split(" ").map((type) => [type, category] as const)));

/** Where a record's keys go in ECS; every key stays as auditd.<key> too, which is what rules name. */
const ecs = new Map<string, string>([
  ["pid", "process.pid"],
  ["ppid", "process.parent.pid"],
  ["exe", "process.executable"],
  ["comm", "process.name"],
  ["cwd", "process.working_directory"],
  ["uid", "user.id"],
  ["euid", "user.effective.id"],
  ["auid", "user.audit.id"],
  ["gid", "group.id"],
  ["acct", "user.name"],
  // What auditd resolved itself (log_format = ENRICHED).
  ["AUID", "user.audit.name"],
  ["EUID", "user.effective.name"],
  ["GID", "group.name"],
]);
const numeric = new Set(["pid", "ppid"]);
const nothing = new Set(["?", "(null)", "(none)", ""]);

/** `a0` to `a9999`, and pieces of long ones (`a1[0]`). */
const argument = /^a(\d{1,4})(?:\[\d{1,4}\])?$/;
/** Different values of a key that many records have. */
const maxValues = 64;

interface FileObject {
  readonly name: string;
  readonly kind: string | undefined;
}

/** To be told of each record and its pairs, in order, then asked for the fields. */
export class AuditEvent {
  readonly fields: Fields = newFields();
  readonly #types: string[] = [];
  readonly #args: string[] = [];
  readonly #files: FileObject[] = [];
  #command: string | undefined;
  #title: string | undefined;
  #type = "";
  #name: string | undefined;
  #kind: string | undefined;
  #account: string | undefined;

  record(type: string): void {
    this.#endPath();
    this.#type = type;
    if (!this.#types.includes(type)) this.#types.push(type);
  }

  pair(key: string, value: string): void {
    if (key === "type" || value === "?" || value === "(null)" || value === "(none)") return;
    const place = this.#type === "EXECVE" ? argument.exec(key) : null;
    if (place !== null) this.#argument(Number(place[1]), value);
    else this.#keep(`auditd.${key}`, value);
    const target = ecs.get(key);
    if (target !== undefined) {
      if (!nothing.has(value)) this.fields[target] = numeric.has(key) && Number(value) >= 0 ? Number(value) : value;
    } else this.#special(key, value);
  }

  #special(key: string, value: string): void {
    const { fields } = this;
    if (key === "success" || key === "res" || key === "result") setOutcome(fields, value);
    else if (key === "addr") {
      const address = plainIp(value);
      if (address !== undefined) fields["source.ip"] = address;
    } else if (key === "proctitle") this.#title = value;
    else if (key === "cmd") this.#command = value;
    else if (key === "name") this.#name = value;
    else if (key === "nametype" || key === "objtype") this.#kind = value;
    else if (key === "UID") this.#account = value;
  }

  /** Of several records that have a key, all different values are kept. */
  #keep(name: string, value: string): void {
    const before = this.fields[name];
    if (before === undefined) this.fields[name] = value;
    else if (Array.isArray(before)) {
      const list = before as string[];
      if (list.length < maxValues && !list.includes(value)) list.push(value);
    } else if (before !== value) this.fields[name] = [before as string, value];
  }

  /** An argument stands for itself: what the system call's record has under the same key is the address of a pointer. */
  #argument(index: number, value: string): void {
    const piece = this.#args.length === index + 1;
    if (piece) this.#args[index] += value;
    else if (this.#args.length === index) this.#args.push(value);
    this.fields[`auditd.a${index}`] = piece ? this.#args[index]! : value;
  }

  #endPath(): void {
    if (this.#type === "PATH" && this.#name !== undefined) this.#files.push({ name: this.#name, kind: this.#kind });
    this.#name = undefined;
    this.#kind = undefined;
  }

  /** Undefined where no record told anything. */
  finish(): Fields | undefined {
    this.#endPath();
    const { fields } = this;
    if (this.#types.length === 0) return undefined;
    const [first, ...others] = this.#types;
    fields["event.kind"] = "event";
    fields["event.dataset"] = "auditd.log";
    fields["event.module"] = "auditd";
    fields["auditd.type"] = others.length === 0 ? first! : this.#types;
    this.#classify(first!);
    this.#commandLine();
    this.#setFiles();
    this.#setAddress();
    if (this.#account !== undefined) fields["user.name"] ??= this.#account;
    relate(fields);
    return fields;
  }

  #classify(first: string): void {
    const { fields } = this;
    const call = callName(textIn(fields["auditd.arch"]), textIn(fields["auditd.syscall"])) ?? textIn(fields["auditd.SYSCALL"]);
    if (call !== undefined && this.#types.includes("SYSCALL")) fields["auditd.SYSCALL"] = call;
    const executes = this.#types.includes("EXECVE");
    const kind = executes ? (["process", "start"] as const) : kindOf(call);
    fields["event.category"] = kind?.[0] ?? categoryOf.get(first) ?? "host";
    fields["event.type"] = kind?.[1] ?? "info";
    fields["event.action"] = executes ? "execve" : (call ?? first.toLowerCase());
  }

  /** EXECVE's arguments are whole; a title is cut after 128 bytes, and the program may have written it. */
  #commandLine(): void {
    const { fields } = this;
    const args = this.#args;
    if (args.length > 0) fields["process.args"] = args;
    const line = args.length > 0 ? args.join(" ") : (this.#command ?? this.#title);
    if (line !== undefined && line !== "") fields["process.command_line"] = line;
  }

  #setFiles(): void {
    const { fields } = this;
    const files = this.#files;
    if (files.length === 0) return;
    const folder = textIn(fields["process.working_directory"]);
    for (const { name } of files) if (folder !== undefined && !name.startsWith("/")) this.#keep("auditd.name", absolute(folder, name));
    // What a program was started from is the process's affair.
    if (fields["event.category"] === "process" && this.#types.length > 1) return;
    const made = files.filter(({ kind }) => kind === "CREATE");
    const gone = files.filter(({ kind }) => kind === "DELETE");
    const own = files.filter(({ kind }) => kind !== "PARENT");
    const objects = made.length > 0 ? made : gone.length > 0 ? gone : own.length > 0 ? own : files;
    const paths = [...new Set(objects.map(({ name }) => (folder === undefined ? name : absolute(folder, name))))];
    fields["file.path"] = paths.length === 1 ? paths[0]! : paths;
    if (fields["event.category"] === "file") this.#setChange(made.length > 0, gone.length > 0);
  }

  #setChange(made: boolean, gone: boolean): void {
    const { fields } = this;
    const call = textIn(fields["auditd.SYSCALL"]);
    if (made && gone) fields["event.type"] = ["creation", "deletion", "change"];
    else if (made) fields["event.type"] = "creation";
    else if (gone) fields["event.type"] = "deletion";
    else {
      const at = flagsArgument(call);
      const flags = at === undefined ? 0 : Number.parseInt(textIn(fields[`auditd.${at}`]) ?? "0", 16);
      // O_WRONLY, O_RDWR, O_TRUNC
      if ((flags & 0o1003) !== 0) fields["event.type"] = "change";
    }
  }

  #setAddress(): void {
    const { fields } = this;
    const hex = textIn(fields["auditd.saddr"]);
    const address = hex === undefined ? undefined : socketAddress(hex);
    if (address === undefined) return;
    const incoming = comesIn(textIn(fields["auditd.SYSCALL"]));
    if (address.ip !== undefined) {
      fields[incoming ? "source.ip" : "destination.ip"] = address.ip;
      fields[incoming ? "source.port" : "destination.port"] = address.port;
      if (fields["event.category"] === "network") fields["network.direction"] = incoming ? "ingress" : "egress";
    } else if (address.path !== undefined) fields["file.path"] ??= address.path;
  }
}

/** The value, or the first of several. */
function textIn(value: FieldValue | undefined): string | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" ? one : undefined;
}

const absolute = (folder: string, name: string): string => (name.startsWith("/") ? name : posix.join(folder, name));

function setOutcome(fields: Fields, value: string): void {
  if (value === "yes" || value === "success" || value === "1") fields["event.outcome"] = "success";
  else if (value === "no" || value === "failed" || value === "0") fields["event.outcome"] = "failure";
}
