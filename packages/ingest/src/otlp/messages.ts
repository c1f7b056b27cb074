/** OTLP's export requests as tables of fields (opentelemetry-proto 1.x). Knows no bytes. */
import type { Field, Message } from "./protobuf.ts";

type Entry = readonly [number: number, name: string, kind: Field["kind"], many?: "many"];
const table = (...entries: readonly Entry[]): Message =>
  new Map(entries.map(([number, name, kind, many]) => [number, { name, kind, many: many === "many" }]));

const anyValue: Message = table(
  [1, "stringValue", "string"],
  [2, "boolValue", "bool"],
  [3, "intValue", "int64"],
  [4, "doubleValue", "double"],
  [5, "arrayValue", () => arrayValue],
  [6, "kvlistValue", () => keyValueList],
  [7, "bytesValue", "bytes"],
);
const arrayValue: Message = table([1, "values", () => anyValue, "many"]);
const keyValue: Message = table([1, "key", "string"], [2, "value", () => anyValue]);
const keyValueList: Message = table([1, "values", () => keyValue, "many"]);

const resource = table([1, "attributes", () => keyValue, "many"], [2, "droppedAttributesCount", "uint32"]);
const scope = table(
  [1, "name", "string"],
  [2, "version", "string"],
  [3, "attributes", () => keyValue, "many"],
  [4, "droppedAttributesCount", "uint32"],
);

const logRecord = table(
  [1, "timeUnixNano", "fixed64"],
  [2, "severityNumber", "uint32"],
  [3, "severityText", "string"],
  [5, "body", () => anyValue],
  [6, "attributes", () => keyValue, "many"],
  [7, "droppedAttributesCount", "uint32"],
  [8, "flags", "fixed32"],
  [9, "traceId", "id"],
  [10, "spanId", "id"],
  [11, "observedTimeUnixNano", "fixed64"],
  [12, "eventName", "string"],
);

const spanEvent = table(
  [1, "timeUnixNano", "fixed64"],
  [2, "name", "string"],
  [3, "attributes", () => keyValue, "many"],
  [4, "droppedAttributesCount", "uint32"],
);
const link = table(
  [1, "traceId", "id"],
  [2, "spanId", "id"],
  [3, "traceState", "string"],
  [4, "attributes", () => keyValue, "many"],
  [5, "droppedAttributesCount", "uint32"],
  [6, "flags", "fixed32"],
);
const status = table([2, "message", "string"], [3, "code", "uint32"]);
const span = table(
  [1, "traceId", "id"],
  [2, "spanId", "id"],
  [3, "traceState", "string"],
  [4, "parentSpanId", "id"],
  [5, "name", "string"],
  [6, "kind", "uint32"],
  [7, "startTimeUnixNano", "fixed64"],
  [8, "endTimeUnixNano", "fixed64"],
  [9, "attributes", () => keyValue, "many"],
  [10, "droppedAttributesCount", "uint32"],
  [11, "events", () => spanEvent, "many"],
  [12, "droppedEventsCount", "uint32"],
  [13, "links", () => link, "many"],
  [14, "droppedLinksCount", "uint32"],
  [15, "status", () => status],
  [16, "flags", "fixed32"],
);

/** A request of one signal: the names of its lists from the outside in, as JSON has them. */
export interface Signal {
  readonly outer: string;
  readonly inner: string;
  readonly list: string;
  /** Member of the answer that counts what was not taken. */
  readonly rejected: string;
  readonly request: Message;
}

function signal(outer: string, inner: string, list: string, rejected: string, record: Message): Signal {
  const scoped = table([1, "scope", () => scope], [2, list, () => record, "many"], [3, "schemaUrl", "string"]);
  const part = table([1, "resource", () => resource], [2, inner, () => scoped, "many"], [3, "schemaUrl", "string"]);
  return { outer, inner, list, rejected, request: table([1, outer, () => part, "many"]) };
}

export const logs = signal("resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords", logRecord);
export const traces = signal("resourceSpans", "scopeSpans", "spans", "rejectedSpans", span);
