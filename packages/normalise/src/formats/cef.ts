/** ArcSight's Common Event Format to ECS, bare or in a syslog line. Knows no product. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { cefPairs, type Pairs } from "../extension/pairs.ts";
import { behindPrefix } from "../syslog/prefix.ts";
import { parseAnyTime } from "../time/parse.ts";

const notCef = { code: "bad_cef", expected: "CEF:VERSION|vendor|product|version|signature id|name|severity|key=value …" };

const map = compileMapping({
  "source.ip": ["src", "c6a2"],
  "source.port": "spt",
  "source.mac": "smac",
  "source.domain": "shost",
  "source.user.name": "suser",
  "source.user.id": "suid",
  "source.bytes": "out",
  "source.nat.ip": "sourceTranslatedAddress",
  "source.nat.port": "sourceTranslatedPort",
  "source.process.name": "sproc",
  "destination.ip": ["dst", "c6a3"],
  "destination.port": "dpt",
  "destination.mac": "dmac",
  "destination.domain": ["dhost", "destinationDnsDomain"],
  "destination.user.name": "duser",
  "destination.user.id": "duid",
  "destination.bytes": "in",
  "destination.nat.ip": "destinationTranslatedAddress",
  "destination.nat.port": "destinationTranslatedPort",
  "network.transport": "proto",
  "network.protocol": "app",
  "user.name": ["suser", "duser"],
  "user.domain": ["sntdom", "dntdom"],
  "process.name": ["dproc", "sproc"],
  "process.pid": ["dpid", "spid"],
  "event.action": "act",
  "event.outcome": "outcome",
  "event.reason": "reason",
  "event.id": "externalId",
  "event.start": "start",
  "event.end": "end",
  message: "msg",
  "file.name": "fname",
  "file.path": "filePath",
  "file.size": "fsize",
  "file.hash.sha256": "fileHash",
  "url.original": ["request", "requestUrl"],
  "http.request.method": "requestMethod",
  "user_agent.original": "requestClientApplication",
  "observer.ip": "dvc",
  "observer.hostname": "dvchost",
  "observer.ingress.interface.name": "deviceInboundInterface",
  "observer.egress.interface.name": "deviceOutboundInterface",
  "rule.category": "cat",
});

const directions = new Map([
  ["0", "inbound"],
  ["1", "outbound"],
]);

/** The seven parts of the header; a pipe in them is escaped. */
function headerOf(text: string): { readonly parts: readonly string[]; readonly rest: string } | undefined {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length && parts.length < 7; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x5c) at++;
    else if (c === 0x7c) {
      parts.push(
        text
          .slice(from, at)
          .replace(/\\([\\|])/g, "$1")
          .trim(),
      );
      from = at + 1;
    }
  }
  // Some leave the last pipe out when there is no extension.
  if (parts.length === 6) parts.push(text.slice(from).trim());
  return parts.length === 7 ? { parts, rest: text.slice(parts.length === 7 ? from : text.length) } : undefined;
}

/** CEF's words for severity in its numbers. */
const severities = new Map([
  ["unknown", 0],
  ["low", 3],
  ["medium", 6],
  ["high", 8],
  ["very-high", 10],
]);

/** The event of a text that begins with `CEF:`, or undefined. */
export function decodeCef(text: string): { time: Micros | undefined; fields: Fields } | undefined {
  const header = text.startsWith("CEF:") ? headerOf(text.slice(4)) : undefined;
  if (header === undefined || !/^\d$/.test(header.parts[0]!)) return undefined;
  const [, vendor = "", product = "", version = "", signature = "", name = "", severity = ""] = header.parts;
  const pairs = cefPairs(header.rest);
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "cef";
  fields["event.dataset"] = "cef.log";
  setText(fields, "observer.vendor", vendor);
  setText(fields, "observer.product", product);
  setText(fields, "observer.version", version);
  setText(fields, "event.code", signature);
  setText(fields, "rule.name", name);
  const level = severities.get(severity.toLowerCase()) ?? Number(severity);
  if (severity !== "" && Number.isFinite(level)) fields["event.severity"] = level;
  for (const key of Object.keys(pairs)) fields[`cef.${key.slice(0, 128)}`] = pairs[key]!;
  map(pairs, fields);
  if (fields["message"] === undefined) setText(fields, "message", name);
  finish(fields, pairs);
  relate(fields);
  return { time: parseAnyTime(pairs["rt"]) ?? parseAnyTime(pairs["start"]) ?? parseAnyTime(pairs["end"]), fields };
}

function setText(fields: Fields, field: string, value: string): void {
  if (value !== "") fields[field] = value;
}

