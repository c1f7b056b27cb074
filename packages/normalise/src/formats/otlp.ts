/** OpenTelemetry's logs, spans and metrics as OTLP's JSON: exports as the file exporter writes them, or single records. Knows no transport. */
import { type DecodeContext, type Decoded, type DecodeResult, defineFormat, type JsonObject, type JsonValue, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { share } from "../detect.ts";
import { type LineDecode, lineDecoder } from "../ecs_line.ts";
import { isFlaw, isObject, looksLikeObject, parseObject } from "../json/parse.ts";
import { decodeMetrics } from "../otlp/metrics.ts";
import { decodeLog, decodeSpan, type OtlpRecord } from "../otlp/record.ts";

const notOtlp: Flaw = {
  code: "unknown_shape",
  expected:
    "OTLP's JSON: {resourceLogs: […]}, {resourceSpans: […]} or {resourceMetrics: […]}, or one record as {resource, scope, logRecord} or {resource, scope, span}",
};

const none: JsonObject = {};
const objectOf = (value: JsonValue | undefined): JsonObject => (isObject(value) ? value : none);
const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? (value as readonly JsonValue[]) : []);

/** What a resource may come to when it is said again with each of its records; beyond it only the service and the host are. */
const maxCopied = 4_194_304;

function bounded(resource: JsonObject, records: number): JsonObject {
  if (records < 2 || JSON.stringify(resource).length * records <= maxCopied) return resource;
  const kept = listOf(resource["attributes"]).filter(
    (one) => isObject(one) && (one["key"] === "service.name" || one["key"] === "host.name"),
  );
  return { attributes: kept.slice(0, 2).filter((one) => JSON.stringify(one).length <= 512) };
}

/** The containers of either signal, by the names of their lists. */
interface Signal {
  readonly outer: string;
  readonly inner: string;
  readonly list: string;
  readonly record: string;
}
const signals: readonly Signal[] = [
  { outer: "resourceLogs", inner: "scopeLogs", list: "logRecords", record: "logRecord" },
  { outer: "resourceSpans", inner: "scopeSpans", list: "spans", record: "span" },
];

type Decode = (record: JsonObject, containers: OtlpRecord) => Decoded;

function decodeExport(object: JsonObject, signal: Signal, decode: Decode): DecodeResult {
  const events: Decoded[] = [];
  for (const part of listOf(object[signal.outer])) {
    const scopes = listOf(objectOf(part)[signal.inner]);
    const count = scopes.reduce<number>((n, one) => n + listOf(objectOf(one)[signal.list]).length, 0);
    const resource = bounded(objectOf(objectOf(part)["resource"]), count);
    for (const scoped of scopes) {
      const scope = objectOf(objectOf(scoped)["scope"]);
      for (const record of listOf(objectOf(scoped)[signal.list])) {
        const event = decode(objectOf(record), { resource, scope });
        event.original = JSON.stringify(record);
        events.push(event);
      }
    }
  }
  return events.length === 0 ? { skip: "blank" } : events;
}

function decodeObject(object: JsonObject, context: DecodeContext, decodeLine: LineDecode): DecodeResult {
  for (const signal of signals) {
    const decode: Decode =
      signal.record === "span" ? decodeSpan : (record, containers) => decodeLog(record, containers, decodeLine, context);
    if (Array.isArray(object[signal.outer])) return decodeExport(object, signal, decode);
    const record = object[signal.record];
    if (isObject(record)) return decode(record, { resource: objectOf(object["resource"]), scope: objectOf(object["scope"]) });
  }
  return Array.isArray(object["resourceMetrics"]) ? decodeMetrics(object) : notOtlp;
}

function claims(object: JsonObject): number {
  if (["resourceLogs", "resourceSpans", "resourceMetrics"].some((name) => Array.isArray(object[name]))) return 1;
  const isRecord = isObject(object["logRecord"]) || isObject(object["span"]);
  return isRecord && object["resource"] !== undefined ? 0.95 : 0;
}

// One for all: it remembers only the decoders of the formats it hands lines to.
const decodeLine = lineDecoder({});

