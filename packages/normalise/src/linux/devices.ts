/** What network devices say by syslog: pfSense's and OPNsense's packet filter, MikroTik's RouterOS, Cisco's IOS. Knows no rule set. */
import type { Fields } from "@vedette/model";
import { plainIp, setAuthentication, setSource } from "./peer.ts";

function setEnds(fields: Fields, source: string, sourcePort: string, destination: string, destinationPort: string): void {
  const [from, to] = [plainIp(source), plainIp(destination)];
  if (from !== undefined) fields["source.ip"] = from;
  if (to !== undefined) fields["destination.ip"] = to;
  if (/^\d{1,5}$/.test(sourcePort)) fields["source.port"] = Number(sourcePort);
  if (/^\d{1,5}$/.test(destinationPort)) fields["destination.port"] = Number(destinationPort);
}

function setVerdict(fields: Fields, denied: boolean): void {
  fields["event.category"] = "network";
  fields["event.type"] = ["connection", denied ? "denied" : "allowed"];
  fields["event.action"] = denied ? "denied" : "allowed";
}

/** `filterlog`: RULE,SUB,ANCHOR,TRACKER,INTERFACE,REASON,ACTION,DIRECTION,VERSION,…; IPv4 and IPv6 differ from there on (pfSense, "Filter Log Format"). */
export function readFilterlog(message: string, fields: Fields): boolean {
  const v = message.split(",", 40);
  const sixth = v[8] === "6";
  // of IPv4 the protocol's name, the length and both addresses stand in 16 to 19, of IPv6 in 12 to 16
  const [protocol, from] = sixth ? [v[12], 15] : [v[16], 18];
  if ((v[8] !== "4" && !sixth) || v[from + 1] === undefined || plainIp(v[from]!) === undefined) return false;
  setVerdict(fields, v[6] !== "pass");
  fields["network.transport"] = protocol!.toLowerCase();
  fields["network.type"] = sixth ? "ipv6" : "ipv4";
  fields["network.direction"] = v[7] === "in" ? "ingress" : "egress";
  fields["observer.ingress.interface.name"] = v[4]!;
  fields["rule.id"] = v[3] === "" ? v[0]! : v[3]!;
  const ported = /^(?:tcp|udp)$/i.test(protocol!);
  setEnds(fields, v[from]!, ported ? (v[from + 2] ?? "") : "", v[from + 1]!, ported ? (v[from + 3] ?? "") : "");
  return true;
}

/** RouterOS: `TOPIC,TOPIC[,…] TEXT`. */
export function readRouterOs(message: string, fields: Fields): boolean {
  const text = message.slice(0, 2_048);
  const login =
    /^system,(?:error,critical|info,account) (?:(login failure) for user (.{1,255}) from (\S{1,255})|user (.{1,255}) logged in from (\S{1,255})) via (\S{1,64})$/.exec(
      text,
    );
  if (login !== null) {
    setAuthentication(fields, "device_login", login[1] === undefined ? "success" : "failure");
    fields["user.name"] = login[2] ?? login[4]!;
    setSource(fields, login[3] ?? login[5]!);
    fields["network.application"] = login[6]!;
    return true;
  }
  const proto = text.startsWith("firewall,info ") ? text.indexOf(" proto ") : -1;
  const arrow = proto < 0 ? -1 : text.indexOf("->", proto);
  const told = text.indexOf(" in:");
  if (arrow < 0 || told < 0 || told > proto) return false;
  fields["event.category"] = "network";
  fields["event.type"] = "connection";
  const rule = text.slice(14, told).trim();
  fields["rule.name"] = rule.endsWith(":") ? rule.slice(0, -1) : rule;
  fields["network.transport"] = /^[A-Za-z0-9-]{1,16}/.exec(text.slice(proto + 7))?.[0].toLowerCase();
  const comma = text.indexOf(",", arrow);
  const from = withPort(text.slice(text.lastIndexOf(" ", arrow) + 1, arrow));
  const to = withPort(text.slice(arrow + 2, comma < 0 ? undefined : comma));
  setEnds(fields, from[0], from[1], to[0], to[1]);
  return true;
}

/** `192.0.2.7:22`, `[2001:db8::7]:22`, or the address alone. */
function withPort(text: string): readonly [address: string, port: string] {
  const colon = text.lastIndexOf(":");
  const ported = colon > 0 && (text.startsWith("[") ? text.charAt(colon - 1) === "]" : text.indexOf(":") === colon);
  return ported ? [text.slice(0, colon), text.slice(colon + 1)] : [text, ""];
}

/** Whether the text is RouterOS's, which has no program's name in front. */
export const isRouterOs = (message: string): boolean =>
  message.startsWith("firewall,info ") || message.startsWith("system,error,critical ") || message.startsWith("system,info,account ");

/** IOS: `%FACILITY-SEVERITY-MNEMONIC: TEXT`, the mnemonic being taken for the program. */
export function readIos(mnemonic: string, message: string, fields: Fields): boolean {
  const text = message.slice(0, 2_048);
  if (/^%SEC_LOGIN-\d-LOGIN_(?:FAILED|SUCCESS)$/.test(mnemonic)) {
    setAuthentication(fields, "device_login", mnemonic.endsWith("FAILED") ? "failure" : "success");
    const user = /\[user: ([^\]]{1,255})\]/.exec(text);
    const source = /\[Source: ([^\]]{1,64})\]/.exec(text);
    if (user !== null) fields["user.name"] = user[1]!;
    if (source !== null) setSource(fields, source[1]!);
    return true;
  }
  if (/^%SEC-\d-IPACCESSLOG\w{0,4}$/.test(mnemonic)) {
    const told =
      /^list (\S{1,128}) (denied|permitted) (\S{1,32}) ([0-9a-fA-F.:]{2,45})(?:\((\d{1,5})\))?.{0,128}? -> ([0-9a-fA-F.:]{2,45})(?:\((\d{1,5})\))?/.exec(
        text,
      );
    if (told === null) return false;
    setVerdict(fields, told[2] === "denied");
    fields["rule.name"] = told[1]!;
    fields["network.transport"] = told[3]!.toLowerCase();
    setEnds(fields, told[4]!, told[5] ?? "", told[6]!, told[7] ?? "");
    return true;
  }
  if (!/^%(?:SYS|PARSER)-\d-(?:CONFIG_I|CFGLOG_LOGGEDCMD)$/.test(mnemonic)) return false;
  fields["event.category"] = "configuration";
  fields["event.type"] = "change";
  fields["event.action"] = "device_configured";
  const by = /\bby (\S{1,255}) on /.exec(text) ?? /^User:(\S{1,255}) /.exec(text);
  if (by !== null) fields["user.name"] = by[1]!;
  const from = /\(([0-9a-fA-F.:]{2,45})\)/.exec(text);
  if (from !== null) setSource(fields, from[1]!);
  return true;
}