function finish(fields: Fields, pairs: Pairs): void {
  for (const field of ["network.transport", "network.protocol", "event.outcome"]) {
    const value = fields[field];
    if (typeof value === "string") fields[field] = value.toLowerCase();
  }
  const direction = directions.get(pairs["deviceDirection"] ?? "");
  if (direction !== undefined) fields["network.direction"] = direction;
  const isNetwork = fields["source.ip"] !== undefined && fields["destination.ip"] !== undefined;
  const words = `${pairs["cat"] ?? ""} ${String(fields["rule.name"] ?? "")} ${pairs["act"] ?? ""}`.slice(0, 512).toLowerCase();
  if (/\b(?:log[io]n|logon|logged|authenticat\w{0,8})\b/.test(words)) fields["event.category"] = "authentication";
  else if (/\b(?:threat|intrusion|malware|virus|attack|exploit|trojan|ips|ids)\b/.test(words))
    fields["event.category"] = isNetwork ? ["network", "intrusion_detection"] : "intrusion_detection";
  else if (isNetwork) fields["event.category"] = "network";
  else fields["event.category"] = fields["file.path"] === undefined ? "host" : "file";
  const denied = /\b(?:den(?:y|ied)|block(?:ed)?|drop(?:ped)?|reject(?:ed)?|reset)\b/.test(words);
  fields["event.type"] = denied ? "denied" : /\b(?:allow(?:ed)?|accept(?:ed)?|permit(?:ted)?)\b/.test(words) ? "allowed" : "info";
}

const decodeLine = (line: string, received: Micros) => behindPrefix(line, "CEF:", decodeCef, received);

export default defineFormat({
  name: "cef",
  summary: "ArcSight's Common Event Format (CEF), bare or behind a syslog header.",
  description: "Every pair of the extension is kept as cef.<key>. Category and type are told from the event's name, category and action.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => decodeLine(line.slice(0, 4_096), 0) !== undefined),
  decoder: () => (text, context) => {
    const line = text.trimEnd();
    return line === "" ? { skip: "blank" } : (decodeLine(line, context.received) ?? notCef);
  },
  examples: [
    {
      title: "a blocked threat behind a syslog header",
      input:
        "<134>Sep  8 08:32:20 gw1 CEF:0|Example|Gateway|9.4|201|Threat Detected and Blocked|9|rt=1714557600123 proto=TCP src=192.0.2.7 spt=65020 dst=198.51.100.2 dpt=80 act=blocked msg=scan of a \\= b from outside",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.123000Z",
          "event.kind": "event",
          "event.module": "cef",
          "event.dataset": "cef.log",
          "observer.vendor": "Example",
          "observer.product": "Gateway",
          "observer.version": "9.4",
          "event.code": "201",
          "rule.name": "Threat Detected and Blocked",
          "event.severity": 9,
          "cef.rt": "1714557600123",
          "cef.proto": "TCP",
          "cef.src": "192.0.2.7",
          "cef.spt": "65020",
          "cef.dst": "198.51.100.2",
          "cef.dpt": "80",
          "cef.act": "blocked",
          "cef.msg": "scan of a = b from outside",
          "source.ip": "192.0.2.7",
          "source.port": 65020,
          "destination.ip": "198.51.100.2",
          "destination.port": 80,
          "network.transport": "tcp",
          "event.action": "blocked",
          message: "scan of a = b from outside",
          "event.category": ["network", "intrusion_detection"],
          "event.type": "denied",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
          "observer.hostname": "gw1",
        },
      ],
    },
    {
      title: "behind the header of RFC 5424",
      input: "<108>1 2026-11-21T17:39:10.454Z siem vedette - finding - CEF:0|Example|Gateway|1|7|Scan|Low|src=192.0.2.7",
      expect: [
        {
          "@timestamp": "2026-11-21T17:39:10.454000Z",
          "event.kind": "event",
          "event.module": "cef",
          "event.dataset": "cef.log",
          "observer.vendor": "Example",
          "observer.product": "Gateway",
          "observer.version": "1",
          "event.code": "7",
          "rule.name": "Scan",
          "event.severity": 3,
          "cef.src": "192.0.2.7",
          "source.ip": "192.0.2.7",
          message: "Scan",
          "event.category": "host",
          "event.type": "info",
          "related.ip": ["192.0.2.7"],
          "observer.hostname": "siem",
        },
      ],
    },
    {
      title: "no extension",
      input: "CEF:0|Example|Gate\\|way|1|7|Admin logged in|Low|",
      expect: [
        {
          "event.kind": "event",
          "event.module": "cef",
          "event.dataset": "cef.log",
          "observer.vendor": "Example",
          "observer.product": "Gate|way",
          "observer.version": "1",
          "event.code": "7",
          "rule.name": "Admin logged in",
          "event.severity": 3,
          message: "Admin logged in",
          "event.category": "authentication",
          "event.type": "info",
        },
      ],
    },
    {
      title: "another line",
      input: "CEF is a format",
      expect: {
        flaw: "bad_cef",
      },
    },
  ],
});
