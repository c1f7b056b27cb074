import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, memorySecrets, type Secrets } from "@vedette/kit";
import { afterEach, beforeEach, expect, it } from "vitest";
import { LogKeys, openLog, openLogHere } from "./index.ts";
import { SegmentLog } from "./segments.ts";

let directory: string;
let now = 1_795_000_000_000_000;
const day = 86_400_000_000;
const clock: Clock = { now: () => now, sleep: async () => undefined };
beforeEach(async () => {
  directory = await mkdtemp(`${tmpdir()}/vedette-log-keys-`);
});
afterEach(() => rm(directory, { recursive: true }));

const opened = (keys: LogKeys) => SegmentLog.open({ directory, encryption: keys.encryption, cacheBytes: 0 }, {});
const append = (log: SegmentLog, text: string) => log.append("raw", 0, Buffer.from(text));
const texts = async (log: Pick<SegmentLog, "read">) =>
  (await log.read("raw", 0, 0, 1 << 20)).map((one) => ("bytes" in one ? Buffer.from(one.bytes).toString() : one.damaged));
const files = () => readdirSync(join(directory, "log/raw/0")).filter((name) => name.endsWith(".seg"));
/** Ids of keys by which the frames of a file are sealed. */
function sealedBy(name: string, ids: readonly string[]): readonly string[] {
  const bytes = readFileSync(join(directory, "log/raw/0", name));
  return ids.filter((id) => bytes.includes(Buffer.from(id, "hex")));
}
const idsOf = (keys: LogKeys) => keys.encryption.keys.map(({ id }) => id);

it("a new key seals a segment of its own while the log is used; older ones read, and end a day after their last segment went", async () => {
  const secrets = memorySecrets();
  const keys = await LogKeys.open(secrets, true, clock);
  const log = await opened(keys);
  await append(log, "one");
  const [first] = idsOf(keys);
  const second = await keys.renew(log);
  expect(idsOf(keys)).toEqual([second, first]);
  await append(log, "two");
  expect(await texts(log)).toEqual(["one", "two"]);
  expect(files().map((name) => sealedBy(name, [first!, second!]))).toEqual([[first], [second]]);
  expect(await keys.status(log)).toMatchObject([
    { id: second, use: "seals", since: now, neededBy: undefined },
    { id: first, use: "opens", neededBy: ["raw/0"] },
  ]);
  now += 2 * day;
  expect(await keys.settle(log)).toEqual([]);

  await log.retain("raw", 0, 1, 0);
  expect(files()).toHaveLength(1);
  expect((await keys.status(log))[1]).toMatchObject({ neededBy: [] });
  expect(await keys.settle(log)).toEqual([]);
  now += day - 1;
  expect(await keys.settle(log)).toEqual([]);
  now += 1;
  expect(await keys.settle(log)).toEqual([first]);
  expect(idsOf(await LogKeys.open(secrets, true, clock))).toEqual([second]);
  expect(await texts(log)).toEqual(["two"]);
  await log.close();
});

it("batches on their way while the key changes are counted to the key that sealed them", async () => {
  const keys = await LogKeys.open(memorySecrets(), true, clock);
  const log = await opened(keys);
  await append(log, "first");
  const sent: Promise<number>[] = [];
  for (let n = 0; n < 200; n++) {
    sent.push(append(log, `batch ${n}`));
    if (n % 50 === 25) await keys.renew(log);
  }
  await Promise.all(sent);
  expect(new Set(await texts(log)).size).toBe(201);
  const ids = idsOf(keys);
  expect(ids.length).toBe(5);
  const used = new Set(files().flatMap((name) => sealedBy(name, ids)));
  for (const { id, neededBy } of (await keys.status(log)).slice(1)) if (used.has(id)) expect([id, neededBy]).toEqual([id, ["raw/0"]]);
  // whoever drops what lies below drops no frame of a newer key, and all of the older ones
  const { end } = await log.bounds("raw", 0);
  await log.retain("raw", 0, end, 0);
  expect(files().flatMap((name) => sealedBy(name, ids))).toEqual([ids[0]]);
  for (const { neededBy } of (await keys.status(log)).slice(1)) expect(neededBy).toEqual([]);
  await log.close();
});

it("may be cut short at any step: what is there opens, the newest key seals, and older ones get their end", async () => {
  for (const failing of ["change", "encrypt", "second change"]) {
    const kept = memorySecrets();
    let changes = 0;
    const secrets: Secrets = {
      keep: kept.keep,
      change: (name, next) => {
        changes++;
        if (failing === (changes === 1 ? "change" : "second change")) throw new Error("crashed");
        return kept.change(name, next);
      },
    };
    const keys = await LogKeys.open(secrets, true, clock);
    const log = await opened(keys);
    await append(log, "before");
    const cut: typeof log = Object.create(log, {
      encrypt: {
        value: (encryption: Parameters<SegmentLog["encrypt"]>[0]) => {
          if (failing === "encrypt") throw new Error("crashed");
          return log.encrypt(encryption);
        },
      },
    });
    await expect(keys.renew(cut)).rejects.toThrow("crashed");
    await append(log, "between");
    await log.close();

    const after = await LogKeys.open(kept, true, clock);
    const again = await opened(after);
    await after.settle(again);
    await append(again, "after");
    expect((await texts(again)).slice(-3)).toEqual(["before", "between", "after"]);
    const [newest, ...older] = await after.status(again);
    expect(newest!.use).toBe("seals");
    for (const one of older) expect(one.neededBy).toEqual(["raw/0"]);
    expect(older.length > 0).toBe(failing !== "change");
    await again.close();
    await rm(join(directory, "log"), { recursive: true });
  }
});

it("is not renewed where batches are not sealed, and a log whose frames end is not turned for nothing", async () => {
  const keys = await LogKeys.open(memorySecrets(), false, clock);
  const log = await opened(keys);
  await append(log, "plain");
  expect(await keys.renew(log)).toBeUndefined();
  await append(log, "plain");
  expect(files()).toHaveLength(1);
  expect(await keys.status(log)).toMatchObject([{ use: "opens" }]);
  await log.close();
  expect(statSync(join(directory, "log/raw/0", files()[0]!)).size).toBeGreaterThan(0);
});

it("a log in its thread changes keys too, and asks for them anew when somebody else's frame needs one", async () => {
  const secrets = memorySecrets();
  const keys = await LogKeys.open(secrets, true, clock);
  const mine = await openLog({ directory, encryption: keys.encryption, cacheBytes: 0 });
  await mine.append("raw", 0, Buffer.from("one"));
  await keys.renew(mine);
  await mine.append("raw", 0, Buffer.from("two"));
  await mine.close();

  const stale = await LogKeys.open(memorySecrets(), true, clock);
  let asked = 0;
  const other = await openLog({ directory, encryption: stale.encryption, cacheBytes: 0 }, undefined, async () => {
    asked++;
    return keys.encryption;
  });
  const both = await Promise.all([texts(other), texts(other)]);
  expect(both).toEqual([
    ["one", "two"],
    ["one", "two"],
  ]);
  expect(asked).toBe(1);
  await other.close();
  const alone = await openLogHere({ directory, encryption: stale.encryption, cacheBytes: 0 });
  await expect(texts(alone)).rejects.toMatchObject({ code: "sealed_key_missing" });
  await alone.close();
});
