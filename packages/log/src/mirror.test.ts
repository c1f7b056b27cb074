/** A mirror of a log that goes on, forgets and begins anew: the same batches under the same offsets, with all that they say. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Meta } from "./frame.ts";
import { Ledger } from "./ledger.ts";
import { type Frame, type FrameSource, mirror } from "./mirror.ts";
import { SegmentLog } from "./segments.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-mirror-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const openCopy = (directory = join(root, String(folders++))) => SegmentLog.open({ directory, segmentBytes: 4 << 10 }, {});

/** One partition in memory; a snapshot of what it says is there where `keep` was asked last. */
class Source implements FrameSource {
  frames_: Frame[] = [];
  start = 0;
  kept: { ledger: Ledger; next: number } | undefined;
  readonly ledger = new Ledger();

  append(text: string, meta?: Meta): void {
    const sequence = 1_000 + this.frames_.length;
    this.frames_.push({ offset: this.frames_.length, sequence, meta, payload: Buffer.from(text.padEnd(300, ".")) });
    if (meta) this.ledger.apply(meta, sequence);
  }
  /** As retention does it. */
  drop(before: number): void {
    const ledger = new Ledger();
    for (const body of this.ledger.snapshot()) ledger.restore(body);
    this.kept = { ledger, next: this.frames_.length };
    this.start = before;
  }
  bounds = async () => ({ start: this.start, end: this.frames_.length });
  frames = async (_: string, __: number, from: number) => this.frames_.slice(Math.max(from, this.start), from + 7);
  snapshot = async () => this.kept;
}
const place = { topic: "raw", partition: 0 } as const;
const says = (n: number): Meta => ({ positions: [["file", `${n}`]], counts: [["in/s", 1]] });

async function expectAlike(copy: SegmentLog, source: Source): Promise<void> {
  const { start, end } = await copy.bounds("raw", 0);
  expect(end).toBe(source.frames_.length);
  expect(start).toBeLessThanOrEqual(source.start);
  const found = await copy.read("raw", 0, source.start, 1 << 30);
  const text = (payload: Uint8Array) => Buffer.from(payload).toString();
  expect(found.map((one) => [one.offset, "bytes" in one ? text(one.bytes) : "damaged"])).toEqual(
    source.frames_.slice(source.start).map(({ offset, payload }) => [offset, typeof payload === "string" ? "damaged" : text(payload)]),
  );
  expect(Object.fromEntries(await copy.positions())).toEqual(
    Object.fromEntries([...source.ledger.positions].map(([stream, { value }]) => [stream, value])),
  );
  expect(Object.fromEntries(await copy.counts())).toEqual(Object.fromEntries(source.ledger.counts));
}

test("what is appended, dropped and unreadable there is so here, over restarts of the mirror", async () => {
  const source = new Source();
  const directory = join(root, "restarts");
  for (let round = 0; round < 6; round++) {
    for (let n = 0; n < 20; n++) source.append(`${round}.${n}`, n % 3 === 0 ? says(source.frames_.length) : undefined);
    if (round === 2) source.frames_[45] = { ...source.frames_[45]!, payload: "checksum", meta: undefined };
    if (round === 4) source.drop(70);
    const copy = await openCopy(directory);
    await mirror(source, copy, [place]);
    await expectAlike(copy, source);
    await copy.close();
    const again = await openCopy(directory);
    await expectAlike(again, source);
    await again.close();
  }
});

test("of a log that dropped its beginning before, it has what the snapshot says, and no more of it twice", async () => {
  const source = new Source();
  for (let n = 0; n < 40; n++) source.append(`${n}`, says(n));
  source.drop(30);
  for (let n = 40; n < 45; n++) source.append(`${n}`, says(n));
  const copy = await openCopy();
  await mirror(source, copy, [place]);
  await expectAlike(copy, source);
  for (let n = 45; n < 50; n++) source.append(`${n}`, says(n));
  await mirror(source, copy, [place]);
  await expectAlike(copy, source);
  await copy.close();
});

test("where what comes next was dropped meanwhile, or the log is a shorter one, it begins anew", async () => {
  const source = new Source();
  for (let n = 0; n < 10; n++) source.append(`${n}`, says(n));
  const copy = await openCopy();
  await mirror(source, copy, [place]);
  for (let n = 10; n < 30; n++) source.append(`${n}`, says(n));
  source.drop(25);
  const [mirrored] = await mirror(source, copy, [place]);
  expect(mirrored).toMatchObject({ start: 25, end: 30 });
  await expectAlike(copy, source);

  const other = new Source();
  for (let n = 0; n < 4; n++) other.append(`other ${n}`, says(n));
  await mirror(other, copy, [place]);
  await expectAlike(copy, other);
  await copy.close();
});

test("what is wanted from an offset on is there from it on, and offsets go on behind it", async () => {
  const source = new Source();
  for (let n = 0; n < 10; n++) source.append(`${n}`);
  const copy = await openCopy();
  for (const from of [6, 6, 8, 10]) {
    const [mirrored] = await mirror(source, copy, [{ ...place, from }]);
    expect(mirrored).toMatchObject({ start: from, end: 10 });
  }
  expect(await copy.append("raw", 0, Buffer.from("next"))).toBe(10);
  await copy.close();
});
