/** What cron, systemd-logind and the kernel's packet filter say. */
import type { Fields } from "@vedette/model";
import { plainIp } from "./peer.ts";

/** `(root) CMD (   cd / && run-parts --report /etc/cron.hourly)`. */
export function readCron(message: string, fields: Fields): boolean {
  const close = message.indexOf(") ");
  if (message.charCodeAt(0) !== 0x28 || close < 0 || close > 64) return false;
  fields["user.name"] = message.slice(1, close);
  const rest = message.slice(close + 2);
  const open = rest.indexOf(" (");
  const verb = open < 0 ? rest : rest.slice(0, open);
  const inner = open < 0 ? "" : rest.slice(open + 2, rest.endsWith(")") ? -1 : undefined);
  if (verb === "CMD") {
    fields["event.category"] = "process";
    fields["event.type"] = "start";
    fields["event.action"] = "cron_command";
    fields["process.command_line"] = inner.trim();
    return true;
  }
  fields["event.category"] = "configuration";
  fields["event.type"] = "info";
  fields["event.action"] = `cron_${verb.toLowerCase().replaceAll(" ", "_").slice(0, 32)}`;
  return true;
}

/** `New session 12 of user root.`, `Removed session 12.`, `Session 12 logged out. …`. */
export function readLogind(message: string, fields: Fields): boolean {
  if (message.startsWith("New session ")) {
    const of = message.lastIndexOf(" of user ");
    if (of < 12) return false;
    sessionOf(fields, "start", "session_opened", message.slice(12, of));
    const name = message.slice(of + 9);
    const type = name.lastIndexOf("' with class");
    const bare = type > 0 ? name.slice(0, type) : name.endsWith(".") ? name.slice(0, -1) : name;
    fields["user.name"] = bare.startsWith("'") ? bare.slice(1) : bare;
    return true;
  }
  if (message.startsWith("Removed session ")) {
    sessionOf(fields, "end", "session_closed", message.slice(16, message.endsWith(".") ? -1 : undefined));
    return true;
  }
  return false;
}
function sessionOf(fields: Fields, type: string, action: string, id: string): void {
  fields["event.category"] = "session";
  fields["event.type"] = type;
  fields["event.action"] = action;
  fields["linux.auth.session_id"] = id;
}

/** Packet filter lines (iptables and nftables LOG, UFW): `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=1.2.3.4 DST=5.6.7.8 … PROTO=TCP SPT=1 DPT=2 …`. */
export function readKernel(message: string, fields: Fields): boolean {
  const source = message.indexOf(" SRC=");
  if (source < 0 || !message.includes(" DST=", source) || !message.includes(" PROTO=", source)) return false;
  const input = message.indexOf("IN=");
  const start = input >= 0 && input < source ? input : source + 1;
  fields["event.category"] = "network";
  let from = start;
  while (from < message.length) {
    const blank = message.indexOf(" ", from);
    const end = blank < 0 ? message.length : blank;
    const word = message.slice(from, end);
    const equals = word.indexOf("=");
    if (equals > 0) setPacket(fields, word.slice(0, equals), word.slice(equals + 1));
    from = end + 1;
  }
  setVerdict(fields, message.slice(0, start));
  return true;
}

function setPacket(fields: Fields, key: string, value: string): void {
  if (value === "") return;
  switch (key) {
    case "SRC":
      // The first pair is the packet itself; an ICMP error repeats the one it is about.
      fields["source.ip"] ??= plainIp(value) ?? value;
      break;
    case "DST":
      fields["destination.ip"] ??= plainIp(value) ?? value;
      break;
    case "SPT":
      fields["source.port"] ??= port(value);
      break;
    case "DPT":
      fields["destination.port"] ??= port(value);
      break;
    case "PROTO":
      fields["network.transport"] ??= value.toLowerCase();
      break;
    case "IN":
      fields["observer.ingress.interface.name"] ??= value;
      break;
    case "OUT":
      fields["observer.egress.interface.name"] ??= value;
      break;
    case "LEN":
      fields["network.bytes"] ??= port(value);
      break;
  }
}
const port = (text: string): number | string => {
  const value = Number(text);
  return value >= 0 && value <= 65_535 ? value : text;
};

/** What the rule's log prefix says was done, where it says it. */
function setVerdict(fields: Fields, prefix: string): void {
  let label = prefix;
  // The kernel's own uptime stamp comes first: `[12345.678901] `.
  const uptime = label.indexOf("] ");
  if (label.startsWith("[") && uptime > 0 && Number.isFinite(Number(label.slice(1, uptime)))) label = label.slice(uptime + 2);
  label = label.trim();
  if (label.startsWith("[") && label.endsWith("]")) label = label.slice(1, -1);
  if (label !== "") fields["rule.name"] = label.slice(0, 128);
  const words = label.toUpperCase();
  const denied = ["BLOCK", "DROP", "REJECT", "DENY", "DENIED"].some((word) => words.includes(word));
  const allowed = !denied && ["ALLOW", "ACCEPT", "PASS"].some((word) => words.includes(word));
  fields["event.type"] = denied ? ["connection", "denied"] : allowed ? ["connection", "allowed"] : "connection";
  if (denied || allowed) fields["event.action"] = denied ? "denied" : "allowed";
}
