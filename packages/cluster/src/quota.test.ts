import { type Intake, inProcessCounters } from "@vedette/kit";
import { expect, test } from "vitest";
import { everyBatchWithinQuota } from "./quota.ts";

const start = 1_772_359_200_000_000;
function rig(quota: Parameters<typeof everyBatchWithinQuota>[3]) {
  let now = start;
  const accepted: number[] = [];
  const intake: Intake = {
    accept: async (records) => {
      accepted.push(records.length);
      return { duplicates: [] };
    },
  };
  const counters = inProcessCounters({ now: () => now, sleep: async () => {} });
  const limited = everyBatchWithinQuota(counters, "source syslog", "source syslog's", quota)(intake);
  const accept = (count: number, bytes = 1) =>
    limited.accept(Array.from({ length: count }, () => ({ position: "0", body: new Uint8Array(bytes) })));
  const pass = (seconds: number) => {
    now += seconds * 1_000_000;
  };
  return { accept, accepted, pass };
}

test("ten seconds' worth at once, then batches wait; nothing of a refused one is counted", async () => {
  const { accept, accepted, pass } = rig({ eventsPerSecond: 2, bytesPerSecond: 100 });
  await accept(12);
  const refused = { code: "backpressure", permanent: false };
  await expect(accept(10)).rejects.toMatchObject({
    ...refused,
    message: "source syslog's quota of 2 events a second is used up; try again",
  });
  await accept(8);
  await expect(accept(1)).rejects.toMatchObject(refused);
  pass(0.5);
  await accept(1);
  pass(5);
  await accept(1, 600);
  await expect(accept(1, 600)).rejects.toMatchObject({ message: expect.stringContaining("100 bytes a second") });
  expect(accepted).toEqual([12, 8, 1, 1]);
});

test("a batch larger than ten seconds' worth goes through when nothing is owed", async () => {
  const { accept, accepted, pass } = rig({ eventsPerSecond: 1 });
  await accept(30);
  pass(29);
  await expect(accept(30)).rejects.toMatchObject({ code: "backpressure" });
  pass(1);
  await accept(30);
  expect(accepted).toEqual([30, 30]);
});

test("without a quota there is nothing between", async () => {
  const { accept, accepted } = rig(undefined);
  for (let i = 0; i < 3; i++) await accept(1_000);
  expect(accepted).toHaveLength(3);
});
