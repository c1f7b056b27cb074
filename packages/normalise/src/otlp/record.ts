/** One log record or span of OTLP's JSON as an event. Knows no transport and no container. */
import type { DecodeContext, Decoded, JsonObject, JsonValue } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { putField } from "../ecs/mapping.ts";
import { relate } from "../ecs/related.ts";
import type { LineDecode } from "../ecs_line.ts";
import { isObject } from "../json/parse.ts";
import { formatTime } from "../time/parse.ts";
import { setUrl } from "../web/url.ts";
import { scalarOf, setAttributes } from "./attributes.ts";
import { samplesOf, spanOf } from "./span.ts";

/** A record with what its containers say of it: `resource` and `scope` as in OTLP, and the record under its kind. */
export interface OtlpRecord {
  readonly resource: JsonObject;
  readonly scope: JsonObject;
}

const text = (value: JsonValue | undefined): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Nanoseconds since the epoch, a text in protobuf's JSON; 0 is unset. */
export function timeOf(value: JsonValue | undefined): Micros | undefined {
  const digits = typeof value === "number" ? String(value) : value;
  if (typeof digits !== "string" || !/^\d{1,20}$/.test(digits)) return undefined;
  const micros = digits.length > 3 ? Number(digits.slice(0, -3)) : 0;
  return micros > 0 && Number.isSafeInteger(micros) ? micros : undefined;
}

/** OTLP's JSON gives ids as hex; protobuf's own JSON as base64. */
function setIds(fields: Fields, record: JsonObject): void {
  const trace = text(record["traceId"]);
  const span = text(record["spanId"]);
  if (trace !== undefined) fields["trace.id"] = trace.toLowerCase();
  if (span !== undefined) fields["span.id"] = span.toLowerCase();
}

function begin(dataset: string, containers: OtlpRecord): Fields {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "otel";
  fields["event.dataset"] = dataset;
  setAttributes(fields, containers.resource["attributes"], "resource");
  const scope = text(containers.scope["name"]);
  if (scope !== undefined) fields["otel.scope.name"] = scope;
  return fields;
}

/** By SeverityNumber, four to a level. */
const levels = ["trace", "debug", "info", "warn", "error", "fatal"];

export function decodeLog(record: JsonObject, containers: OtlpRecord, decodeLine: LineDecode, context: DecodeContext): Decoded {
  const fields = begin("otel.logs", containers);
  setAttributes(fields, record["attributes"], "attributes");
  setIds(fields, record);
  const severity = record["severityNumber"];
  const level =
    text(record["severityText"])?.toLowerCase() ??
    (typeof severity === "number" && severity > 0 ? levels[Math.ceil(severity / 4) - 1] : undefined);
  if (level !== undefined) fields["log.level"] = level;
  const name = text(record["eventName"]);
  if (name !== undefined) fields["event.action"] = name;
  const body = scalarOf(record["body"]);
  if (body !== undefined) fields["message"] = typeof body === "object" ? JSON.stringify(body) : String(body);
  const time = timeOf(record["timeUnixNano"]) ?? timeOf(record["observedTimeUnixNano"]);
  if (typeof body === "string") {
    const inner = decodeBody(body, fields, decodeLine, context);
    if (inner !== undefined) {
      inner.time ??= time;
      return inner;
    }
  }
  setWeb(fields);
  relate(fields);
  return { time, fields };
}

/** A raw line that a collector read from a file means what it means anywhere; the collector says where it came from. */
function decodeBody(body: string, fields: Fields, decodeLine: LineDecode, context: DecodeContext): Decoded | undefined {
  const hint = (field: string) => (typeof fields[field] === "string" ? (fields[field] as string) : undefined);
  const hints = { dataset: undefined, path: hint("log.file.path") ?? hint("log.file.name"), container: hint("container.name") };
  const result = decodeLine(body, hints, context);
  const inner = Array.isArray(result) ? (result as readonly Decoded[])[0] : (result as Decoded | undefined);
  if (inner === undefined) return undefined;
  for (const field in fields) inner.fields[field] ??= fields[field];
  return inner;
}

/** OTLP's span kinds by number and by name. */
const kinds = ["unspecified", "internal", "server", "client", "producer", "consumer"];

export function decodeSpan(span: JsonObject, containers: OtlpRecord): Decoded {
  const fields = begin("otel.traces", containers);
  setAttributes(fields, span["attributes"], "attributes");
  setIds(fields, span);
  const parent = text(span["parentSpanId"]);
  if (parent !== undefined) fields["parent.id"] = parent.toLowerCase();
  const name = text(span["name"]);
  if (name !== undefined) fields["event.action"] = name;
  const told = span["kind"];
  const kind = typeof told === "number" ? kinds[told] : text(told)?.replace("SPAN_KIND_", "").toLowerCase();
  if (kind !== undefined) fields["otel.span.kind"] = kind;
  const start = timeOf(span["startTimeUnixNano"]);
  const end = timeOf(span["endTimeUnixNano"]);
  if (start !== undefined) fields["event.start"] = formatTime(start);
  if (end !== undefined) fields["event.end"] = formatTime(end);
  if (start !== undefined && end !== undefined && end >= start) fields["event.duration"] = (end - start) * 1000;
  setSpanOutcome(fields, span["status"]);
  setWeb(fields);
  if (fields["event.category"] === undefined) {
    const isDatabase = Object.keys(fields).some((field) => field.startsWith("otel.attributes.db."));
    fields["event.category"] = isDatabase ? "database" : kind === "internal" ? "process" : "network";
    fields["event.type"] = isDatabase ? "access" : "info";
  }
  relate(fields);
  const measured = spanOf(fields, start);
  return { time: start ?? end, fields, ...(measured && { samples: samplesOf(measured) }) };
}

/** Only 2 (STATUS_CODE_ERROR) is a failure; unset is what most libraries leave after success. */
function setSpanOutcome(fields: Fields, status: JsonValue | undefined): void {
  const code = isObject(status) ? status["code"] : undefined;
  fields["event.outcome"] = code === 2 || code === "STATUS_CODE_ERROR" ? "failure" : "success";
  const message = isObject(status) ? text(status["message"]) : undefined;
  if (message !== undefined) fields["event.reason"] = message;
}

/** What the conventions for HTTP tell in ECS's terms. */
function setWeb(fields: Fields): void {
  const method = fields["http.request.method"];
  const peer = fields["network.peer.address"];
  if (fields["source.ip"] === undefined && fields["otel.span.kind"] === "server" && typeof peer === "string")
    putField(fields, "source.ip", peer);
  const full = fields["url.full"];
  const target = fields["otel.attributes.http.target"] ?? fields["http.target"];
  if (typeof full === "string") setUrl(fields, full);
  else if (typeof target === "string") setUrl(fields, target);
  if (method === undefined) return;
  fields["event.category"] = "web";
  fields["event.type"] = "access";
  const status = fields["http.response.status_code"];
  if (typeof status === "number") fields["event.outcome"] = status < 400 ? "success" : "failure";
}
