/** Takes a syslog line apart: RFC 3164, RFC 5424, and files' ISO-stamped lines. Knows no program. */
import type { Micros } from "@vedette/model";
import { digitsEnd, rfc3339At } from "../time/parse.ts";
import { epochStampAt, stampStop } from "../time/stamps.ts";
import { stampAt } from "./stamp.ts";

/** The parts of a line; reused from call to call, so copy what must last. */
export interface Header {
  /** Facility × 8 + severity; -1 where the line has none. */
  priority: number;
  time: Micros | undefined;
  /** Whether the stamp told its zone; a time without one was read as UTC. */
  zoned: boolean;
  host: string | undefined;
  /** Without path and PID, as written otherwise: `sshd`, `sshd(pam_unix)`, `CRON`, `postfix/smtpd`. */
  program: string | undefined;
  pid: number;
  /** RFC 5424's MSGID. */
  messageId: string | undefined;
  /** RFC 5424's structured data, as written. */
  structured: string | undefined;
  message: string;
}

const header: Header = {
  priority: -1,
  time: undefined,
  zoned: false,
  host: undefined,
  program: undefined,
  pid: -1,
  messageId: undefined,
  structured: undefined,
  message: "",
};

/** A host name or tag longer than this is not one (RFC 1035: 255; RFC 5424: APP-NAME 48). */
const maxName = 255;

/**
 * The line's parts. A line without a stamp is only a syslog line if it has a priority; then all of it is the message.
 * @returns undefined where it is no syslog line. The object is reused by the next call.
 */
export function parseHeader(line: string, received: Micros): Header | undefined {
  header.priority = -1;
  header.time = header.host = header.program = header.messageId = header.structured = undefined;
  header.pid = -1;
  header.zoned = false;
  let at = priorityAt(line);
  if (at > 0 && line.charCodeAt(at) === 0x31 && line.charCodeAt(at + 1) === 0x20) return rfc5424(line, at + 2);
  at = leadEnd(line, at);
  const stamp = stampAt(line, at, received);
  if (stamp === undefined) {
    if (at === 0) return stampless(line) ? header : undefined;
    // Some devices, and programs that write to the socket themselves, leave out the stamp and the host: `<86>sshd[1]: …`.
    if (/^[\w/.()-]{1,64}\[\d{1,10}\]: /.test(line.slice(at, at + 80))) tagAndMessage(line, at);
    else header.message = line.slice(at);
    return header;
  }
  header.time = stamp.time;
  header.zoned = stamp.zoned;
  let end = stamp.end;
  if (line.charCodeAt(end) !== 0x20) return undefined;
  while (line.charCodeAt(end) === 0x20) end++;
  if (stamp.kind === "tai64") {
    tagAndMessage(line, end);
    return header;
  }
  hostAndTag(line, end);
  if (header.priority >= 0 || stamp.kind === "bsd") return header;
  const withT = stamp.kind === "epoch" ? false : (line.charCodeAt(at + 10) | 0x20) === 0x74;
  return isPlausible(withT) ? header : undefined;
}

/** Where the stamp may stand: some relays write blanks after the priority, Cisco a sequence number and a colon. */
function leadEnd(line: string, from: number): number {
  let at = from;
  while (at < line.length && line.charCodeAt(at) === 0x20) at++;
  const end = digitsEnd(line, at);
  return from > 0 && end > at && end - at <= 12 && line.charCodeAt(end) === 0x3a && line.charCodeAt(end + 1) === 0x20 ? end + 2 : at;
}

/**
 * Many applications begin their own lines with an ISO date and a level: `2022-04-05 14:40:34,644 INFO …` is no syslog line. A syslog daemon writes the
 * T and a zone, and then a host; only macOS writes a blank, but with a PID.
 */
function isPlausible(withT: boolean): boolean {
  if (header.host !== undefined && !isHostName(header.host)) return false;
  return header.pid >= 0 || (withT && header.zoned && header.host !== undefined);
}

function isHostName(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
    // Digits and colon, then hyphen, dot, underscore, percent: names and addresses.
    if (!letter && !(c >= 0x30 && c <= 0x3a) && c !== 0x2d && c !== 0x2e && c !== 0x5f && c !== 0x25) return false;
  }
  return true;
}

/** `host program[pid]: message`, as `journalctl -o cat` with a prefix and some relays write. Only with a PID: anything else could be any text. */
function stampless(line: string): boolean {
  const host = line.indexOf(" ");
  const tag = host < 0 ? -1 : line.indexOf("]: ", host);
  if (host <= 0 || host > maxName || tag < 0 || tag - host > maxName || line.indexOf(" ", host + 1) !== tag + 2) return false;
  hostAndTag(line, 0);
  return header.pid >= 0;
}

/** Reads `<n>`; the index after it, or 0. */
function priorityAt(line: string): number {
  if (line.charCodeAt(0) !== 0x3c) return 0;
  const close = line.indexOf(">", 1);
  if (close < 2 || close > 4) return 0;
  const value = Number(line.slice(1, close));
  if (!(value >= 0 && value <= 191)) return 0;
  header.priority = value;
  return close + 1;
}

/** What follows the stamp: `host tag[pid]: message`, where the host may be missing (`tag[pid]: message`). */
function hostAndTag(line: string, at: number): void {
  const blank = line.indexOf(" ", at);
  if (blank < 0) {
    header.message = line.slice(at);
    return;
  }
  if (line.charCodeAt(blank - 1) === 0x3a || blank - at > maxName) {
    tagAndMessage(line, at);
    return;
  }
  header.host = line.slice(at, blank);
  let next = blank + 1;
  while (line.charCodeAt(next) === 0x20) next++;
  tagAndMessage(line, next);
}

