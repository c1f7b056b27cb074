/** Appends, reads, restarts and retention in any order agree with a plain list. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Log } from "./log.ts";
import { openLogHere } from "./segments.ts";
import { CrashDisk } from "./testing/crash_disk.ts";
import { noSleep } from "./testing/damaging.ts";
import { seeded, seededBytes } from "./testing/random.ts";

type Step =
  | { readonly do: "append"; readonly partition: number; readonly sizes: readonly number[]; readonly streams: readonly string[] }
  | { readonly do: "read"; readonly partition: number; readonly from: number; readonly maxBytes: number }
  | { readonly do: "retain"; readonly partition: number; readonly before: number; readonly keepBytes: number }
  | { readonly do: "restart" };

const partition = fc.integer({ min: 0, max: 2 });
const name = fc.oneof(fc.constantFrom("__proto__", "constructor", "a", ""), fc.string({ unit: "binary", maxLength: 8 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      partition,
      sizes: fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constant(9000)), { minLength: 1, maxLength: 6 }),
      streams: fc.array(name, { maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      partition,
      from: fc.integer({ min: -2, max: 60 }),
      maxBytes: fc.integer({ min: 0, max: 20_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("retain" as const),
      partition,
      before: fc.integer({ min: 0, max: 60 }),
      keepBytes: fc.integer({ min: 0, max: 5000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("restart" as const) }) },
);

class Model {
  readonly batches: Uint8Array[][] = [[], [], []];
  readonly starts = [0, 0, 0];
  readonly positions = new Map<string, string>();
  readonly counts = new Map<string, number>();
  made = 0;
}

async function append(log: Log, model: Model, { partition, sizes, streams }: Extract<Step, { do: "append" }>): Promise<void> {
  const appended = sizes.map((size) => {
    const bytes = new Uint8Array(size).map((_, at) => (at * (model.made + 3)) >> (model.made % 5));
    const value = String(model.made++);
    model.batches[partition]!.push(bytes);
    const counts: { [counter: string]: number } = Object.create(null);
    for (const stream of streams) {
      model.positions.set(stream, value);
      counts[stream] = 0.5;
    }
    for (const counter of Object.keys(counts)) model.counts.set(counter, (model.counts.get(counter) ?? 0) + 0.5);
    return log.append("raw", partition, bytes, { positions: streams.map((stream) => ({ stream, value })), counts });
  });
  const end = model.batches[partition]!.length;
  expect(await Promise.all(appended)).toEqual(sizes.map((_, index) => end - sizes.length + index));
}

async function read(log: Log, model: Model, { partition, from, maxBytes }: Extract<Step, { do: "read" }>): Promise<void> {
  const all = model.batches[partition]!;
  const first = Math.max(from, model.starts[partition]!);
  const found = await log.read("raw", partition, from, maxBytes);
  expect(found).toEqual(found.map((_, index) => ({ offset: first + index, bytes: all[first + index] })));
  if (first >= all.length) return void expect(found).toEqual([]);
  const bytes = all.slice(first, first + found.length).map(({ length }) => length);
  const before = bytes.slice(0, -1).reduce((sum, length) => sum + length, 0);
  expect(found.length).toBeGreaterThan(0);
  if (found.length > 1) expect(before).toBeLessThan(maxBytes);
}

describe("segments", () => {
  it.each([0, 4000])("agree with a plain list over any steps and restarts (cache of %i bytes)", async (cacheBytes) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const disk = new CrashDisk();
        await disk.mkdir("/d");
        const random = seededBytes(seeded(1));
        const open = () => openLogHere({ directory: "/d", segmentBytes: 900, cacheBytes }, { disk, clock: noSleep, random });
        const model = new Model();
        let log = await open();
        for (const next of steps) {
          if (next.do === "append") await append(log, model, next);
          else if (next.do === "read") await read(log, model, next);
          else if (next.do === "retain") {
            await log.retain("raw", next.partition, next.before, next.keepBytes);
            const { start } = await log.bounds("raw", next.partition);
            expect(start).toBeLessThanOrEqual(Math.max(next.before, model.starts[next.partition]!));
            expect(start).toBeGreaterThanOrEqual(model.starts[next.partition]!);
            model.starts[next.partition] = start;
          } else {
            await log.close();
            log = await open();
          }
          expect(await log.positions()).toEqual(model.positions);
          expect(await log.counts()).toEqual(model.counts);
          for (const [index, all] of model.batches.entries()) {
            expect(await log.bounds("raw", index)).toEqual({ start: model.starts[index], end: all.length });
          }
        }
        expect(await log.damage()).toEqual([]);
        await log.close();
      }),
      { numRuns: 120 },
    );
  });
});
