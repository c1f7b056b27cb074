/** Documents that shippers already made in ECS, and the raw lines they carry: Filebeat, Elastic Agent, Fluent Bit. Knows no line's format. */
import {
  type DecodeContext,
  type Decoded,
  type DecodeResult,
  defineFormat,
  type JsonKind,
  type JsonObject,
  newFields,
  z,
} from "@vedette/kit";
import type { Fields, Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { type LineDecode, type LineHints, lineDecoder } from "../ecs_line.ts";
import { Paths } from "../json/flatten.ts";
import { isFlaw, looksLikeObject, parseObject } from "../json/parse.ts";
import { readMessage } from "../linux/programs.ts";
import { parseAnyTime } from "../time/parse.ts";

const unknownShape: Flaw = {
  code: "unknown_shape",
  expected: "a document with @timestamp (or Fluent Bit's date) and ECS fields, message or log",
};

/** Top-level names that only ECS documents and their shippers use, nested or as the head of dotted keys. */
const telling = [
  "ecs",
  "agent",
  "data_stream",
  "event",
  "log",
  "host",
  "input",
  "fileset",
  "service",
  "process",
  "source",
  "user",
  "container",
  "kubernetes",
];
/** As `telling`, in documents whose keys are dotted. */
const tellingDotted = [
  "ecs.version",
  "event.dataset",
  "event.category",
  "event.kind",
  "log.file.path",
  "host.name",
  "agent.type",
  "log.level",
];

function claims(object: JsonObject): number {
  if (object["@timestamp"] !== undefined) {
    if (telling.some((name) => object[name] !== undefined) || tellingDotted.some((name) => object[name] !== undefined)) return 0.7;
    return typeof object["message"] === "string" ? 0.6 : 0;
  }
  if (typeof object["log"] !== "string") return 0;
  const docker = object["stream"] === "stdout" || object["stream"] === "stderr";
  return typeof object["date"] === "number" || docker ? 0.6 : 0;
}

/** Of no use to anybody: the time, which each event has, versions of the shipper's template, and a copy of the original, which is kept anyway. */
const noise = "@timestamp @version ecs.version agent.ephemeral_id event.original @metadata.beat @metadata.type @metadata.version".split(
  " ",
);
const paths = new Paths("", noise);
/** Fluent Bit and Docker put the time beside the line under these names. */
const logPaths = new Paths("", [...noise, "date", "time"]);

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

function decodeObject(object: JsonObject, context: DecodeContext, decodeLine: LineDecode): DecodeResult {
  const fields = newFields();
  fields["event.kind"] = "event";
  const isLog = typeof object["log"] === "string";
  // The raw line: `message`, or Fluent Bit's and Docker's `log`.
  const member = typeof object["message"] === "string" ? "message" : isLog ? "log" : undefined;
  (isLog ? logPaths : paths).flatten(object, fields, member);
  const time = parseAnyTime(object["@timestamp"]) ?? parseAnyTime(object["date"]) ?? parseAnyTime(object["time"]);
  const line = member && text((object[member] as string).trimEnd());
  fields["event.dataset"] ??= fields["data_stream.dataset"] ?? "ecs";
  if (line === undefined) return { time, fields };
  // A document that says what happened has been decoded by its sender.
  const inner = fields["event.category"] === undefined ? decodeLine(line, hintsOf(fields, context), context) : undefined;
  if (inner === undefined || "code" in inner || "skip" in inner) {
    fields["message"] = line;
    readProgram(fields, line);
    return { time, fields };
  }
  if (!Array.isArray(inner)) return merge(fields, inner as Decoded, time);
  return inner.map((one: Decoded) => merge(copyOf(fields), one, time));
}

/** What the line tells goes over what its shipper said about it: `into` becomes the fields of both. */
function merge(into: Fields, inner: Decoded, time: Micros | undefined): Decoded {
  const own = inner.fields["event.module"];
  // The shipper's host is not what a sensor's or a cloud's event is about.
  if (own === "zeek" || own === "aws") {
    if (own === "zeek" && into["host.name"] !== undefined) into["observer.name"] = into["host.name"];
    delete into["host.name"];
  }
  for (const key in inner.fields) into[key] = inner.fields[key];
  const merged: Decoded = { time: inner.time ?? time, fields: into };
  if (inner.original !== undefined) merged.original = inner.original;
  return merged;
}

function copyOf(fields: Fields): Fields {
  const copy = newFields();
  for (const key in fields) copy[key] = fields[key];
  return copy;
}

function hintsOf(fields: Fields, context: DecodeContext): LineHints {
  const module = text(fields["fileset.module"]) ?? text(fields["event.module"]) ?? text(fields["service.type"]);
  const fileset = text(fields["fileset.name"]);
  const joined = module !== undefined && fileset !== undefined ? `${module}.${fileset}` : undefined;
  const dataset = text(fields["event.dataset"]);
  return {
    dataset: dataset === undefined || dataset === "ecs" ? joined : dataset,
    path:
      text(fields["log.file.path"]) ??
      text(fields["path"]) ??
      text(fields["filename"]) ??
      (context.stream.includes("/") ? context.stream : undefined),
    container: text(fields["kubernetes.container.name"]) ?? text(fields["kubernetes.container_name"]) ?? text(fields["container.name"]),
  };
}

/** Filebeat's journald and syslog inputs take the header off themselves: the program then stands in a field. */
function readProgram(fields: Fields, message: string): void {
  if (fields["event.category"] !== undefined) return;
  const program =
    text(fields["syslog.identifier"]) ??
    text(fields["log.syslog.appname"]) ??
    text(fields["journald.process.name"]) ??
    journaldName(fields);
  if (program !== undefined) putProgram(fields, program, message);
}

const journaldName = (fields: Fields): string | undefined =>
  fields["input.type"] === "journald" ? text(fields["process.name"]) : undefined;

function putProgram(fields: Fields, program: string, message: string): void {
  fields["event.module"] = "linux";
  fields["process.name"] ??= program;
  readMessage(program, message, fields);
}

const lineDecode: LineDecode = lineDecoder({});
const kind: JsonKind = {
  anyOf: ["@timestamp", "log"],
  claims,
  decode: (object, _text, context) => decodeObject(object, context, lineDecode),
};

export default defineFormat({
  name: "ecs_json",
  summary: "Documents in ECS as Filebeat, Elastic Agent and Fluent Bit ship them, with the lines inside them decoded.",
  description:
    "A line in message or log is decoded by the format that event.dataset, the fileset, log.file.path, the container's name or the line itself tells; what the line says " +
    "goes over what its shipper said. A document with event.category is taken as it is. vedette.* from outside becomes labels.vedette_*.",
  stability: "beta",
  config: z.strictObject({
    utc_offset: z
      .string()
      .regex(/^[+-]([01]\d|2[0-3]):[0-5]\d$/)
      .default("+00:00")
      .describe("Zone of stamps in shipped syslog lines that name none, as +hh:mm or -hh:mm."),
  }),
  detect: (sample) => 0.85 * share(sample, (line) => looksLikeObject(line) && line.slice(0, 4096).includes('"@timestamp"')),
  decoder(config) {
    const decodeLine = lineDecoder({ syslog: { utc_offset: config.utc_offset } });
    return (line, context) => {
      const parsed = parseObject(line);
      if (isFlaw(parsed)) return line.trim() === "" ? { skip: "blank" } : parsed;
      return claims(parsed) > 0 ? decodeObject(parsed, context, decodeLine) : unknownShape;
    };
  },
  json: kind,
  examples: [
    {
      title: "a document that says what happened",
      input:
        '{"@timestamp":"2024-05-01T10:00:00.5Z","event":{"dataset":"app.login","category":["authentication"],"outcome":"failure"},"source":{"ip":"192.0.2.4"},' +
        '"user.name":"ada","host":{"name":"web1"},"message":"login failed","ecs":{"version":"8.11"},"vedette":{"demo":true}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.500000Z",
          "event.kind": "event",
          "event.dataset": "app.login",
          "event.category": ["authentication"],
          "event.outcome": "failure",
          "source.ip": "192.0.2.4",
          "user.name": "ada",
          "host.name": "web1",
          "labels.vedette_demo": true,
          message: "login failed",
        },
      ],
    },
    {
      title: "a line of auth.log that Filebeat shipped",
      input:
        '{"@timestamp":"2024-03-05T14:08:01.002Z","log":{"offset":1200,"file":{"path":"/var/log/auth.log"}},"agent":{"type":"filebeat","name":"login1"},' +
        '"message":"Mar  5 14:07:59 login1 sshd[4711]: Failed password for root from 192.0.2.66 port 50122 ssh2"}',
      expect: [
        {
          "@timestamp": "2024-03-05T14:07:59.000000Z",
          "event.kind": "event",
          "event.module": "linux",
          "event.dataset": "linux.auth",
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "ssh_login",
          "event.outcome": "failure",
          "host.name": "login1",
          "host.hostname": "login1",
          "agent.type": "filebeat",
          "agent.name": "login1",
          "log.offset": 1200,
          "log.file.path": "/var/log/auth.log",
          "process.name": "sshd",
          "process.pid": 4711,
          "related.ip": ["192.0.2.66"],
          "related.user": ["root"],
          "source.ip": "192.0.2.66",
          "source.port": 50122,
          "user.name": "root",
          "linux.auth.ssh.method": "password",
          message: "Failed password for root from 192.0.2.66 port 50122 ssh2",
        },
      ],
    },
    {
      title: "Fluent Bit's record of an unknown line",
      input: '{"date":1714557600.25,"log":"started\\n"}',
      expect: [{ "@timestamp": "2024-05-01T10:00:00.250000Z", "event.kind": "event", "event.dataset": "ecs", message: "started" }],
    },
    { title: "another document", input: '{"a":1}', expect: { flaw: "unknown_shape" } },
  ],
});