/** macOS names applications by their titles: `Google Chrome Helper[85294]: …`. */
const spacedTag = /^(?:[A-Z][\w.+-]{0,32} ){1,3}[\w.()+-]{1,32}\[\d{1,10}\]: /;

function tagAndMessage(line: string, at: number): void {
  const colon = line.indexOf(":", at);
  const blank = line.indexOf(" ", at);
  const end = blank < 0 ? line.length : blank;
  // A tag is one word that ends in a colon, or at a `[pid]`; anything else is message from its first word on.
  let stop = end > at && line.charCodeAt(end - 1) === 0x3a ? end - 1 : -1;
  if (stop < 0 && colon >= 0 && colon < end && line.charCodeAt(colon - 1) === 0x5d) stop = colon;
  if (stop < 0) {
    const spaced = spacedTag.exec(line.slice(at, at + 128));
    if (spaced !== null) stop = at + spaced[0].length - 2;
  }
  // ProFTPD and a few others leave the colon out behind the PID.
  if (stop < 0 && isPidAt(line, at, end)) stop = end;
  if (stop <= at || stop - at > maxName) {
    header.message = line.slice(at);
    return;
  }
  setTag(line, at, stop);
  let next = stop + 1;
  if (line.charCodeAt(next) === 0x20) next++;
  // launchd names the service it speaks of: `com.apple.xpc.launchd[1] (com.apple.quicklook[21498]): …`.
  const about = line.charCodeAt(stop) === 0x20 && line.charCodeAt(next) === 0x28 ? line.indexOf("): ", next) : -1;
  header.message = line.slice(about > 0 && about - next <= maxName ? about + 3 : next);
}

/** Whether the word from `at` to `end` is `name[digits]`. */
function isPidAt(line: string, at: number, end: number): boolean {
  const open = line.lastIndexOf("[", end);
  if (line.charCodeAt(end - 1) !== 0x5d || open <= at || end - open > 12 || end - open < 3) return false;
  for (let i = open + 1; i < end - 1; i++) if (!(line.charCodeAt(i) >= 0x30 && line.charCodeAt(i) <= 0x39)) return false;
  return true;
}

function setTag(line: string, at: number, end: number): void {
  let stop = end;
  if (line.charCodeAt(end - 1) === 0x5d) {
    const open = line.lastIndexOf("[", end);
    const pid = open >= at ? Number(line.slice(open + 1, end - 1)) : Number.NaN;
    if (open > at && pid >= 0) {
      header.pid = pid;
      stop = open;
    }
    // `[sshd]:` as some tools write.
    if (open === at) {
      setProgram(line.slice(at + 1, end - 1));
      return;
    }
  }
  setProgram(line.slice(at, stop));
}

function setProgram(tag: string): void {
  let program = tag.charCodeAt(0) === 0x2f ? tag.slice(tag.lastIndexOf("/") + 1) : tag;
  // GDM's workers: `gdm-password][77]`.
  if (program.endsWith("]")) program = program.slice(0, -1);
  header.program = program === "" ? undefined : program;
}

/** Cisco Meraki's `<n>1 1374543213.342705328 HOST MESSAGE`, which has of RFC 5424 the version only. */
function versioned(line: string, time: Micros): Header {
  header.time = time;
  header.zoned = true;
  hostAndTag(line, stampStop() + 1);
  return header;
}

/** After `<n>1 `: TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG] (RFC 5424, section 6). */
function rfc5424(line: string, at: number): Header | undefined {
  const epoch = epochStampAt(line, at);
  if (epoch !== undefined) return versioned(line, epoch);
  const ends: number[] = [];
  let i = at;
  for (let n = 0; n < 5; n++) {
    const blank = line.indexOf(" ", i);
    if (blank < 0) return undefined;
    ends.push(blank);
    i = blank + 1;
  }
  const word = (n: number) => {
    const text = line.slice(n === 0 ? at : ends[n - 1]! + 1, ends[n]);
    return text === "-" || text === "" || text.length > maxName ? undefined : text;
  };
  const stamp = word(0);
  header.time = stamp === undefined ? undefined : rfc3339At(stamp, 0);
  header.zoned = true;
  if (stamp !== undefined && header.time === undefined) return undefined;
  header.host = word(1);
  const program = word(2);
  if (program !== undefined) setProgram(program);
  const pid = Number(word(3) ?? Number.NaN);
  if (pid >= 0) header.pid = pid;
  header.messageId = word(4);
  const end = structuredEnd(line, i);
  if (end < 0) return undefined;
  if (end > i + 1) header.structured = line.slice(i, end);
  let next = end;
  if (line.charCodeAt(next) === 0x20) next++;
  // A byte order mark says that the message is UTF-8.
  if (line.charCodeAt(next) === 0xfeff) next++;
  header.message = line.slice(next);
  return header;
}

/** The end of `-` or of `[…][…]`, in which a backslash escapes and quotes hide brackets; -1 where it is neither. */
function structuredEnd(line: string, at: number): number {
  if (line.charCodeAt(at) === 0x2d) return at + 1;
  let i = at;
  while (line.charCodeAt(i) === 0x5b) {
    let quoted = false;
    for (i++; i < line.length; i++) {
      const c = line.charCodeAt(i);
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = !quoted;
      else if (c === 0x5d && !quoted) break;
    }
    if (i >= line.length) return -1;
    i++;
  }
  return i === at ? -1 : i;
}
