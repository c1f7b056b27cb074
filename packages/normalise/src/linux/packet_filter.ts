/** What the kernel's packet filter logs. Knows no rule set. */
import type { Fields } from "@vedette/model";
import { plainIp } from "./peer.ts";

/** Packet filter lines (iptables and nftables LOG, UFW): `[UFW BLOCK] IN=eth0 OUT= MAC=… SRC=1.2.3.4 DST=5.6.7.8 … PROTO=TCP SPT=1 DPT=2 …`. */
export function readPacketFilter(message: string, fields: Fields): boolean {
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
