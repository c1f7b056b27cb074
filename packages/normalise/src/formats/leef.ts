/** IBM's Log Event Extended Format to ECS, bare or in a syslog line. Knows no product. */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { compileMapping } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import { delimitedPairs, type Pairs } from "../extension/pairs.ts";
import { behindPrefix } from "../syslog/prefix.ts";
import { parseAnyTime } from "../time/parse.ts";

const notLeef = { code: "bad_leef", expected: "LEEF:1.0|vendor|product|version|event id|key=value (tab) …, or LEEF:2.0 with a delimiter" };

const map = compileMapping({
  "source.ip": "src",
  "source.port": "srcPort",
  "source.mac": "srcMAC",
  "source.bytes": "srcBytes",
  "source.packets": "srcPackets",
  "source.nat.ip": "srcPostNAT",
  "source.nat.port": "srcPostNATPort",
  "destination.ip": "dst",
  "destination.port": "dstPort",
  "destination.mac": "dstMAC",
  "destination.bytes": "dstBytes",
  "destination.packets": "dstPackets",
  "destination.nat.ip": "dstPostNAT",
  "destination.nat.port": "dstPostNATPort",
  "network.transport": "proto",
  "user.name": ["usrName", "accountName"],
  "user.domain": "domain",
  "user.roles": "role",
  "group.name": "groupID",
  "event.severity": "sev",
  "event.action": "action",
  "event.reason": "reason",
  "rule.category": "cat",
  "rule.name": "policy",
  "host.name": ["identHostName", "identNetBios"],
  "url.original": "url",
  message: "msg",
});

/** LEEF 2.0 gives its delimiter as a character or as its number: `^`, `x5E`, `0x09`. */
function delimiterOf(text: string): string {
  const hex = /^0?x([0-9a-fA-F]{1,4})$/.exec(text);
  if (hex !== null) return String.fromCharCode(Number.parseInt(hex[1]!, 16));
  return text.length === 1 ? text : "\t";
}

function decodeLeef(text: string): { time: Micros | undefined; fields: Fields } | undefined {
  const head = /^LEEF: ?([12])\.0\|([^|]{0,256})\|([^|]{0,256})\|([^|]{0,256})\|([^|]{0,256})\|/.exec(text.slice(0, 1_100));
  if (head === null) return undefined;
  let rest = text.slice(head[0].length);
  let delimiter = "\t";
  const bar = rest.indexOf("|");
  if (head[1] === "2" && bar >= 0 && bar <= 6) {
    delimiter = delimiterOf(rest.slice(0, bar));
    rest = rest.slice(bar + 1);
  }
  const pairs = delimitedPairs(rest, delimiter);
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "leef";
  fields["event.dataset"] = "leef.log";
  const named = ["observer.vendor", "observer.product", "observer.version", "event.code"];
  for (const [i, field] of named.entries()) if (head[i + 2] !== "") fields[field] = head[i + 2]!;
  for (const key of Object.keys(pairs)) fields[`leef.${key.slice(0, 128)}`] = pairs[key]!;
  map(pairs, fields);
  finish(fields, pairs);
  relate(fields);
  return { time: parseAnyTime(pairs["devTime"]), fields };
}

function finish(fields: Fields, pairs: Pairs): void {
  const transport = fields["network.transport"];
  if (typeof transport === "string") fields["network.transport"] = transport.toLowerCase();
  const words = `${pairs["cat"] ?? ""} ${String(fields["event.code"] ?? "")} ${pairs["action"] ?? ""}`.slice(0, 512).toLowerCase();
  if (/log[io]n|logon|authenticat/.test(words)) fields["event.category"] = "authentication";
  else fields["event.category"] = fields["destination.ip"] === undefined ? "host" : "network";
  fields["event.type"] = /den(?:y|ied)|block|drop|reject/.test(words) ? "denied" : /allow|accept|permit/.test(words) ? "allowed" : "info";
}

const decodeLine = (line: string, received: Micros) => behindPrefix(line, "LEEF:", decodeLeef, received);

export default defineFormat({
  name: "leef",
  summary: "IBM's Log Event Extended Format (LEEF 1.0 and 2.0), bare or behind a syslog header.",
  description: "Every attribute is kept as leef.<key>.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => decodeLine(line.slice(0, 4_096), 0) !== undefined),
  decoder: () => (text, context) => {
    const line = text.trimEnd();
    return line === "" ? { skip: "blank" } : (decodeLine(line, context.received) ?? notLeef);
  },
  examples: [
    {
      title: "version 2 with a delimiter of its own",
      input:
        "LEEF:2.0|Example|Gateway|1.0|deny|^|devTime=2024-05-01T10:00:00Z^src=192.0.2.7^dst=198.51.100.2^srcPort=4242^dstPort=22^proto=TCP^usrName=bob^sev=5^action=denied",
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "leef",
          "event.dataset": "leef.log",
          "observer.vendor": "Example",
          "observer.product": "Gateway",
          "observer.version": "1.0",
          "event.code": "deny",
          "leef.devTime": "2024-05-01T10:00:00Z",
          "leef.src": "192.0.2.7",
          "leef.dst": "198.51.100.2",
          "leef.srcPort": "4242",
          "leef.dstPort": "22",
          "leef.proto": "TCP",
          "leef.usrName": "bob",
          "leef.sev": "5",
          "leef.action": "denied",
          "source.ip": "192.0.2.7",
          "source.port": 4242,
          "destination.ip": "198.51.100.2",
          "destination.port": 22,
          "network.transport": "tcp",
          "user.name": "bob",
          "event.severity": 5,
          "event.action": "denied",
          "event.category": "network",
          "event.type": "denied",
          "related.ip": ["192.0.2.7", "198.51.100.2"],
          "related.user": ["bob"],
        },
      ],
    },
    {
      title: "version 1, behind a syslog header",
      input: "<13>Sep  8 08:32:20 gw1 LEEF:1.0|Example|Portal|3|login|src=192.0.2.7\tusrName=ada\tcat=authentication",
      expect: [
        {
          "@timestamp": "2023-09-08T08:32:20.000000Z",
          "event.kind": "event",
          "event.module": "leef",
          "event.dataset": "leef.log",
          "observer.vendor": "Example",
          "observer.product": "Portal",
          "observer.version": "3",
          "event.code": "login",
          "leef.src": "192.0.2.7",
          "leef.usrName": "ada",
          "leef.cat": "authentication",
          "source.ip": "192.0.2.7",
          "user.name": "ada",
          "rule.category": "authentication",
          "event.category": "authentication",
          "event.type": "info",
          "related.ip": ["192.0.2.7"],
          "related.user": ["ada"],
          "observer.hostname": "gw1",
        },
      ],
    },
    {
      title: "another line",
      input: "LEEF|x",
      expect: {
        flaw: "bad_leef",
      },
    },
  ],
});
