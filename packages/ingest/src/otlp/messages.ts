/** OTLP's export requests as tables of fields (opentelemetry-proto 1.x). Knows no bytes. */

import { type Message, table } from "../protobuf.ts";
import { countPoints, fewPoints } from "./points.ts";

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

const numberDataPoint = table(
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "asDouble", "double"],
  [6, "asInt", "sfixed64"],
  [7, "attributes", () => keyValue, "many"],
  [8, "flags", "uint32"],
);
const histogramDataPoint = table(
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "double"],
  [6, "bucketCounts", "fixed64", "many"],
  [7, "explicitBounds", "double", "many"],
  [9, "attributes", () => keyValue, "many"],
  [10, "flags", "uint32"],
  [11, "min", "double"],
  [12, "max", "double"],
);
const buckets = table([1, "offset", "sint32"], [2, "bucketCounts", "uint64", "many"]);
const exponentialDataPoint = table(
  [1, "attributes", () => keyValue, "many"],
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "double"],
  [6, "scale", "sint32"],
  [7, "zeroCount", "fixed64"],
  [8, "positive", () => buckets],
  [9, "negative", () => buckets],
  [10, "flags", "uint32"],
  [12, "min", "double"],
  [13, "max", "double"],
  [14, "zeroThreshold", "double"],
);
const quantile = table([1, "quantile", "double"], [2, "value", "double"]);
const summaryDataPoint = table(
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "double"],
  [6, "quantileValues", () => quantile, "many"],
  [7, "attributes", () => keyValue, "many"],
  [8, "flags", "uint32"],
);
const points = (point: Message): Message =>
  table([1, "dataPoints", () => point, "many"], [2, "aggregationTemporality", "uint32"], [3, "isMonotonic", "bool"]);
const metric = table(
  [1, "name", "string"],
  [2, "description", "string"],
  [3, "unit", "string"],
  [5, "gauge", () => numbers],
  [7, "sum", () => numbers],
  [9, "histogram", () => histogramData],
  [10, "exponentialHistogram", () => exponentialData],
  [11, "summary", () => summaryData],
);
const numbers = points(numberDataPoint);
const histogramData = points(histogramDataPoint);
const exponentialData = points(exponentialDataPoint);
const summaryData = points(summaryDataPoint);

/** A request of one signal: the names of its lists from the outside in, as JSON has them. */
export interface Signal {
  readonly outer: string;
  readonly inner: string;
  readonly list: string;
  /** Member of the answer that counts what was not taken. */
  readonly rejected: string;
  /** How many of what it counts a record is. */
  readonly count: (record: unknown) => number;
  /** A record as one or more that fit into a raw record. */
  readonly cut: (record: unknown) => Iterable<unknown>;
  readonly request: Message;
}

const itself = { count: () => 1, cut: (record: unknown) => [record] };
function signal(
  outer: string,
  inner: string,
  list: string,
  rejected: string,
  record: Message,
  { count, cut }: Pick<Signal, "count" | "cut"> = itself,
): Signal {
  const scoped = table([1, "scope", () => scope], [2, list, () => record, "many"], [3, "schemaUrl", "string"]);
  const part = table([1, "resource", () => resource], [2, inner, () => scoped, "many"], [3, "schemaUrl", "string"]);
  return { outer, inner, list, rejected, count, cut, request: table([1, outer, () => part, "many"]) };
}

export const logs = signal("resourceLogs", "scopeLogs", "logRecords", "rejectedLogRecords", logRecord);
export const metrics = signal("resourceMetrics", "scopeMetrics", "metrics", "rejectedDataPoints", metric, {
  count: countPoints,
  cut: fewPoints,
});
export const traces = signal("resourceSpans", "scopeSpans", "spans", "rejectedSpans", span);
