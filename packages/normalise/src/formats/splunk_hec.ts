/** Events of Splunk's HTTP Event Collector: the envelope's host, source and sourcetype, and what the event inside means by its own format. Knows no transport. */
import { type DecodeContext, type Decoded, type DecodeResult, defineFormat, type JsonObject, newFields, z } from "@vedette/kit";
import type { Fields, Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { decodeDocument, type LineDecode, lineDecoder } from "../ecs_line.ts";
import { flatten, flattenValue } from "../json/flatten.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { parseAnyTime } from "../time/parse.ts";

const notHec: Flaw = {
  code: "unknown_shape",
  expected: 'an event of Splunk\'s collector: {"event": …, "time": …, "host": …, "sourcetype": …}',
};

/** All members an envelope may have (Splunk Enterprise, "Format events for HTTP Event Collector"). */
const members = new Set(["event", "time", "host", "source", "sourcetype", "index", "fields"]);
const scalars = ["host", "source", "sourcetype", "index"];

/** Sourcetypes of Splunk's own list, as the datasets that lines are known by here. */
const datasets = new Map<string, string>([
  ...["syslog", "linux_secure", "linux_messages_syslog"].map((name) => [name, "syslog"] as const),
  ...["linux_audit", "auditd"].map((name) => [name, "auditd.log"] as const),
  ...["access_combined", "access_combined_wcookie", "access_common", "apache:access"].map((name) => [name, "apache.access"] as const),
  ...["apache_error", "apache:error"].map((name) => [name, "apache.error"] as const),
  ...["nginx:plus:access", "nginx:access"].map((name) => [name, "nginx.access"] as const),
  ["nginx:plus:error", "nginx.error"],
  ["cisco:asa", "cisco_asa.log"],
  ["haproxy:http", "haproxy.log"],
  ["cefevents", "cef.log"],
  ["aws:cloudwatchlogs:vpcflow", "aws.vpcflow"],
]);

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function claims(object: JsonObject): number {
  if (!Object.hasOwn(object, "event")) return 0;
  if (scalars.some((name) => object[name] !== undefined && typeof object[name] !== "string")) return 0;
  if (!Object.keys(object).every((name) => members.has(name))) return 0;
  if (object["sourcetype"] !== undefined || object["index"] !== undefined) return 0.95;
  // an event and nothing else may be anybody's, and is read as any JSON
  return object["time"] === undefined ? 0 : 0.6;
}

function envelope(object: JsonObject): Fields {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.dataset"] = "splunk.hec";
  if (isObject(object["fields"])) flattenValue(object["fields"], fields, "splunk.fields");
  for (const name of scalars.slice(1)) {
    const value = text(object[name]);
    if (value !== undefined) fields[`splunk.${name}`] = value;
  }
  const host = text(object["host"]);
  if (host !== undefined) fields["host.name"] = host;
  const source = text(object["source"]);
  if (source?.startsWith("/") || (source !== undefined && /^[A-Za-z]:\\/.test(source))) fields["log.file.path"] = source;
  return fields;
}

function decodeObject(object: JsonObject, context: DecodeContext, decodeLine: LineDecode): DecodeResult {
  const { event } = object;
  const about = envelope(object);
  const time = parseAnyTime(object["time"]);
  const line = typeof event === "string" ? event.trimEnd() : JSON.stringify(event ?? null);
  const hints = {
    dataset: datasets.get(text(object["sourcetype"])?.toLowerCase() ?? ""),
    path: text(about["log.file.path"]),
    container: undefined,
  };
  const inner = isObject(event) ? decodeDocument(event, line, context) : decodeLine(line, hints, context);
  if (inner === undefined || "code" in inner || "skip" in inner) return unclaimed(event, line, about, time);
  const list = Array.isArray(inner) ? (inner as readonly Decoded[]) : [inner as Decoded];
  for (const one of list) {
    for (const name in about) one.fields[name] ??= about[name];
    // A line without a zone or a year tells less than the stamp its sender put beside it; a document's own time is exact.
    one.time ??= time;
  }
  return inner;
}

function unclaimed(event: JsonObject[string], line: string, about: Fields, time: number | undefined): Decoded {
  if (!isObject(event)) {
    about["message"] = line;
    return { time, fields: about };
  }
  const fields = newFields();
  flatten(event, fields);
  const own = parseAnyTime(event["@timestamp"]) ?? parseAnyTime(event["timestamp"]) ?? parseAnyTime(event["time"]);
  for (const name in about) fields[name] ??= about[name];
  relate(fields);
  return { time: time ?? own, fields };
}

// One for all: it remembers only the decoders of the formats it hands lines to.
const shared = lineDecoder({});

export default defineFormat({
  name: "splunk_hec",
  summary: "Events of Splunk's HTTP Event Collector, with what is inside decoded by its own format.",
  description:
    "The envelope's host is host.name, a source that is a path log.file.path; source, sourcetype, index and fields are kept as splunk.*. A line is read by the format that the sourcetype, the path or the line itself tells, " +
    "a document by the format that claims it; what they say goes over what the envelope said.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) =>
    0.9 *
    share(sample, (line) => {
      const parsed = looksLikeObject(line) && line.length <= 65_536 ? parseObject(line) : notHec;
      return !isFlaw(parsed) && claims(parsed) > 0.9;
    }),
  decoder() {
    const decodeLine = lineDecoder({});
    return (line, context) => {
      if (line.trim() === "") return { skip: "blank" };
      if (!looksLikeObject(line)) return notHec;
      const parsed = parseObject(line);
      if (isFlaw(parsed)) return parsed;
      return claims(parsed) > 0 ? decodeObject(parsed, context, decodeLine) : notHec;
    };
  },
  json: { anyOf: ["event"], claims, decode: (object, _text, context) => decodeObject(object, context, shared) },
  examples: [
    {
      title: "a line of sshd that a forwarder read",
      input:
        '{"time":1714557600.25,"host":"login1","source":"/var/log/secure","sourcetype":"linux_secure","index":"os",' +
        '"event":"May  1 10:00:00 login1 sshd[4711]: Failed password for root from 192.0.2.7 port 22 ssh2","fields":{"rack":"r7"}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "linux",
          "event.dataset": "linux.auth",
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "ssh_login",
          "event.outcome": "failure",
          "host.name": "login1",
          "host.hostname": "login1",
          "log.file.path": "/var/log/secure",
          "process.name": "sshd",
          "process.pid": 4711,
          "source.ip": "192.0.2.7",
          "source.port": 22,
          "user.name": "root",
          "related.ip": ["192.0.2.7"],
          "related.user": ["root"],
          "linux.auth.ssh.method": "password",
          "splunk.source": "/var/log/secure",
          "splunk.sourcetype": "linux_secure",
          "splunk.index": "os",
          "splunk.fields.rack": "r7",
          message: "Failed password for root from 192.0.2.7 port 22 ssh2",
        },
      ],
    },
    {
      title: "a document of an application",
      input: '{"time":"1714557600.250","host":"web1","sourcetype":"_json","event":{"message":"started","port":8080}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.250000Z",
          "event.kind": "event",
          "event.dataset": "splunk.hec",
          "host.name": "web1",
          "splunk.sourcetype": "_json",
          message: "started",
          port: 8080,
        },
      ],
    },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
