/** Damage of the medium: only what is damaged is lost, it is said, and the log starts and goes on. */
import { describe, expect, it } from "vitest";
import { encodeFrame, GroupBuffer, SALT_BYTES } from "./frame.ts";
import { CrashDisk } from "./testing/crash_disk.ts";
import { assertOnlyLost, type Finished, finishedLog, flipOnce, openOn, truncateBy } from "./testing/damaging.ts";
import { batchBytes, counter, readAll, stream } from "./testing/model.ts";
import { seeded } from "./testing/random.ts";

const small = () => finishedLog(60, 1500, (_, choose) => choose(800));

describe("damage", () => {
  it("of single bits loses at most the batch that was hit (300 flips)", async () => {
    const finished = await small();
    const choose = seeded(3);
    for (let flip = 0; flip < 300; flip++) await flipOnce(finished, choose);
  });

  it("by truncation loses what was cut off, at frame borders and anywhere between", async () => {
    const finished = await finishedLog(300, 1 << 20, (_, choose) => choose(500));
    const size = finished.disk.bytesOf(finished.lastSegment).length;
    const borders = finished.places.slice(-20).flatMap(({ position }) => [-1, 0, 1, 55, 56, 57].map((off) => size - position - off));
    const between = Array.from({ length: 80 }, (_, index) => index * 997);
    for (const count of [...borders, ...between]) if (count > 0 && count < size) await truncateBy(finished, count);
    for (const count of [size, size - 1, size - 127, size - 128, size - 130]) await truncateBy(finished, count);
  });

  const segments = (finished: Finished) => finished.disk.files().filter((path) => path.endsWith(".seg"));
  const lostWith = (finished: Finished, path: string) =>
    new Set(finished.places.flatMap((place) => (place.path === path && place.offset !== undefined ? [place.offset] : [])));
  const each: readonly [string, (disk: CrashDisk, path: string) => Promise<void>][] = [
    ["missing", (disk, path) => disk.unlink(path)],
    ["empty", async (disk, path) => await (await disk.open(path, "write")).truncate(0)],
    ["all zeros", async (disk, path) => void disk.bytesOf(path).fill(0)],
    ["noise", async (disk, path) => disk.bytesOf(path).set(Buffer.alloc(disk.bytesOf(path).length, "noise"))],
  ];
  it.each(each)("of a segment that is %s loses this segment only, wherever it is", async (_, spoil) => {
    const finished = await small();
    const paths = segments(finished);
    expect(paths.length).toBeGreaterThan(3);
    for (const path of paths.slice(1)) {
      const disk = finished.disk.copy();
      await spoil(disk, path);
      await assertOnlyLost(finished, disk, lostWith(finished, path), true);
    }
  });

  it("of a segment's header, snapshot or both loses no batch and no position", async () => {
    const finished = await small();
    for (const path of segments(finished)) {
      const snapshot = finished.places.find((place) => place.path === path && place.position > 0)!;
      for (const places of [[8], [snapshot.position + 60], [8, snapshot.position + 60], [0, 40, snapshot.position]]) {
        const disk = finished.disk.copy();
        for (const at of places) disk.bytesOf(path)[at]! ^= 16;
        const log = await openOn(disk, seeded(5), finished.segmentBytes);
        expect(await log.positions()).toEqual(new Map([[stream(0), "59"]]));
        expect(await log.counts()).toEqual(new Map([[counter(0), 60]]));
        await log.close();
        await assertOnlyLost(finished, disk, new Set(), false);
      }
    }
  });

  it("of a batch keeps its bytes aside, once, and says where", async () => {
    const finished = await small();
    const disk = finished.disk.copy();
    const hit = finished.places.findLast(({ offset }) => offset === 57)!;
    const before = Buffer.from(disk.bytesOf(hit.path).subarray(hit.position, hit.end));
    disk.bytesOf(hit.path)[hit.end - 1]! ^= 1;
    before[before.length - 1]! ^= 1;
    const name = `${hit.path.slice(hit.path.lastIndexOf("/") + 1)}@${hit.position}`;
    for (let start = 0; start < 2; start++) {
      const log = await openOn(disk, seeded(5), finished.segmentBytes);
      await readAll(log, 0);
      expect(await log.damage()).toEqual([
        { topic: "raw", partition: 0, where: `raw/0/${name}`, reason: "checksum", bytes: hit.end - hit.position },
      ]);
      expect(await log.counts()).toEqual(new Map([[counter(0), 59]]));
      await log.close();
      expect(disk.files().filter((path) => path.includes("quarantine"))).toEqual([`/d/log/quarantine/raw-0-${name}`]);
      expect(Buffer.from(disk.bytesOf(`/d/log/quarantine/raw-0-${name}`)).equals(before)).toBe(true);
    }
  });

  it("of the mark costs nothing, and files that are none of ours are left alone", async () => {
    const finished = await small();
    const disk = finished.disk.copy();
    disk.bytesOf("/d/log/raw/0/mark").fill(255);
    for (const name of ["notes.txt", "99999999999999999999.seg", "1.seg"])
      await (await disk.open(`/d/log/raw/0/${name}`, "create")).close();
    await assertOnlyLost(finished, disk, new Set(), true);
    expect(disk.files()).toContain("/d/log/raw/0/notes.txt");
  });

  it("of a batch that holds a forged frame brings no batch that was never appended", async () => {
    const disk = new CrashDisk();
    await disk.mkdir("/d");
    const log = await openOn(disk, seeded(1), 1 << 20);
    const forged = new GroupBuffer();
    const payload = batchBytes({ partition: 0, number: 666 }, 10);
    encodeFrame(forged, { offset: 2, sequence: 2, payload, meta: undefined, snapshot: false }, Buffer.alloc(SALT_BYTES), 0);
    const carrier = Buffer.concat([batchBytes({ partition: 0, number: 1 }, 10), forged.content()]);
    for (const bytes of [batchBytes({ partition: 0, number: 0 }, 10), carrier, batchBytes({ partition: 0, number: 2 }, 10)]) {
      await log.append("raw", 0, bytes);
    }
    await log.close();
    const file = disk.bytesOf("/d/log/raw/0/00000000000000000000.seg");
    file[Buffer.from(file).indexOf("0:1:") - 20]! ^= 1;
    const again = await openOn(disk, seeded(2), 1 << 20);
    expect(await readAll(again, 0)).toMatchObject({
      batches: new Map([
        [0, 0],
        [2, 2],
      ]),
      damaged: new Set([1]),
    });
    await again.close();
  });

  it("by bytes that look like frames deceives nobody: a batch may hold a copy of another segment", async () => {
    const finished = await small();
    const [first = "", second = ""] = segments(finished);
    const disk = finished.disk.copy();
    const from = disk.bytesOf(second).slice();
    const target = disk.bytesOf(first);
    const places = finished.places.filter(({ path, position }) => path === first && position > 1000);
    const begin = places[0]!.position;
    target.set(from.subarray(0, target.length - begin), begin);
    await assertOnlyLost(finished, disk, new Set(places.flatMap(({ offset }) => offset ?? [])), true);
  });
});
