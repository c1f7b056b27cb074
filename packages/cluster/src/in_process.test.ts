import { describe, expect, test } from "vitest";
import { clusterContract } from "./cluster.contract.ts";
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

  test("what was seen lately takes bounded room: the oldest go first", async () => {
    const { recent } = inProcessCluster(manualClock());
    for (let i = 0; i < 100_001; i++) await recent.add("id", String(i), 1_000);
    expect(await recent.has("id", "0")).toBe(false);
    expect(await recent.has("id", "1")).toBe(true);
    expect(await recent.has("id", "100000")).toBe(true);
  });
});
