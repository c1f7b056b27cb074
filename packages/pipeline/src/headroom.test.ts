import { expect, test } from "vitest";
import { Headroom } from "./headroom.ts";

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
  const headroom = new Headroom(100);
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
  const headroom = new Headroom(10);
  headroom.appended(0, 10);
  const waiting = headroom.room();
  headroom.close();
  await waiting;
  expect(await free(headroom)).toBe(true);
});
