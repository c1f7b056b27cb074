/** What every log does, whatever is behind it. For tests. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Damaged, Entry, Log } from "../index.ts";

export interface LogDriver {
  readonly name: string;
  /** Whether it is there again when it is opened once more. */
  readonly durable: boolean;
  /** With at least the partitions that `contractPartitions` names. */
  open(directory: string): Promise<Log>;
  /** Takes away what lies outside the directory. */
  gone?(directory: string): Promise<void>;
}
export const contractPartitions = { raw: 6, dead: 5, observations: 6 } as const;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (entry: Entry | Damaged | undefined) => {
  if (entry === undefined || !("bytes" in entry)) throw new Error(`not readable: ${JSON.stringify(entry)}`);
  return new TextDecoder().decode(entry.bytes);
};

export function logContract({ name, durable, open, gone }: LogDriver): void {
  describe(`log: ${name}`, () => {
    let directory: string;
    let log: Log;
    beforeEach(async () => {
      directory = await mkdtemp(`${tmpdir()}/vedette-log-`);
      log = await open(directory);
    });
    afterEach(async () => {
      await log.close();
      await gone?.(directory);
      await rm(directory, { recursive: true });
    });

    it("gives offsets from 0 without gaps, per partition, in the order of the calls", async () => {
      const offsets = await Promise.all(Array.from({ length: 50 }, (_, index) => log.append("raw", index % 2, bytes(`batch ${index}`))));
      expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => Math.floor(index / 2)));
      const read = await log.read("raw", 1, 0, 1 << 20);
      expect(read.map((entry) => [entry.offset, text(entry)])).toEqual(
        offsets.slice(25).map((_, index) => [index, `batch ${index * 2 + 1}`]),
      );
    });

    it("reads from any offset, at least one batch, about as many bytes as asked", async () => {
      for (let index = 0; index < 10; index++) await log.append("dead", 3, bytes(`${index}`.repeat(1000)));
      expect((await log.read("dead", 3, 4, 1)).map(({ offset }) => offset)).toEqual([4]);
      expect((await log.read("dead", 3, 4, 2500)).map(({ offset }) => offset)).toEqual([4, 5, 6]);
      expect((await log.read("dead", 3, 9, 1 << 20)).map(text)).toEqual(["9".repeat(1000)]);
      expect(await log.read("dead", 3, 10, 1 << 20)).toEqual([]);
      expect(await log.read("dead", 4, 0, 1 << 20)).toEqual([]);
    });

    it("keeps an empty batch, and batches apart from the caller's buffers", async () => {
      const mine = Buffer.from("first");
      const appended = log.append("control", 0, mine);
      mine.fill(0);
      await appended;
      await log.append("control", 0, new Uint8Array(0));
      const read = await log.read("control", 0, 0, 1 << 20);
      expect(read.map(text)).toEqual(["first", ""]);
      (read[0] as Entry).bytes.fill(0);
      expect((await log.read("control", 0, 0, 1)).map(text)).toEqual(["first"]);
    });

    it("wakes a waiter when the batch exists, or when it gives up", async () => {
      const gone = new AbortController();
      const never = log.wait("findings", 0, 7, gone.signal);
      const first = log.wait("findings", 0, 0, new AbortController().signal);
      await log.append("findings", 0, bytes("one"));
      await first;
      expect(await log.bounds("findings", 0)).toEqual({ start: 0, end: 1 });
      gone.abort();
      await never;
      await log.wait("findings", 0, 0, new AbortController().signal);
      await log.wait("findings", 0, 9, gone.signal);
    });

    it("remembers positions and counts of what was appended", async () => {
      await log.append("raw", 0, bytes("a"), {
        positions: [{ stream: "file:/var/log/auth.log", value: "10" }],
        counts: { in: 3, __proto__x: 1 },
      });
      await log.append("raw", 1, bytes("b"), { positions: [{ stream: "file:/var/log/auth.log", value: "20" }], counts: { in: 4 } });
      await log.append("raw", 0, bytes("c"), { positions: [{ stream: "other \ud800", value: "é" }] });
      const positions = [
        ["file:/var/log/auth.log", "20"],
        ["other \ud800", "é"],
      ];
      const counts = [
        ["__proto__x", 1],
        ["in", 7],
      ];
      expect([...(await log.positions())].sort()).toEqual(positions);
      expect([...(await log.counts())].sort()).toEqual(counts);
      if (!durable) return;
      await log.close();
      log = await open(directory);
      expect([...(await log.positions())].sort()).toEqual(positions);
      expect([...(await log.counts())].sort()).toEqual(counts);
    });

    it("drops what consumers are done with, but never the newest, and begins at the start after", async () => {
      for (let index = 0; index < 40; index++) await log.append("observations", 5, bytes(`${index} `.repeat(120)), { counts: { in: 1 } });
      await log.retain("observations", 5, 40, 1 << 30);
      expect((await log.bounds("observations", 5)).start).toBe(0);
      await log.retain("observations", 5, 30, 0);
      const { start, end } = await log.bounds("observations", 5);
      expect(start).toBeGreaterThan(0);
      expect(start).toBeLessThanOrEqual(30);
      expect(end).toBe(40);
      expect((await log.read("observations", 5, 0, 1))[0]?.offset).toBe(start);
      expect(await log.counts()).toEqual(new Map([["in", 40]]));
      if (!durable) return;
      await log.close();
      log = await open(directory);
      expect(await log.bounds("observations", 5)).toEqual({ start, end });
      expect(await log.counts()).toEqual(new Map([["in", 40]]));
      expect(await log.damage()).toEqual([]);
    });

    it("refuses what is no partition, what is too large, and counts that are none", async () => {
      await expect(log.append("../raw" as "raw", 0, bytes("x"))).rejects.toMatchObject({ code: "bad_request" });
      await expect(log.append("raw", -1, bytes("x"))).rejects.toMatchObject({ code: "bad_request" });
      await expect(log.append("raw", 0.5, bytes("x"))).rejects.toMatchObject({ code: "bad_request" });
      await expect(log.append("raw", 0, bytes("x"), { counts: { in: Number.NaN } })).rejects.toMatchObject({ code: "bad_request" });
      await expect(log.append("raw", 0, new Uint8Array((16 << 20) + 1))).rejects.toMatchObject({ code: "too_large", permanent: true });
      expect(await log.append("raw", 0, bytes("x"))).toBe(0);
    });

    it("makes what was being appended durable on close and refuses the rest", async () => {
      const pending = Array.from({ length: 20 }, (_, index) => log.append("raw", 0, bytes(`${index}`)));
      const closing = log.close();
      await expect(log.append("raw", 0, bytes("late"))).rejects.toMatchObject({ code: "log_closed", permanent: false });
      expect(await Promise.all(pending)).toEqual(Array.from({ length: 20 }, (_, index) => index));
      await closing;
      if (!durable) return;
      log = await open(directory);
      expect((await log.read("raw", 0, 0, 1 << 20)).map(text)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}`));
    });

    it("keeps many partitions apart: their offsets, readers, waiters, ends and what is dropped of them", async () => {
      const partitions = [0, 1, 2, 3, 4, 5];
      const woken = Promise.all(partitions.map((one) => log.wait("raw", one, one, new AbortController().signal)));
      const expected = new Map<string, number>();
      for (let round = 0; round < 12; round++) {
        await Promise.all(
          partitions
            .filter((one) => round <= one + 6)
            .map(async (one) => {
              const options = { positions: [{ stream: `file:${one}`, value: `${round}` }], counts: { [`in/${one}`]: one } };
              expect(await log.append("raw", one, bytes(`${one}:${round} `.repeat(100)), options)).toBe(round);
              expected.set(`file:${one}`, round);
            }),
        );
      }
      await woken;
      await log.retain("raw", 3, 5, 0);
      for (const one of partitions) {
        const { start, end } = await log.bounds("raw", one);
        expect(end).toBe(one + 7);
        if (one !== 3) expect(start).toBe(0);
        expect((await log.read("raw", one, 6, 1)).map(text)).toEqual([`${one}:6 `.repeat(100)]);
      }
      expect(new Map([...(await log.positions())].map(([stream, value]) => [stream, Number(value)]))).toEqual(expected);
      const counts = await log.counts();
      for (const one of partitions) expect(counts.get(`in/${one}`)).toBe(one * (one + 7));
      if (!durable) return;
      await log.close();
      log = await open(directory);
      expect(await log.counts()).toEqual(counts);
      expect((await log.read("raw", 5, 11, 1)).map(text)).toEqual(["5:11 ".repeat(100)]);
    });
  });
}
