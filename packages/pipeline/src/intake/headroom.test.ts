import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { Headroom } from "./headroom.ts";
import { freshIntakes } from "./intakes.fixture.ts";

/** Whether there is room at once. */
async function free(headroom: Headroom): Promise<boolean> {
  let done = false;
  void headroom.room().then(() => {
    done = true;
  });
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  return done;
}

test("whoever can wait waits while too much is not analysed", async () => {
  const headroom = new Headroom(() => 0, 100);
  headroom.appended(0, 60);
  expect(await free(headroom)).toBe(true);
  headroom.appended(1, 60);
  expect(await free(headroom)).toBe(false);
  let woken = false;
  const waiting = headroom.room().then(() => {
    woken = true;
  });
  headroom.analysed(0);
  await waiting;
  expect(woken).toBe(true);
  // what was analysed before its appender heard of it does not count
  headroom.analysed(2);
  headroom.appended(2, 500);
  expect(await free(headroom)).toBe(true);
});

test("nobody waits for an analysis that has ended", async () => {
  const headroom = new Headroom(() => 0, 10);
  headroom.appended(0, 10);
  const waiting = headroom.room();
  headroom.close();
  await waiting;
  expect(await free(headroom)).toBe(true);
});

test("the past enters only when almost nothing else is ahead of analysis, one batch of it at a time", async () => {
  const headroom = new Headroom(() => 0, 1_000, 100);
  const entered: string[] = [];
  const enter = async (name: string) => {
    const leave = await headroom.past(100);
    entered.push(name);
    return leave;
  };
  headroom.appended(0, 120);
  // whoever keeps his place still goes on
  expect(await free(headroom)).toBe(true);
  const both = [enter("first"), enter("second")];
  await free(headroom);
  expect(entered).toEqual([]);
  headroom.analysed(0);
  const leave = await both[0]!;
  await free(headroom);
  expect(entered).toEqual(["first"]);
  headroom.appended(1, 100);
  leave();
  await free(headroom);
  expect(entered).toEqual(["first"]);
  headroom.analysed(1);
  (await both[1]!)();
  expect(entered).toEqual(["first", "second"]);
});

test("the slower analysis is, the less of the past is ahead of it; one batch goes in by itself", async () => {
  let now = 0;
  const headroom = new Headroom(() => now, 10_000_000, 1_000_000);
  const enters = async () => {
    let leave: (() => void) | undefined;
    void headroom.past(100_000).then((left) => {
      leave = left;
    });
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    leave?.();
    return leave !== undefined;
  };
  headroom.appended(0, 200_000);
  expect(await enters()).toBe(true);
  // a second for 200 kB: 20 kB is what it does in a tenth
  now = 1_000_000;
  headroom.analysed(0);
  headroom.appended(1, 21_000);
  expect(await enters()).toBe(false);
  headroom.analysed(1);
  expect(await enters()).toBe(true);
});

test("who brings more of the past than may wait is told to come again, however large the first batch is", async () => {
  const headroom = new Headroom(() => 0, 1_000, 1);
  headroom.appended(0, 10);
  const waiting = headroom.past(64 << 20);
  await expect(headroom.past(1)).rejects.toMatchObject({ code: "backpressure" });
  headroom.close();
  (await waiting)();
});

test("a source of the past waits for analysis; one of now does not", async () => {
  const headroom = new Headroom(() => 0, 1_000_000, 100);
  const intakes = await freshIntakes({
    log: memoryLog(),
    clock: { now: () => 0, sleep: async () => {} },
    program: () => "p",
    headroom,
    historical: new Set(["old-beats"]),
  });
  const one = (source: string) => intakes.open({ source, format: "text" }).accept([{ body: Buffer.alloc(200), position: "0" }]);
  await one("live");
  const done: string[] = [];
  const past = ["old-beats", "historical.winter"].map((source) => one(source).then(() => done.push(source)));
  await one("live");
  expect(done).toEqual([]);
  headroom.analysed(1);
  await past[0];
  headroom.analysed(2);
  await past[1];
  expect(done).toEqual(["old-beats", "historical.winter"]);
});
