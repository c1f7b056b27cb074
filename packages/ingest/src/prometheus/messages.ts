/** Prometheus' remote write requests, 1.0 and 2.0, as tables of fields. Knows no bytes. */
import { type Message, table } from "../protobuf.ts";

const sample = table([1, "value", "double"], [2, "timestamp", "int64"]);
const span = table([1, "offset", "sint32"], [2, "length", "uint32"]);
const histogram = table(
  [1, "countInt", "uint64"],
  [2, "countFloat", "double"],
  [3, "sum", "double"],
  [4, "schema", "sint32"],
  [6, "zeroCountInt", "uint64"],
  [7, "zeroCountFloat", "double"],
  [8, "negativeSpans", () => span, "many"],
  [9, "negativeDeltas", "sint64", "many"],
  [10, "negativeCounts", "double", "many"],
  [11, "positiveSpans", () => span, "many"],
  [12, "positiveDeltas", "sint64", "many"],
  [13, "positiveCounts", "double", "many"],
  [15, "timestamp", "int64"],
);

const label = table([1, "name", "string"], [2, "value", "string"]);
const series1 = table([1, "labels", () => label, "many"], [2, "samples", () => sample, "many"], [4, "histograms", () => histogram, "many"]);
export const writeRequest1: Message = table([1, "timeseries", () => series1, "many"]);

const metadata = table([1, "type", "uint32"]);
const series2 = table(
  [1, "labelsRefs", "uint32", "many"],
  [2, "samples", () => sample, "many"],
  [3, "histograms", () => histogram, "many"],
  [5, "metadata", () => metadata],
);
export const writeRequest2: Message = table([4, "symbols", "string", "many"], [5, "timeseries", () => series2, "many"]);
