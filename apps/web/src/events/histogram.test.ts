import { expect, it } from "vitest";
import { fillBuckets } from "./histogram.tsx";

it("fills empty buckets on the server's own grid", () => {
  const at = (ms: number) => new Date(ms).toISOString();
  const counts = { width_ms: 1_000, from: at(500), to: at(4_000), total: 5, buckets: [{ start: at(2_000), count: 5 }] };
  expect(fillBuckets(counts)).toEqual([
    [0, 1, 2, 3],
    [0, 0, 5, 0],
  ]);
  expect(fillBuckets({ ...counts, buckets: [], total: 0 })[1]).toEqual([0, 0, 0, 0]);
});