export default defineFormat({
  name: "otlp",
  summary: "OpenTelemetry logs, spans and metrics as OTLP JSON, by the semantic conventions.",
  description:
    "One record is {resource, scope, logRecord} or {resource, scope, span}, each part as OTLP's JSON has it. Attributes that ECS shares keep their names, others are " +
    "otel.attributes.<name> and otel.resource.<name>. A body that is a raw line of a known format is decoded by it. " +
    "Metrics become samples of series, not events; a span gives both: its event, and samples of its service's and its call's duration and failure.",
  stability: "beta",
  config: z.strictObject({}),
  detect: (sample) => 0.95 * share(sample, (line) => /^\s{0,8}\{\s{0,8}"resource(?:Logs|Spans|Metrics)"\s{0,4}:\s{0,4}\[/.test(line)),
  decoder() {
    const decoder = lineDecoder({});
    return (line, context) => {
      if (line.trim() === "") return { skip: "blank" };
      if (!looksLikeObject(line)) return notOtlp;
      const parsed = parseObject(line);
      return isFlaw(parsed) ? parsed : decodeObject(parsed, context, decoder);
    };
  },
  json: {
    anyOf: ["resourceLogs", "resourceSpans", "resourceMetrics", "logRecord", "span"],
    claims,
    decode: (object, _text, context) => decodeObject(object, context, decodeLine),
  },
  examples: [
    {
      title: "an export with a line that a collector read from a file",
      input:
        '{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"login1"}},{"key":"k8s.namespace.name","value":{"stringValue":"default"}}]},"scopeLogs":[{"scope":{"name":"filelog"},' +
        '"logRecords":[{"timeUnixNano":"1714557600123456789","attributes":[{"key":"log.file.path","value":{"stringValue":"/var/log/auth.log"}}],' +
        '"body":{"stringValue":"May  1 10:00:00 login1 sshd[4711]: Failed password for root from 192.0.2.7 port 22 ssh2"}}]}]}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:00.000000Z",
          "event.kind": "event",
          "event.module": "linux",
          "event.dataset": "linux.auth",
          "host.name": "login1",
          "host.hostname": "login1",
          "process.name": "sshd",
          "process.pid": 4711,
          message: "Failed password for root from 192.0.2.7 port 22 ssh2",
          "source.ip": "192.0.2.7",
          "source.port": 22,
          "event.category": "authentication",
          "event.type": "info",
          "event.action": "ssh_login",
          "event.outcome": "failure",
          "linux.auth.ssh.method": "password",
          "user.name": "root",
          "related.ip": ["192.0.2.7"],
          "related.user": ["root"],
          "orchestrator.namespace": "default",
          "otel.scope.name": "filelog",
          "log.file.path": "/var/log/auth.log",
        },
      ],
    },
    {
      title: "one record of an application",
      input:
        '{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"team","value":{"stringValue":"a"}}]},"scope":{"name":"shop.login"},"logRecord":{"timeUnixNano":"1714557601000000000",' +
        '"severityNumber":13,"body":{"stringValue":"login refused"},"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","eventName":"user.login",' +
        '"attributes":[{"key":"client.address","value":{"stringValue":"192.0.2.7"}},{"key":"enduser.id","value":{"stringValue":"eve"}},{"key":"attempts","value":{"intValue":"3"}}]}}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:01.000000Z",
          "event.kind": "event",
          "event.module": "otel",
          "event.dataset": "otel.logs",
          "service.name": "shop",
          "otel.resource.team": "a",
          "otel.scope.name": "shop.login",
          "source.ip": "192.0.2.7",
          "user.name": "eve",
          "otel.attributes.attempts": 3,
          "trace.id": "5b8efff798038103d269b633813fc60c",
          "span.id": "eee19b7ec3c1b174",
          "log.level": "warn",
          "event.action": "user.login",
          message: "login refused",
          "related.ip": ["192.0.2.7"],
          "related.user": ["eve"],
        },
      ],
    },
    {
      title: "a server's span",
      input:
        '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173",' +
        '"name":"GET /cart","kind":2,"startTimeUnixNano":"1714557602000000000","endTimeUnixNano":"1714557602250000000","status":{},"attributes":[{"key":"http.request.method","value":{"stringValue":"GET"}},' +
        '{"key":"url.path","value":{"stringValue":"/cart"}},{"key":"http.response.status_code","value":{"intValue":"500"}},{"key":"network.peer.address","value":{"stringValue":"2001:db8::7"}}]}]}]}]}',
      expect: [
        {
          "@timestamp": "2024-05-01T10:00:02.000000Z",
          "event.kind": "event",
          "event.module": "otel",
          "event.dataset": "otel.traces",
          "service.name": "shop",
          "http.request.method": "GET",
          "url.path": "/cart",
          "http.response.status_code": 500,
          "network.peer.address": "2001:db8::7",
          "trace.id": "5b8efff798038103d269b633813fc60c",
          "span.id": "eee19b7ec3c1b174",
          "parent.id": "eee19b7ec3c1b173",
          "event.action": "GET /cart",
          "otel.span.kind": "server",
          "event.start": "2024-05-01T10:00:02.000000Z",
          "event.end": "2024-05-01T10:00:02.250000Z",
          "event.duration": 250000000,
          "event.outcome": "failure",
          "source.ip": "2001:db8::7",
          "event.category": "web",
          "event.type": "access",
          "related.ip": ["2001:db8::7"],
        },
      ],
    },
    {
      title: "metrics: a counter and a histogram",
      input:
        '{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"os.type","value":{"stringValue":"linux"}}]},"scopeMetrics":[{"metrics":[' +
        '{"name":"orders","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[{"attributes":[{"key":"country","value":{"stringValue":"is"}}],"timeUnixNano":"1714557600000000000","asInt":"7"}]}},' +
        '{"name":"wait","histogram":{"aggregationTemporality":1,"dataPoints":[{"timeUnixNano":"1714557600000000000","count":"3","sum":0.5,"bucketCounts":["1","2"],"explicitBounds":[0.1]}]}},' +
        '{"name":"load","gauge":{"dataPoints":[{"timeUnixNano":"1714557600000000000","asDouble":"NaN"}]}}]}]}]}',
      expect: {
        samples: [
          'orders{country="is",service.name="shop"} 7 counter 2024-05-01T10:00:00.000000Z',
          'wait_bucket{le="0.1",service.name="shop"} 1 delta 2024-05-01T10:00:00.000000Z',
          'wait_bucket{le="+Inf",service.name="shop"} 3 delta 2024-05-01T10:00:00.000000Z',
          'wait_count{service.name="shop"} 3 delta 2024-05-01T10:00:00.000000Z',
          'wait_sum{service.name="shop"} 0.5 delta 2024-05-01T10:00:00.000000Z',
        ],
        dropped: { not_a_number: 1 },
      },
    },
    {
      title: "another document",
      input: '{"span":7}',
      expect: {
        flaw: "unknown_shape",
      },
    },
  ],
});
