import { describe, expect, test } from "vitest";
import { clusterContract } from "./cluster.contract.ts";
import { maxRecent, recentSlot, recentSlots } from "./cluster.ts";
import { inProcessCluster } from "./in_process.ts";

/** 2026-03-01T10:00:00Z. */
const start = 1_772_359_200_000_000;
const manualClock = () => {
  let now = start;
  return {
    now: () => now,
    async sleep(ms: number) {
      now += ms * 1_000;
    },
  };
};

describe("in process", () => {
  clusterContract(async () => {
    const clock = manualClock();
    const cluster = inProcessCluster(clock);
    return { connect: async () => cluster, pass: (ms) => clock.sleep(ms) };
  });

  test("a process started anew gives larger fences than the one before", async () => {
    const clock = manualClock();
    const before = await inProcessCluster(clock).leases.acquire("leader", "a", 1_000);
    await clock.sleep(1);
    const after = await inProcessCluster(clock).leases.acquire("leader", "b", 1_000);
    expect(after!.fence).toBeGreaterThan(before!.fence);
  });

  test("what was seen lately takes bounded room, and is forgotten after some minutes", async () => {
    const clock = manualClock();
    const { recent } = inProcessCluster(clock);
    await recent.add(
      "id",
      Array.from({ length: maxRecent + 1 }, (_, n) => `${n}`),
    );
    const asked = ["0", `${maxRecent - 1}`, `${maxRecent}`];
    expect([...(await recent.known("id", asked))]).toEqual(asked.slice(0, 2));
    const span_ms = recentSlot / 1_000;
    await clock.sleep((recentSlots - 1) * span_ms);
    expect((await recent.known("id", asked)).size).toBe(2);
    await clock.sleep(span_ms);
    expect((await recent.known("id", asked)).size).toBe(0);
  });
});
