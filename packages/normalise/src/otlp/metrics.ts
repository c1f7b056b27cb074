/** OTLP's metrics as samples, histograms as the series that Prometheus makes of them. Knows no transport. */
import type { JsonObject, JsonValue, Skip } from "@vedette/kit";
import type { SampleKind } from "@vedette/model";
import { isObject } from "../json/parse.ts";
import { powersOfTwo } from "../metrics/exponential.ts";
import { boundText, type Labels, labelsOf, Measured, withLabels } from "../metrics/measured.ts";
import { scalarOf } from "./attributes.ts";
import { timeOf } from "./record.ts";

/** Attributes of a resource that tell one sender of a series from another; the rest is the same for all of its series. */
const identifying = new Set([
  "service.name",
  "service.namespace",
  "service.instance.id",
  "host.name",
  "k8s.cluster.name",
  "k8s.namespace.name",
  "k8s.node.name",
  "k8s.pod.name",
]);

const objectsOf = (value: JsonValue | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]).filter(isObject) : [];
/** 64-bit integers are texts in protobuf's JSON, as are numbers that JSON lacks. */
const numberOf = (value: JsonValue | undefined): number =>
  typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
const numbersOf = (value: JsonValue | undefined): readonly number[] =>
  Array.isArray(value) ? (value as readonly JsonValue[]).map(numberOf) : [];

function attributes(list: JsonValue | undefined, wanted: (name: string) => boolean = () => true): Labels {
  const pairs: [string, string][] = [];
  for (const one of objectsOf(list)) {
    const name = one["key"];
    const value = scalarOf(one["value"]);
    if (typeof name !== "string" || value === undefined || !wanted(name)) continue;
    pairs.push([name, typeof value === "object" ? JSON.stringify(value) : String(value)]);
  }
  return labelsOf(pairs);
}

export function decodeMetrics(exported: JsonObject): Skip {
  const into = new Measured();
  for (const part of objectsOf(exported["resourceMetrics"])) {
    const resource = isObject(part["resource"]) ? attributes(part["resource"]["attributes"], (name) => identifying.has(name)) : [];
    for (const scoped of objectsOf(part["scopeMetrics"]))
      for (const metric of objectsOf(scoped["metrics"])) decodeMetric(metric, resource, into);
  }
  return into.done();
}

/** Numbers and names of AggregationTemporality. */
const isDelta = (value: JsonValue | undefined): boolean => value === 1 || value === "AGGREGATION_TEMPORALITY_DELTA";

function decodeMetric(metric: JsonObject, resource: Labels, into: Measured): void {
  const name = typeof metric["name"] === "string" ? metric["name"] : "";
  const points = (data: JsonObject) => {
    const all = objectsOf(data["dataPoints"]);
    const told = all.filter((point) => !noValue(point));
    if (told.length < all.length) into.drop("not_a_number", all.length - told.length);
    return told;
  };
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric as { readonly [type: string]: JsonValue | undefined };
  if (isObject(gauge)) for (const point of points(gauge)) addNumber(name, point, resource, "gauge", into);
  else if (isObject(sum)) {
    // one that may also fall (a queue's length) is read off like a gauge
    const kind = isDelta(sum["aggregationTemporality"]) ? "delta" : sum["isMonotonic"] === true ? "counter" : "gauge";
    for (const point of points(sum)) addNumber(name, point, resource, kind, into);
  } else if (isObject(histogram)) {
    const kind = isDelta(histogram["aggregationTemporality"]) ? "delta" : "counter";
    for (const point of points(histogram)) addHistogram(name, point, resource, kind, into);
  } else if (isObject(exponentialHistogram)) {
    const kind = isDelta(exponentialHistogram["aggregationTemporality"]) ? "delta" : "counter";
    for (const point of points(exponentialHistogram)) addExponential(name, point, resource, kind, into);
  } else if (isObject(summary)) for (const point of points(summary)) addSummary(name, point, resource, into);
  else into.drop("no_data");
}

const labelsOfPoint = (point: JsonObject, resource: Labels): Labels => withLabels(resource, ...attributes(point["attributes"]));
/** DataPointFlags: the value is absent. */
const noValue = (point: JsonObject): boolean => typeof point["flags"] === "number" && (point["flags"] & 1) === 1;

function addNumber(name: string, point: JsonObject, resource: Labels, kind: SampleKind, into: Measured): void {
  const value = numberOf(point["asDouble"] ?? point["asInt"]);
  into.add(name, labelsOfPoint(point, resource), timeOf(point["timeUnixNano"]), value, kind);
}

function addHistogram(name: string, point: JsonObject, resource: Labels, kind: SampleKind, into: Measured): void {
  const bounds = numbersOf(point["explicitBounds"]);
  const buckets: (readonly [number, number])[] = [];
  let sum = 0;
  for (const [i, count] of numbersOf(point["bucketCounts"]).entries()) {
    sum += count;
    buckets.push([bounds[i] ?? Number.POSITIVE_INFINITY, sum]);
  }
  addBuckets(name, point, resource, kind, buckets, into);
}

function addExponential(name: string, point: JsonObject, resource: Labels, kind: SampleKind, into: Measured): void {
  const positive = isObject(point["positive"]) ? point["positive"] : {};
  const negative = isObject(point["negative"]) ? numbersOf(point["negative"]["bucketCounts"]) : [];
  const below = [numberOf(point["zeroCount"] ?? 0), ...negative].reduce((a, b) => a + (b > 0 ? b : 0), 0);
  const scale = numberOf(point["scale"] ?? 0);
  const exponential = { scale, offset: numberOf(positive["offset"] ?? 0), counts: numbersOf(positive["bucketCounts"]) };
  const buckets = Number.isInteger(scale) ? powersOfTwo(below, exponential) : [];
  addBuckets(name, point, resource, kind, [...buckets, [Number.POSITIVE_INFINITY, numberOf(point["count"])]], into);
}

function addBuckets(
  name: string,
  point: JsonObject,
  resource: Labels,
  kind: SampleKind,
  buckets: readonly (readonly [bound: number, count: number])[],
  into: Measured,
): void {
  const labels = labelsOfPoint(point, resource);
  const time = timeOf(point["timeUnixNano"]);
  for (const [bound, count] of buckets) into.add(`${name}_bucket`, withLabels(labels, ["le", boundText(bound)]), time, count, kind);
  into.add(`${name}_count`, labels, time, numberOf(point["count"]), kind);
  if (point["sum"] !== undefined) into.add(`${name}_sum`, labels, time, numberOf(point["sum"]), kind);
}

function addSummary(name: string, point: JsonObject, resource: Labels, into: Measured): void {
  const labels = labelsOfPoint(point, resource);
  const time = timeOf(point["timeUnixNano"]);
  for (const quantile of objectsOf(point["quantileValues"]))
    into.add(
      name,
      withLabels(labels, ["quantile", String(numberOf(quantile["quantile"] ?? 0))]),
      time,
      numberOf(quantile["value"] ?? 0),
      "gauge",
    );
  into.add(`${name}_count`, labels, time, numberOf(point["count"] ?? 0), "counter");
  into.add(`${name}_sum`, labels, time, numberOf(point["sum"] ?? 0), "counter");
}
