/** Damage of the medium in the full numbers. */
import { describe, it } from "vitest";
import { finishedLog, flipOnce, truncateBy } from "./testing/damaging.ts";
import { seeded } from "./testing/random.ts";

describe("damage", () => {
  it("of single bits loses at most the batch that was hit (10,000 flips)", async () => {
    const finished = await finishedLog(60, 6000, (_, choose) => choose(800));
    const choose = seeded(4);
    for (let flip = 0; flip < 10_000; flip++) await flipOnce(finished, choose);
  });

  it("by truncation at every byte of the last 64 KiB loses what was cut off", async () => {
    const finished = await finishedLog(260, 1 << 20, (_, choose) => choose(500));
    const size = finished.disk.bytesOf(finished.lastSegment).length;
    for (let count = 1; count <= Math.min(64 << 10, size); count++) await truncateBy(finished, count);
  });
});
