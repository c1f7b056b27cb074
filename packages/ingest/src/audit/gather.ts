/**
 * Finds the messages that are records of one Linux audit event (SYSCALL, EXECVE, CWD, PATH, PROCTITLE with one `audit(TIME:ID)`), so that they become
 * one record. Looks at the messages alone, so that the same bytes give the same records however they come in pieces; knows no field's meaning.
 */

/** One message of a stream: `start` and `next` tell where it and its successor begin. */
export interface Message {
  readonly start: number;
  readonly next: number;
  readonly body: Buffer;
}
/** The whole message that begins there; undefined while it is not all there; `end` where what is there is none that can be put to others. */
export type MessageAt = (at: number) => Message | "end" | undefined;

/** Messages that are one record each, in the order of their first; `next`: where the first message begins that is not among them. */
export interface Gathered {
  readonly next: number;
  readonly records: readonly (readonly Message[])[];
}

/** Records end an event where libaudit has its events end: no more came for two seconds of the audit clock (`end_of_event_timeout`). */
const patience_ms = 2_000;
/** Or that many messages later: the processors of a large machine write their records among one another's, six or so an event. */
export const patience = 256;
/** Bytes looked at together; the kernel cuts what it tells of one event at 8 KiB a record. */
const maxGathered = 131_072;

/** The record that the kernel writes last of each event; EOE is not written to files. */
const last = new Set(["PROCTITLE", "1327", "EOE", "1320"]);
/** Records that never stand alone: the kernel's word on a system call, and what belongs to it. */
const parts = new Set(
  (
    "SYSCALL PATH IPC SOCKETCALL SOCKADDR CWD EXECVE IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY MQ_GETSETATTR FD_PAIR OBJ_PID BPRM_FCAPS CAPSET MMAP " +
    "KERN_MODULE URINGOP OPENAT2 1300 1302 1303 1304 1306 1307 1309 1311 1312 1313 1314 1315 1317 1318 1321 1322 1323 1330 1336 1337"
  ).split(" "),
);
/** Records of the kernel that come before the system call's, if it writes one. */
const heralds =
  /^(?:AVC|AVC_PATH|SELINUX_ERR|LOGIN|CONFIG_CHANGE|SECCOMP|NETFILTER_\w+|BPF|FANOTIFY|KERNEL_OTHER|FEATURE_CHANGE|TIME_\w+|EVENT_LISTENER|MAC_\w+|INTEGRITY_\w+|ANOM_(?:PROMISCUOUS|ABEND|LINK|CREAT)|1006|1305|13[2-9]\d|1[4578]\d\d)$/;

/** As much of a message as may stand before `audit(`: a syslog header, `node=NAME` and the type. */
const maxHead = 512;
const mark = Buffer.from("msg=audit(");

export interface Stamp {
  readonly type: string;
  /** Who wrote it, when, and the event's number. */
  readonly key: string;
  readonly time_ms: number;
}

/** What the message says of the event it belongs to; undefined for one that is no audit record. */
export function auditStamp(body: Buffer): Stamp | undefined {
  const at = body.subarray(0, maxHead).indexOf(mark);
  if (at < 5) return undefined;
  const type = /(?:^|[ :>])type=([A-Z0-9_]{2,40}) $/.exec(body.toString("latin1", Math.max(0, at - 64), at));
  const id = /^(\d{1,11})\.(\d{3}):(\d{1,20})\)/.exec(body.toString("latin1", at + mark.length, at + mark.length + 40));
  if (type === null || id === null) return undefined;
  const head = at - type[0].length > 0 ? writer(body.toString("latin1", 0, at - type[0].length)) : "";
  return { type: type[1]!, key: `${head}\0${id[1]}.${id[2]}:${id[3]}`, time_ms: Number(id[1]) * 1_000 + Number(id[2]) };
}

/** Whether it is the kernel's last word on its event. */
export const endsEvent = ({ type }: Stamp): boolean => last.has(type);
/** Whether more of its event is sure to come, or has come. */
export const isPart = ({ type }: Stamp): boolean => parts.has(type);

