/** A full or failing disk: back-pressure, never a false acknowledgement, and the log goes on when there is room again. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openLogHere } from "./segments.ts";
import { CrashDisk, type Fault } from "./testing/crash_disk.ts";
import { noSleep, openOn } from "./testing/damaging.ts";
import { batchBytes, readAll } from "./testing/model.ts";
import { seeded, seededBytes } from "./testing/random.ts";

const batch = (number: number, size = 300) => batchBytes({ partition: 0, number }, size);

async function emptyDisk(): Promise<CrashDisk> {
  const disk = new CrashDisk();
  await disk.mkdir("/d");
  return disk;
}

describe("full disk", () => {
  it("refuses with log_full, keeps what it had, and accepts again when there is space", async () => {
    const disk = await emptyDisk();
    const log = await openOn(disk, seeded(1), 2000);
    disk.capacity = 5000;
    const accepted: number[] = [];
    let number = 0;
    let refused: unknown;
    while (refused === undefined) {
      await log.append("raw", 0, batch(number)).then(
        () => accepted.push(number),
        (cause) => {
          refused = cause;
        },
      );
      number++;
    }
    expect(refused).toMatchObject({ code: "log_full", permanent: false });
    await expect(log.append("raw", 0, batch(number++))).rejects.toMatchObject({ code: "log_full" });
    const { end } = await log.bounds("raw", 0);
    await log.retain("raw", 0, end, 0);
    const kept = await log.bounds("raw", 0);
    expect(kept.start).toBeGreaterThan(0);
    accepted.push(number);
    expect(await log.append("raw", 0, batch(number))).toBe(end);
    const after = await openOn(
      disk.crash(() => 0),
      seeded(2),
      2000,
    );
    expect([...(await readAll(after, 0)).batches.values()]).toEqual(accepted.slice(kept.start));
    await after.close();
    await log.close();
  });

  it("starts up on a full disk with a torn tail, and takes appends when there is space", async () => {
    const disk = await emptyDisk();
    const log = await openOn(disk, seeded(1), 1 << 20);
    for (let number = 0; number < 5; number++) await log.append("raw", 0, batch(number));
    await log.close();
    const path = "/d/log/raw/0/00000000000000000000.seg";
    await (await disk.open(path, "write")).truncate(disk.bytesOf(path).length - 10);
    disk.capacity = 0;
    const again = await openOn(disk, seeded(2), 1 << 20);
    expect([...(await readAll(again, 0)).batches.values()]).toEqual([0, 1, 2, 3]);
    expect(await again.damage()).not.toEqual([]);
    await expect(again.append("raw", 0, batch(5))).rejects.toMatchObject({ code: "log_full" });
    disk.capacity = 1 << 20;
    expect(await again.append("raw", 0, batch(6))).toBe(5);
    expect(await readAll(again, 0)).toMatchObject({ damaged: new Set([4]), end: 6 });
    await again.close();
  });

  it("refuses with backpressure what would wait beyond the bound", async () => {
    const disk = await emptyDisk();
    const options = { directory: "/d", queueBytes: 5000 };
    const log = await openLogHere(options, { disk, clock: noSleep, random: seededBytes(seeded(1)) });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, number) => log.append("raw", 0, batch(number))));
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(5);
    for (const outcome of refused) expect(outcome).toMatchObject({ reason: { code: "backpressure", permanent: false } });
    expect((await log.bounds("raw", 0)).end).toBe(20 - refused.length);
    expect(await log.append("raw", 0, batch(99))).toBe(20 - refused.length);
    await log.close();
  });

  it.each(["write", "datasync"] as const)("has taken a refused batch back before it says so (failing %s)", async (on) => {
    for (let seed = 1; seed < 20; seed++) {
      const choose = seeded(seed);
      const disk = await emptyDisk();
      const log = await openOn(disk, choose, 1 << 20);
      expect(await log.append("raw", 0, batch(0))).toBe(0);
      disk.faults.push({ on, code: "EIO", times: 1 });
      // Half the group is written: the first batch wholly.
      const group = await Promise.allSettled([log.append("raw", 0, batch(1, 100)), log.append("raw", 0, batch(2, 400))]);
      for (const outcome of group) expect(outcome).toMatchObject({ status: "rejected", reason: { code: "log_full" } });
      for (const left of [disk.crash(() => 0), disk.crash((choices) => choices - 1), disk.crash(choose), disk.killed()]) {
        const after = await openOn(left, choose, 1 << 20);
        expect(await readAll(after, 0)).toMatchObject({ batches: new Map([[0, 0]]), damaged: new Set() });
        await after.close();
      }
      expect(await log.append("raw", 0, batch(3, 10))).toBe(1);
      await log.close();
    }
  });

  it("never shows a refused batch, whatever fails and wherever it crashes after", async () => {
    const fault = fc.record({
      on: fc.constantFrom<Fault["on"]>("write", "datasync", "truncate", "create", "syncDirectory"),
      code: fc.constantFrom<Fault["code"]>("ENOSPC", "EIO"),
      times: fc.integer({ min: 1, max: 4 }),
    });
    const turn = fc.record({ faults: fc.array(fault, { maxLength: 3 }), appends: fc.integer({ min: 1, max: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 1 << 30 }), async (turns, seed) => {
        const choose = seeded(seed);
        const disk = await emptyDisk();
        const log = await openOn(disk, choose, 1200);
        const accepted = new Map<number, number>();
        let number = 0;
        for (const { faults, appends } of turns) {
          disk.faults.push(...faults.map((given) => ({ ...given })));
          const outcomes = Array.from({ length: appends }, () => {
            const mine = number++;
            return log.append("raw", 0, batch(mine, choose(400))).then(
              (offset) => accepted.set(offset, mine),
              (cause) => expect(cause).toMatchObject({ code: "log_full" }),
            );
          });
          await Promise.all(outcomes);
          const read = await readAll(log, 0);
          expect(read.batches).toEqual(accepted);
        }
        disk.faults.length = 0;
        const last = number++;
        accepted.set(await log.append("raw", 0, batch(last)), last);
        for (const left of [disk.crash(() => 0), disk.crash((choices) => choices - 1), disk.crash(choose), disk.crash(choose)]) {
          const after = await openOn(left, choose, 1200);
          const { batches, damaged } = await readAll(after, 0);
          expect(batches).toEqual(accepted);
          expect(damaged).toEqual(new Set());
          const values = [...batches.values()];
          expect(values).toEqual(values.toSorted((a, b) => a - b));
          await after.close();
        }
        await log.close();
      }),
      { numRuns: 150, seed: 42 },
    );
  });
});
