/** Backups of made-up files: what is kept once, what is found damaged, what a killed run leaves, what goes. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { demandRestored, expired, type Manifest, prune, Repository, Restore, restoreFiles, verifyBackup, writeBackup } from "./index.ts";
import { captured, keys, keysOf, type Made, own } from "./testing/made.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-backup-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const state = (content: string | Uint8Array): Made => ({
  path: "state.db",
  part: "state",
  growth: "changes",
  content: Buffer.from(content),
});
let opened: string[] = [];

const repository = () => Repository.openToWrite(join(scratch, "to"), keys, own);
const write = async (files: readonly Made[], base?: Manifest) => {
  opened = [];
  const taken = captured(files, (path) => opened.push(path));
  return await writeBackup(await repository(), taken, { version: "test", base });
};
const target = () => join(scratch, "data");
const restored = (path: string) => readFileSync(join(target(), path));
const big = (seed: number) => Buffer.alloc(5 << 20, `${seed} something that packs well `);

const objectsIn = (): string[] =>
  readdirSync(join(scratch, "to", "objects"), { recursive: true, encoding: "utf8" }).filter((n) => n.length > 64);

test("what was backed up comes back byte by byte, whatever its length", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 5 }), fc.nat(3), async (contents, blocks) => {
      rmSync(target(), { recursive: true, force: true });
      const files: Made[] = contents.map((content, i) => ({ path: `tables/t${i}`, part: "other", growth: "changes", content }));
      // exactly at and around the borders of chunks
      files.push(state(Buffer.alloc(blocks * (256 << 10) + contents.length, "x")));
      const { manifest } = await write(files);
      await new Restore(await repository(), manifest, target(), true).first();
      for (const { path, content } of files) expect(restored(path).equals(content)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test("a second backup reads and keeps only what changed", async () => {
  const parquet: Made = { path: "events/sealed/1.parquet", part: "events", growth: "fixed", content: big(1) };
  const segment = (length: number): Made => ({
    path: "log/raw/0/1.seg",
    part: "log",
    growth: "grows",
    content: big(2).subarray(0, length),
  });
  const first = await write([state("a"), parquet, segment(4_500_000)]);
  const again = await write([state("a"), parquet, segment(4_700_000)], first.manifest);
  expect(opened).toEqual(["state.db", "log/raw/0/1.seg"]);
  // the first 4 MiB of the segment were full before
  expect(again.read).toBe(1 + 4_700_000 - (4 << 20));
  const same = await write([state("a"), parquet, segment(4_700_000)], undefined);
  expect(same.stored).toBe(0);
});

test("names and contents of what is kept tell nothing without the key", async () => {
  await write([state("an unusual text that nobody would guess")]);
  const all = readdirSync(join(scratch, "to"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const entry of all) {
    expect(readFileSync(join(entry.parentPath, entry.name)).includes("unusual")).toBe(false);
  }
  await expect(Repository.open(join(scratch, "to"), keysOf("another key"))).rejects.toThrow(/If that key is lost, so are they/);
});

test("another installation's folder, and one that is none, are left alone", async () => {
  await write([state("a")]);
  await expect(Repository.openToWrite(join(scratch, "to"), keys, Repository.newKey())).rejects.toThrow(/another installation/);
  mkdirSync(join(scratch, "photos"));
  writeFileSync(join(scratch, "photos", "cat.jpg"), "");
  await expect(Repository.openToWrite(join(scratch, "photos"), keys, own)).rejects.toThrow(/cat\.jpg/);
  await expect(Repository.open(join(scratch, "photos"), keys)).rejects.toThrow(/holds no backups/);
});

test("every object that was changed or lost is named, and kept anew by the next backup", async () => {
  const table: Made = { path: "tables/t", part: "other", growth: "changes", content: Buffer.from("table") };
  const { manifest } = await write([state("state"), table]);
  const [name] = manifest.files[1]!.chunks;
  const path = join(scratch, "to", "objects", name!.slice(0, 2), name!);
  for (const spoil of [(b: Buffer) => b.fill(7, 20, 21), (b: Buffer) => b.subarray(0, b.length - 1), () => Buffer.alloc(0)]) {
    const good = readFileSync(path);
    writeFileSync(path, spoil(Buffer.from(good)));
    expect(await verifyBackup((await repository()).objects, manifest, new Set())).toMatchObject([
      { path: "tables/t", consequence: "left_out" },
    ]);
    // set aside: a backup of the same content writes it again
    expect((await write([state("state"), table], manifest)).stored).toBeGreaterThan(0);
    expect(readFileSync(path).length).toBe(good.length);
  }
  rmSync(path);
  const damage = await restoreFiles((await repository()).objects, manifest.files, target());
  expect(damage.map((one) => one.path)).toEqual(["tables/t"]);
  expect(restored("state.db").toString()).toBe("state");
});

test("a damaged stretch of the log becomes zeros; damaged state is refused", async () => {
  const content = randomBytes((4 << 20) + 9);
  const { manifest } = await write([state("state"), { path: "log/raw/0/1.seg", part: "log", growth: "grows", content }]);
  const remove = (name: string) => rmSync(join(scratch, "to", "objects", name.slice(0, 2), name));
  remove(manifest.files[1]!.chunks[0]!);
  expect(await restoreFiles((await repository()).objects, manifest.files, target())).toMatchObject([{ consequence: "zeros" }]);
  const back = restored("log/raw/0/1.seg");
  expect(back.subarray(0, 4 << 20).every((byte) => byte === 0)).toBe(true);
  expect(back.subarray(4 << 20).equals(content.subarray(4 << 20))).toBe(true);
  remove(manifest.files[0]!.chunks[0]!);
  await expect(new Restore(await repository(), manifest, join(scratch, "other"), true).first()).rejects.toThrow(/earlier backup/);
});

test("a run that is cut short is no backup; the next one goes on from what it left", async () => {
  const stop = new AbortController();
  const files = [state("state"), { path: "tables/a", part: "other", growth: "changes", content: big(3) } as const, state("never")];
  const cut = writeBackup(await repository(), captured(files), {
    version: "test",
    signal: stop.signal,
    onProgress: (_, file) => file === "tables/a" && stop.abort(),
  });
  await expect(cut).rejects.toThrow();
  expect(await (await repository()).list()).toEqual([]);
  // what a kill between write and rename leaves
  const left = objectsIn()[0]!;
  writeFileSync(join(scratch, "to", "objects", `${left}.new`), "half");
  const { manifest } = await write(files.slice(0, 2));
  expect(await verifyBackup((await repository()).objects, manifest, new Set())).toEqual([]);
  await prune(await repository(), { newest: 1, days: 0 });
  expect(objectsIn().some((name) => name.endsWith(".new"))).toBe(false);
});

test("old backups go with what only they need", async () => {
  const ids = ["20261119T080000Z-00000001", "20261119T200000Z-00000002", "20261120T080000Z-00000003", "20261121T080000Z-00000004"];
  expect(expired(ids, { newest: 1, days: 0 })).toEqual(ids.slice(0, 3));
  expect(expired(ids, { newest: 1, days: 3 })).toEqual([ids[0]]);
  expect(expired(ids, { newest: 0, days: 0 })).toHaveLength(3);
  const first = await write([state("first"), { path: "tables/a", part: "other", growth: "changes", content: big(3) }]);
  const second = await write([state("second")], first.manifest);
  const [gone, stays] = [first.manifest.id, second.manifest.id].sort();
  const pruned = await prune(await repository(), { newest: 1, days: 0 });
  expect(pruned.backups).toEqual([gone]);
  expect(pruned.bytes).toBeGreaterThan(0);
  const manifest = await (await repository()).manifest(stays!);
  expect(await verifyBackup((await repository()).objects, manifest, new Set())).toEqual([]);
});

test("one writer at a time", async () => {
  const one = (await repository()).lock();
  const other = await repository();
  expect(() => other.lock()).toThrow(/is writing to/);
  one.release();
  other.lock().release();
});

test("nothing is written over; a restore that was killed goes on, and nobody starts on half of it", async () => {
  const { manifest } = await write([state("state"), { path: "tables/a", part: "other", growth: "changes", content: big(3) }]);
  mkdirSync(target());
  writeFileSync(join(target(), "precious"), "");
  expect(() => Restore.check(target(), [])).toThrow(/precious/);
  rmSync(join(target(), "precious"));
  expect(Restore.check(target(), [])).toBeUndefined();
  const stop = new AbortController();
  const restore = new Restore(await repository(), manifest, target(), true);
  await expect(restore.first({ signal: stop.signal, onProgress: (_, file) => file === "tables/a" && stop.abort() })).rejects.toThrow();
  expect(() => demandRestored(target())).toThrow(/run vedette restore/);
  expect(Restore.check(target(), [])).toMatchObject({ backup: manifest.id, phase: "first" });
  await restore.first();
  demandRestored(target());
  expect(restored("tables/a").equals(big(3))).toBe(true);
  expect(await restore.rest()).toEqual([]);
  expect(Restore.check.bind(undefined, target(), [])).toThrow(/not empty/);
});

test("event files follow, and are named until they are there", async () => {
  const sealed = (n: number): Made => ({
    path: `events/sealed/${n}.parquet`,
    part: "events",
    growth: "fixed",
    content: Buffer.from(`rows ${n}`),
  });
  const { manifest } = await write([state("state"), sealed(1), sealed(2)]);
  const restore = new Restore(await repository(), manifest, target(), true);
  await restore.first();
  expect(
    readFileSync(join(target(), "events", "awaited"), "utf8")
      .trim()
      .split("\n"),
  ).toEqual(["1.parquet", "2.parquet"]);
  expect(() => restored("events/sealed/1.parquet")).toThrow();
  await restore.rest();
  expect(restored("events/sealed/1.parquet").toString()).toBe("rows 1");
  expect(() => restored("events/awaited")).toThrow();
});

test("paths of a manifest stay below the directory", async () => {
  for (const path of ["../x", "a/../../x", "/etc/passwd", "a//b", "a/./b", ""]) {
    const { manifest } = await write([{ path, part: "other", growth: "changes", content: Buffer.from("x") }]);
    await expect((await repository()).manifest(manifest.id)).rejects.toThrow(/backup_invalid|files/);
  }
});
