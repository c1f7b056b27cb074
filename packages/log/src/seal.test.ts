import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type LogEncryption, newLogKey, openLog, openLogHere } from "./index.ts";
import { noEncryption, Seals } from "./seal.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/vedette-log-`);
});
afterEach(() => rm(directory, { recursive: true }));

const key = newLogKey();
const secret = "password of the batch ";
const batch = (n: number) => Buffer.from(`${secret}${n}`);

/** Opens, appends some, reads all, closes. */
async function use(encryption: LogEncryption, append: readonly number[] = []) {
  const log = await openLogHere({ directory, encryption, cacheBytes: 0 });
  try {
    for (const n of append) await log.append("raw", 0, batch(n));
    const found = await log.read("raw", 0, 0, 1 << 20);
    return { found: found.map((one) => ("bytes" in one ? Buffer.from(one.bytes).toString() : one.damaged)), damage: await log.damage() };
  } finally {
    await log.close();
  }
}
const segments = () => readdirSync(join(directory, "log/raw/0")).filter((name) => name.endsWith(".seg"));
const path = () => join(directory, "log/raw/0", segments()[0]!);
const texts = (...all: readonly number[]) => all.map((n) => `${secret}${n}`);

it("seals batches on the disk; those of before it was turned on, and after it was turned off, are read too", async () => {
  expect((await use(noEncryption, [1])).found).toEqual(texts(1));
  expect(readFileSync(path()).includes(secret)).toBe(true);
  const before = readFileSync(path()).length;
  expect((await use({ keys: [key], seal: true }, [2, 3])).found).toEqual(texts(1, 2, 3));
  expect(segments()).toHaveLength(1);
  expect(readFileSync(path()).subarray(before).includes(secret)).toBe(false);
  const newer = newLogKey();
  expect((await use({ keys: [newer, key], seal: true }, [4])).found).toEqual(texts(1, 2, 3, 4));
  expect((await use({ keys: [newer, key], seal: false }, [5])).found).toEqual(texts(1, 2, 3, 4, 5));
});

it("a missing key is no damage: reading says which, nothing is set aside, and with the key all is there", async () => {
  await use({ keys: [key], seal: true }, [1, 2]);
  const bytes = readFileSync(path());
  await expect(use(noEncryption)).rejects.toMatchObject({ code: "sealed_key_missing", message: expect.stringContaining(key.id) });
  const inThread = await openLog({ directory, encryption: { keys: [newLogKey()], seal: true }, cacheBytes: 0 });
  await expect(inThread.read("raw", 0, 0, 1)).rejects.toMatchObject({ code: "sealed_key_missing" });
  await inThread.close();
  expect(readFileSync(path()).subarray(0, bytes.length).equals(bytes)).toBe(true);
  expect(await use({ keys: [key], seal: true })).toEqual({ found: texts(1, 2), damage: [] });
});

it("damage is told from a wrong key: one frame is lost and said to be, the others read", async () => {
  await use({ keys: [key], seal: true }, [1, 2, 3]);
  const bytes = readFileSync(path());
  const frames = [...bytes.toString("latin1").matchAll(/VLF1/g)].map(({ index }) => index);
  bytes[frames.at(-2)! + 56 + 20 + 3]! ^= 1;
  writeFileSync(path(), bytes);
  const { found, damage } = await use({ keys: [key], seal: true });
  expect(found).toEqual([...texts(1), "checksum", ...texts(3)]);
  expect(damage.length).toBeGreaterThan(0);
  const wrong = { id: key.id, key: newLogKey().key };
  expect((await use({ keys: [wrong], seal: true })).found[0]).toBe("sealed: changed, moved, or by another key of the same name");
});

it("a sealed payload opens in its own place only", () => {
  const seals = new Seals({ keys: [key], seal: true }, (into) => into.fill(7));
  const bound = { salt: Buffer.from("saltsalt"), offset: 5, sequence: 9, rawBytes: 3, zstd: false };
  const sealed = seals.seal(Buffer.from("abc"), bound)!;
  expect(Buffer.from(seals.open(sealed, bound) as Uint8Array).toString()).toBe("abc");
  for (const other of [{ salt: Buffer.from("SALTsalt") }, { offset: 6 }, { sequence: 8 }, { rawBytes: 4 }, { zstd: true }])
    expect(seals.open(sealed, { ...bound, ...other })).toMatch(/^sealed: changed/);
  for (let end = 0; end < sealed.length; end++) expect(seals.open(sealed.subarray(0, end), bound)).toMatch(/^sealed: /);
});
