/** The far end of a connection as programs write it: an address or a name, perhaps a port. Knows no program. */
import type { Fields } from "@vedette/model";

/** Sets `source.ip` (an IPv4-mapped IPv6 address as IPv4), or `source.domain` for a name. */
export function setSource(fields: Fields, host: string): void {
  if (host === "" || host === "-" || host === "UNKNOWN" || host === "unknown") return;
  const address = plainIp(host);
  if (address !== undefined) fields["source.ip"] = address;
  else if (host.length <= 255 && !host.includes(" ")) fields["source.domain"] = host;
}

/** The address without brackets, zone and IPv4 mapping; undefined where it is none. */
export function plainIp(text: string): string | undefined {
  if (isDotted(text)) return text;
  const first = text.charCodeAt(0);
  if (!((first >= 0x30 && first <= 0x39) || text.includes(":"))) return undefined;
  let address = first === 0x5b && text.charCodeAt(text.length - 1) === 0x5d ? text.slice(1, -1) : text;
  const zone = address.indexOf("%");
  if (zone > 0) address = address.slice(0, zone);
  if ((address.startsWith("::ffff:") || address.startsWith("::FFFF:")) && address.includes(".")) address = address.slice(7);
  return isDotted(address) || isSixth(address) ? address : undefined;
}

/** Whether the text is an IPv4 address, as `isIP` judges: four numbers up to 255 without leading zeros. Most addresses are, and this is cheaper than a pattern. */
function isDotted(text: string): boolean {
  if (text.length < 7 || text.length > 15) return false;
  let parts = 1;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x2e) {
      if (value < 0) return false;
      parts++;
      value = -1;
    } else {
      const digit = c - 0x30;
      if (digit < 0 || digit > 9 || value === 0) return false;
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return false;
    }
  }
  return parts === 4 && value >= 0;
}

/** Sets `source.port` from decimal text. */
export function setSourcePort(fields: Fields, text: string): void {
  const port = Number(text);
  if (text !== "" && port >= 0 && port <= 65_535) fields["source.port"] = port;
}

/** Sets what an authentication attempt is in ECS. */
export function setAuthentication(fields: Fields, action: string, outcome: "success" | "failure"): void {
  fields["event.category"] = "authentication";
  fields["event.type"] = outcome === "success" ? "start" : "info";
  fields["event.action"] = action;
  fields["event.outcome"] = outcome;
}

/** Whether the text is an IPv6 address without a zone, as `isIP` judges (RFC 4291 2.2): its pattern costs more than all else that is done with an address. */
export function isSixth(text: string): boolean {
  if (text.length < 2 || text.length > 45) return false;
  let groups = 0;
  let gap = false;
  let at = 0;
  if (text.charCodeAt(0) === 0x3a) {
    if (text.charCodeAt(1) !== 0x3a) return false;
    gap = true;
    at = 2;
  }
  while (at < text.length) {
    const start = at;
    while (at < text.length && at - start <= 4 && isHex(text.charCodeAt(at))) at++;
    if (at < text.length && text.charCodeAt(at) === 0x2e) return isDotted(text.slice(start)) && (gap ? groups <= 5 : groups === 6);
    if (at === start || at - start > 4 || ++groups > 8) return false;
    if (at === text.length) break;
    if (text.charCodeAt(at++) !== 0x3a || at === text.length) return false;
    if (text.charCodeAt(at) !== 0x3a) continue;
    if (gap) return false;
    gap = true;
    at++;
  }
  return gap ? groups <= 7 : groups === 8;
}

const isHex = (c: number): boolean => (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66);