/** A syslog header without its numbers and stamps, which differ among the records of one event. */
const writer = (head: string): string =>
  head
    .split(" ")
    .filter((word) => !/^\d*$/.test(word))
    .map((word) => (/[:<[]/.test(word) ? word.replace(/\d+/g, "") : word))
    .join(" ");

class Group {
  readonly messages: Message[];
  readonly time_ms: number;
  readonly first: number;
  last: number;
  open: boolean;
  /** How many other messages may come before it is over. */
  patience: number;

  constructor(message: Message, index: number, time_ms: number, waits: number) {
    this.messages = [message];
    this.first = index;
    this.last = index;
    this.time_ms = time_ms;
    this.open = waits > 0;
    this.patience = waits;
  }
}

/**
 * The records from the message at `at` on, until no event is left open; undefined while it takes more to know.
 * @param done no more is to be waited for: what is there is all there is
 */
export function gather(at: number, messageAt: MessageAt, done: boolean): Gathered | undefined {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  let next = at;
  for (let index = 0; index === 0 || open.size > 0; index++) {
    const message = messageAt(next);
    if (message === "end") break;
    if (message === undefined) {
      if (done || groups.length === 0) break;
      return settled(groups);
    }
    if (message.next - at > maxGathered && groups.length > 0) return settled(groups) ?? { next, records: groups.map((g) => g.messages) };
    place(message, index, groups, open);
    next = message.next;
  }
  return { next, records: groups.map((g) => g.messages) };
}

function place(message: Message, index: number, groups: Group[], open: Map<string, Group>): void {
  const stamp = auditStamp(message.body);
  const own = stamp && open.get(stamp.key);
  for (const [key, group] of open) {
    if (group === own) continue;
    const late = stamp !== undefined && stamp.time_ms - group.time_ms >= patience_ms;
    if (late || index - group.last >= group.patience) close(key, group, open);
  }
  if (own !== undefined) {
    own.messages.push(message);
    own.last = index;
    own.patience = patience;
    if (endsEvent(stamp!)) close(stamp!.key, own, open);
    return;
  }
  const waits = stamp === undefined ? 0 : isPart(stamp) ? patience : heralds.test(stamp.type) && !endsEvent(stamp) ? 1 : 0;
  const group = new Group(message, index, stamp?.time_ms ?? 0, waits);
  groups.push(group);
  if (group.open) open.set(stamp!.key, group);
}

function close(key: string, group: Group, open: Map<string, Group>): void {
  group.open = false;
  open.delete(key);
}

/** Those before the first that is still open, unless one of them goes on behind it. */
function settled(groups: readonly Group[]): Gathered | undefined {
  const waiting = groups.findIndex((group) => group.open);
  if (waiting <= 0) return undefined;
  const { first, messages } = groups[waiting]!;
  const before = groups.slice(0, waiting);
  if (before.some((group) => group.last > first)) return undefined;
  return { next: messages[0]!.start, records: before.map((group) => group.messages) };
}

const lineFeed = Buffer.from("\n");

/** The messages as lines of one text; without a copy where they are that already. */
export function bodyOf(messages: readonly Message[], bytes: Buffer): Buffer {
  const [first, ...others] = messages;
  if (others.length === 0) return first!.body;
  let end = first!.body;
  const adjoin = others.every(({ body }) => {
    const gap = body.byteOffset - end.byteOffset - end.length;
    const joined =
      body.buffer === bytes.buffer &&
      end.buffer === bytes.buffer &&
      gap === 1 &&
      bytes[end.byteOffset + end.length - bytes.byteOffset] === 0x0a;
    end = body;
    return joined;
  });
  if (adjoin) {
    const start = first!.body.byteOffset - bytes.byteOffset;
    return bytes.subarray(start, end.byteOffset + end.length - bytes.byteOffset);
  }
  return Buffer.concat(messages.flatMap(({ body }, i) => (i === 0 ? [body] : [lineFeed, body])));
}

/** What a cutter gathers with: finds the audit records among other messages without looking at each. */
export class AuditGatherer {
  /** Something of the bytes cut last waits for what may belong to it. */
  holding = false;
  #settling = false;
  #bytes: Buffer | undefined;
  #mark = -1;

  /** What is held is not waited for any longer: the next cut takes it as it is. */
  settle(): void {
    this.#settling = true;
  }

  /** To be called before each cut. */
  begin(bytes: Buffer): void {
    this.holding = false;
    this.#bytes = bytes;
    this.#mark = bytes.indexOf(mark);
  }

  /** To be called at the end of each cut. */
  end(): void {
    this.#settling = false;
    this.#bytes = undefined;
  }

  /** Whether the message within these bytes may be an audit record. */
  concerns(at: number, stop: number): boolean {
    if (this.#mark >= 0 && this.#mark < at) this.#mark = this.#bytes!.indexOf(mark, at);
    return this.#mark >= at && this.#mark < stop;
  }

  /** As `gather`; `holding` tells that there is something to wait for. */
  gather(at: number, messageAt: MessageAt, final: boolean): Gathered | undefined {
    const gathered = gather(at, messageAt, final || this.#settling);
    this.holding = gathered === undefined;
    return gathered;
  }
}
