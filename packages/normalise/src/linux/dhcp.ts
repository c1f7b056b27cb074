/** What DHCP servers say of leases, and dnsmasq of names: ISC dhcpd, Kea, dnsmasq. By these it is told later whose an address was then. */
import type { Fields } from "@vedette/model";
import { plainIp, setSource, setSourcePort } from "./peer.ts";

/** What clients ask for is theirs to choose: messages are read up to here. */
const longest = 1_024;
const mac = "(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}";
const address = "[0-9a-fA-F.:]{2,45}";
/** A client's name for itself, as far as it is one. */
const hostName = /^[\w.-]{1,253}$/;

interface Lease {
  readonly message: string;
  readonly address?: string | undefined;
  readonly mac?: string | undefined;
  readonly name?: string | undefined;
  readonly seconds?: string | undefined;
}

function setLease(fields: Fields, { message, address, mac, name, seconds }: Lease): boolean {
  const ip = address === undefined ? undefined : plainIp(address);
  fields["network.protocol"] = "dhcp";
  fields["event.category"] = "network";
  const isRefused = message === "nak" || message === "decline";
  fields["event.type"] = isRefused ? ["protocol", "denied"] : ["protocol", "info"];
  fields["event.action"] = `dhcp_${message}`;
  if (ip !== undefined) fields["client.ip"] = ip;
  if (mac !== undefined) fields["client.mac"] = fields["source.mac"] = mac.toLowerCase();
  if (name !== undefined && hostName.test(name)) fields["dhcp.hostname"] = name;
  // Only these two lend: an offer may go to several, and a request may be refused.
  if (ip !== undefined && (message === "ack" || message === "reply")) {
    fields["dhcp.assigned_ip"] = ip;
    const lease = Number(seconds);
    if (lease > 0) fields["dhcp.lease_time"] = lease;
  }
  return true;
}

/** ISC dhcpd (dhcp.c): `DHCPACK on ADDRESS to MAC (NAME) via eth0[ relay … lease-duration N …]`, `DHCPREQUEST for ADDRESS (SERVER) from MAC (NAME) via eth0`. */
const iscAddress = new RegExp(`^DHCP([A-Z]{3,12}) (?:on|for|of|to) (${address})(?: |$)`);
const iscClient = new RegExp(` (?:to|from) \\(?(${mac})\\)?(?: \\(([^()]{1,253})\\))?(?: |$)`);

export function readDhcpd(message: string, fields: Fields): boolean {
  const text = message.slice(0, longest);
  const kind = /^DHCP([A-Z]{3,12}) /.exec(text);
  if (kind === null) return false;
  const client = iscClient.exec(text) ?? new RegExp(` \\((${mac})\\)`).exec(text);
  const seconds = / lease-duration (\d{1,10})(?: |$)/.exec(text);
  return setLease(fields, {
    message: kind[1]!.toLowerCase(),
    address: iscAddress.exec(text)?.[2],
    mac: client?.[1],
    name: client?.[2],
    seconds: seconds?.[1],
  });
}

/** Kea: `INFO [kea-dhcp4.leases…] DHCP4_LEASE_ALLOC [hwtype=1 MAC], cid=[…], tid=0x…: lease ADDRESS has been allocated for N seconds`. */
const keaLease = new RegExp(`: lease (?:for address )?(${address}) .{0,128}?(?:has been (allocated|renewed)|will be advertised)`);

export function readKea(message: string, fields: Fields): boolean {
  const text = message.slice(0, longest);
  const id = /\bDHCP[46]_([A-Z0-9_]{3,64}) /.exec(text);
  const lease = id === null ? null : keaLease.exec(text);
  if (lease === null) return false;
  return setLease(fields, {
    message: lease[2] === undefined ? "offer" : "ack",
    address: lease[1],
    mac: new RegExp(`\\[hwtype=\\d{1,5} (${mac})\\]`).exec(text)?.[1],
    seconds: / for (\d{1,10}) seconds/.exec(text)?.[1],
  });
}

/** dnsmasq's DHCP (rfc2131.c, log_packet): `[XID ]DHCPACK(eth0) ADDRESS MAC[ NAME]`. */
const dnsmasqLease = new RegExp(`^(?:\\d{1,10} )?DHCP([A-Z]{3,12})\\([^()]{0,64}\\)(?: (${address}))? (${mac})(?: (\\S{1,253}))?`);

export function readDnsmasqDhcp(message: string, fields: Fields): boolean {
  const found = dnsmasqLease.exec(message.slice(0, longest));
  if (found === null) return false;
  return setLease(fields, { message: found[1]!.toLowerCase(), address: found[2], mac: found[3], name: found[4] });
}

/** dnsmasq (cache.c, log_query): `[SERIAL ADDRESS/PORT ]query[A] NAME from ADDRESS`, `… reply NAME is ADDRESS`. */
const asked = /^(\w{1,32})(?:\[([A-Z0-9]{1,16})\])? (\S{1,255}) (from|is|to) (\S{1,255})/;
const extra = new RegExp(`^\\d{1,10} (${address})/(\\d{1,5}) `);
const told = new Set(["reply", "cached", "cached-stale", "config", "DHCP"]);

export function readDnsmasq(message: string, fields: Fields): boolean {
  let text = message.slice(0, longest);
  const client = extra.exec(text);
  if (client !== null) text = text.slice(client[0].length);
  const found = asked.exec(text.startsWith("/") ? `config ${text.slice(text.indexOf(" ") + 1)}` : text);
  if (found === null) return readDnsmasqDhcp(message, fields);
  const [, kind, type, name, , value] = found;
  const isQuery = kind === "query" && found[4] === "from";
  if (!isQuery && !(told.has(kind!) && found[4] === "is") && kind !== "forwarded") return false;
  fields["network.protocol"] = "dns";
  fields["event.category"] = "network";
  fields["event.type"] = ["protocol", "info"];
  fields["event.action"] = isQuery ? "dns_query" : kind === "forwarded" ? "dns_forward" : "dns_answer";
  fields["dns.type"] = isQuery || kind === "forwarded" ? "query" : "answer";
  fields["dns.question.name"] = name!;
  if (type !== undefined) fields["dns.question.type"] = type;
  if (client !== null) {
    setSource(fields, client[1]!);
    setSourcePort(fields, client[2]!);
  } else if (isQuery) setSource(fields, value!);
  if (fields["dns.type"] !== "answer") return true;
  const ip = plainIp(value!);
  if (ip !== undefined) fields["dns.resolved_ip"] = [ip];
  fields["dns.answers.data"] = [ip ?? value!];
  return true;
}
