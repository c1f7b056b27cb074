/** After a crash at any moment: everything acknowledged is there, in order, and the log goes on. */
import { describe, expect, it } from "vitest";
import type { Log } from "./log.ts";
import { openLogHere } from "./segments.ts";
import { type Choose, CrashDisk } from "./testing/crash_disk.ts";
import { assertOrdered, batchBytes, counter, LIFE, readAll, stream } from "./testing/model.ts";
import { seeded, seededBytes } from "./testing/random.ts";

const PARTITIONS = [0, 1];
const noSleep = { now: () => 0, sleep: async () => {} };

/** What the world outside knows of one partition. */
interface Known {
  /** Offset → number of the batch, of what was acknowledged or read. */
  readonly seen: Map<number, number>;
  /** Offsets below may be gone: retention was asked for. */
  retained: number;
}
type Knowledge = readonly Known[];
const copy = (known: Knowledge): Knowledge => known.map(({ seen, retained }) => ({ seen: new Map(seen), retained }));

async function openOn(disk: CrashDisk, choose: Choose): Promise<Log> {
  return await openLogHere({ directory: "/d", segmentBytes: 1500, cacheBytes: 0 }, { disk, clock: noSleep, random: seededBytes(choose) });
}

/** Opens what a crash left and holds it against what was known. What it reads is known from then on. */
async function check(log: Log, known: Knowledge): Promise<void> {
  const positions = await log.positions();
  const counts = await log.counts();
  for (const partition of PARTITIONS) {
    const { seen, retained } = known[partition]!;
    const { batches, damaged, start, end } = await readAll(log, partition);
    assertOrdered(batches);
    expect(start).toBeLessThanOrEqual(Math.max(retained, 0));
    for (const [offset, number] of seen) {
      expect(offset, "offsets never go back").toBeLessThan(end);
      if (offset >= start) expect(damaged.has(offset) ? "damaged" : batches.get(offset), `offset ${offset}`).toBe(number);
    }
    const dropped = [...seen].filter(([offset]) => offset < start);
    const last = [...batches.values()].at(-1) ?? dropped.at(-1)?.[1];
    expect(positions.get(stream(partition))).toBe(last === undefined ? undefined : String(last));
    expect(counts.get(counter(partition)) ?? 0).toBe(batches.size + dropped.length);
    for (const [offset, number] of batches) seen.set(offset, number);
  }
}

interface Moment {
  readonly disk: CrashDisk;
  readonly known: Knowledge;
  readonly after: string;
}

/** Appends, retains and goes on, and keeps a few possible crashes, and a killed process, of every moment. */
async function live(disk: CrashDisk, known: Knowledge, numbers: number[], choose: Choose, moments: Moment[]): Promise<void> {
  disk.onChange = (after) => {
    const fates: Choose[] = [() => 0, (choices) => choices - 1, choose, choose];
    for (const fate of fates) moments.push({ disk: disk.crash(fate), known: copy(known), after });
    moments.push({ disk: disk.killed(), known: copy(known), after });
  };
  const log = await openOn(disk, choose);
  for (let turn = 0; turn < 6; turn++) {
    const group = Array.from({ length: 1 + choose(5) }, () => {
      const partition = choose(2);
      const number = numbers[partition]!++;
      const options = { positions: [{ stream: stream(partition), value: String(number) }], counts: { [counter(partition)]: 1 } };
      const size = choose(4) === 0 ? 2000 : choose(300);
      return log.append("raw", partition, batchBytes({ partition, number }, size), options).then((offset) => {
        known[partition]!.seen.set(offset, number);
      });
    });
    if (choose(3) > 0) await Promise.all(group);
    if (choose(4) === 0) {
      const partition = choose(2);
      const { end } = await log.bounds("raw", partition);
      known[partition]!.retained = Math.max(known[partition]!.retained, end);
      await log.retain("raw", partition, end, choose(2) * 2000);
    }
    await Promise.all(group);
  }
  disk.onChange = undefined;
  await log.close();
}

describe("crashes", () => {
  it.each(Array.from({ length: 8 }, (_, seed) => seed))(
    "every prefix of the recorded operations starts up with all that was acknowledged (seed %i)",
    async (seed) => {
      const choose = seeded(seed);
      let disk = new CrashDisk();
      await disk.mkdir("/d");
      let known: Knowledge = PARTITIONS.map(() => ({ seen: new Map(), retained: 0 }));
      const numbers = [0, 0];
      for (let life = 0; life < 3; life++) {
        const moments: Moment[] = [];
        const probe = LIFE * (life + 1) - 1;
        await live(disk, known, numbers, choose, moments);
        expect(moments.length).toBeGreaterThan(20);
        for (const { disk: left, known: then, after } of moments) {
          try {
            const log = await openOn(left, choose);
            await check(log, then);
            await log.append("raw", 0, batchBytes({ partition: 0, number: probe }, 10), {
              positions: [{ stream: stream(0), value: String(probe) }],
              counts: { [counter(0)]: 1 },
            });
            await log.close();
            // What was read must have been on the medium by then.
            const again = await openOn(
              left.crash(() => 0),
              choose,
            );
            await check(again, then);
            await again.close();
          } catch (cause) {
            throw new Error(`seed ${seed}, life ${life}, after ${after}: ${cause instanceof Error ? cause.message : cause}`, { cause });
          }
        }
        // The next life begins at one of these moments.
        const next = moments[choose(moments.length)]!;
        disk = next.disk.copy();
        known = next.known;
        numbers.fill(probe + 1);
      }
    },
  );

  it("acknowledges only when fdatasync of every byte of the batch has returned", async () => {
    const disk = new CrashDisk();
    await disk.mkdir("/d");
    const trace: string[] = [];
    disk.onChange = (operation) => trace.push(operation);
    const log = await openOn(disk, seeded(1));
    for (let round = 0; round < 20; round++) {
      const group = Array.from({ length: 1 + (round % 3) }, (_, index) =>
        log.append("raw", 0, batchBytes({ partition: 0, number: round * 10 + index }, 200)).then((offset) => trace.push(`ack ${offset}`)),
      );
      await Promise.all(group);
    }
    await log.close();
    const unsynced = new Map<string, number>();
    let written = 0;
    let acknowledged = 0;
    for (const operation of trace) {
      const [verb, path = ""] = operation.split(" ");
      if (path.endsWith("/mark")) continue;
      if (verb === "create" || verb === "write") {
        unsynced.set(path, (unsynced.get(path) ?? 0) + 1);
        written++;
      } else if (verb === "datasync") unsynced.delete(path);
      else if (verb === "ack") {
        expect([...unsynced], operation).toEqual([]);
        acknowledged++;
      }
    }
    expect(acknowledged).toBe(39);
    expect(written).toBeGreaterThan(20);
  });
});
