/** Series as remote write and PromQL give them, in the JSON that their receivers keep. Knows no transport. */
import type { JsonObject, JsonValue, Skip } from "@vedette/kit";
import type { SampleKind } from "@vedette/model";
import { isObject } from "../json/parse.ts";
import { powersOfTwo } from "../metrics/exponential.ts";
import { boundText, kindOfName, type Labels, labelsOf, Measured, withLabels } from "../metrics/measured.ts";

const listOf = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? (value as readonly JsonValue[]) : []);
const numberOf = (value: JsonValue | undefined): number =>
  typeof value === "number" ? value : typeof value === "string" && value !== "" ? Number(value) : Number.NaN;
const numbersOf = (value: JsonValue | undefined): readonly number[] => listOf(value).map(numberOf);
/** Milliseconds since the epoch. */
const timeOf = (value: JsonValue | undefined): number | undefined => {
  const ms = numberOf(value);
  return Number.isFinite(ms) && ms > 0 ? Math.round(ms * 1_000) : undefined;
};

/** Numbers of Metadata.MetricType (remote write 2.0): 1 a counter, 2 a gauge; of a histogram or summary all but the quantiles only grow. */
function kindOf(type: JsonValue | undefined, name: string, labels: Labels): SampleKind {
  if (type === 1) return "counter";
  if (type === 2 || labels.some(([label]) => label === "quantile")) return "gauge";
  return kindOfName(name);
}

export function decodeSeries(request: JsonObject): Skip {
  const into = new Measured();
  for (const one of listOf(request["timeseries"])) {
    if (!isObject(one)) continue;
    const pairs = listOf(one["labels"]).flatMap((label): [string, string][] =>
      isObject(label) && typeof label["name"] === "string" && typeof label["value"] === "string" ? [[label["name"], label["value"]]] : [],
    );
    const name = pairs.find(([label]) => label === "__name__")?.[1] ?? "";
    const labels = labelsOf(pairs.filter(([label]) => label !== "__name__"));
    const kind = kindOf(one["type"], name, labels);
    // protobuf leaves zeros out
    for (const sample of listOf(one["samples"]))
      if (isObject(sample)) into.add(name, labels, timeOf(sample["timestamp"]), numberOf(sample["value"] ?? 0), kind);
    for (const histogram of listOf(one["histograms"])) if (isObject(histogram)) addNative(name, labels, histogram, into);
  }
  return into.done();
}

/** A native histogram, of whole numbers (deltas of counts) or of any (counts). */
function addNative(name: string, labels: Labels, native: JsonObject, into: Measured): void {
  const time = timeOf(native["timestamp"]);
  const count = numberOf(native["countInt"] ?? native["countFloat"] ?? 0);
  const scale = numberOf(native["schema"] ?? 0);
  const below = [numberOf(native["zeroCountInt"] ?? native["zeroCountFloat"] ?? 0), ...countsOf(native, "negative")].reduce(
    (a, b) => a + b,
    0,
  );
  // custom bounds (schema -53) are explicit ones; what is no power of a base has no reduction
  if (Number.isInteger(scale) && scale >= -4 && scale <= 8) {
    for (const [bound, sum] of bucketsOf(native, scale, below))
      into.add(`${name}_bucket`, withLabels(labels, ["le", boundText(bound)]), time, sum, "counter");
    into.add(`${name}_bucket`, withLabels(labels, ["le", "+Inf"]), time, count, "counter");
  }
  into.add(`${name}_count`, labels, time, count, "counter");
  into.add(`${name}_sum`, labels, time, numberOf(native["sum"] ?? 0), "counter");
}

/** Counts of a side's buckets in order, gaps left out. */
function countsOf(native: JsonObject, side: "positive" | "negative"): readonly number[] {
  const floats = numbersOf(native[`${side}Counts`]);
  if (floats.length > 0) return floats;
  let count = 0;
  return numbersOf(native[`${side}Deltas`]).map((delta) => {
    count += delta;
    return count;
  });
}

/** Prometheus' bucket i ends at base^i, OTLP's at base^(i+1). */
function bucketsOf(native: JsonObject, scale: number, below: number): readonly (readonly [number, number])[] {
  const counts = countsOf(native, "positive");
  const spread: number[] = [];
  let [at, first] = [0, undefined as number | undefined];
  let index = 0;
  for (const span of listOf(native["positiveSpans"])) {
    if (!isObject(span)) continue;
    const [offset, length] = [numberOf(span["offset"] ?? 0), numberOf(span["length"] ?? 0)];
    index += offset;
    first ??= index;
    // hostile gaps and lengths: no more than the counts that there are, and no gap that a histogram of 160 buckets could have
    if (index - first - spread.length > 4_096 || at >= counts.length) break;
    while (spread.length < index - first) spread.push(0);
    for (let k = 0; k < length && at < counts.length; k++) spread.push(counts[at++]!);
    index = first + spread.length;
  }
  return powersOfTwo(below, { scale, offset: (first ?? 0) - 1, counts: spread });
}
