/** A metric's data points: counted, and cut into metrics of fewer where it has many. Knows no value. */
import type { Told } from "../protobuf.ts";

/** Some 60 KB as JSON with ten attributes each: one raw record. */
const most = 256;
const types = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

function pointsOf(metric: Told): { readonly type: string; readonly data: Told; readonly points: readonly unknown[] } | undefined {
  for (const type of types) {
    const data = metric[type] as Told | null | undefined;
    if (typeof data === "object" && data !== null && Array.isArray(data["dataPoints"])) return { type, data, points: data["dataPoints"] };
  }
  return undefined;
}

/** What OTLP counts as rejected. */
export const countPoints = (metric: unknown): number =>
  typeof metric === "object" && metric !== null ? Math.max(1, pointsOf(metric as Told)?.points.length ?? 1) : 1;

export function* fewPoints(metric: unknown): Generator<unknown> {
  const found = typeof metric === "object" && metric !== null ? pointsOf(metric as Told) : undefined;
  if (found === undefined || found.points.length <= most) {
    yield metric;
    return;
  }
  const { type, data, points } = found;
  for (let at = 0; at < points.length; at += most)
    yield { ...(metric as Told), [type]: { ...data, dataPoints: points.slice(at, at + most) } };
}
