/** Backups of a log and a store that are written to meanwhile: what comes back fits together, whatever the moment. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Repository, type RepositoryKeys, Restore } from "@vedette/backup";
import { newFields, type Sealer, systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import type { BackupStatus, Event, Micros } from "@vedette/model";
import { encodeEvents, openStore } from "@vedette/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drill } from "./drill.ts";
import { Backups } from "./runner.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-backup-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** What seals is tried where it is at home; here everybody may read. */
const open: Sealer = { seal: (plain) => plain, open: (box) => box };
const keys: RepositoryKeys = { wraps: { vault: open }, sealerOf: () => open };
const secret = Repository.newKey();

const perBatch = 20;
const consumer = "engine";
const start: Micros = Date.UTC(2026, 10, 21) * 1_000;

const eventsOf = (batch: number): readonly Event[] =>
  Array.from({ length: perBatch }, (_, i) => {
    const seq = batch * perBatch + i;
    const fields = newFields();
    fields["url.path"] = `/p/${i % 3}`;
    const base = { tenant: "main", source: "web", host: "h", received: start, class: "web", original: `line ${seq}` } as const;
    return { ...base, id: `e${seq}`, time: start + seq, seq, fields };
  });

async function installation() {
  const directory = join(scratch, "data");
  mkdirSync(directory);
  writeFileSync(join(directory, "format"), "1\n");
  writeFileSync(join(directory, "secret.key"), "the key");
  const log = await openLog({ directory, segmentBytes: 16 << 10 });
  const store = await openStore({ directory, sealRows: 300, memoryLimitMb: 64 });
  const troubles: (readonly [what: string, message: string | undefined])[] = [];
  const backups = await Backups.open({
    directory,
    store,
    keys,
    secret: async () => secret,
    version: "test",
    onTrouble: (what, _, message) => troubles.push([what, message]),
  });
  const close = async () => {
    await log.close();
    await store.close();
  };
  return { directory, log, store, backups, troubles, close };
}
type Installation = Awaited<ReturnType<typeof installation>>;

/** As the engine does it: accepted, stored, then where it stands; the log keeps little. */
async function work({ log, store }: Installation, stop: AbortSignal): Promise<number> {
  const epoch = await store.checkpoints.acquire(consumer);
  for (let batch = 0; ; batch++) {
    const offset = await log.append("raw", 0, Buffer.from(`batch ${batch} ${"x".repeat(200)}`));
    await store.events.put(offset, start + batch * 1_000_000, encodeEvents(eventsOf(batch)));
    await log.append("findings", 0, Buffer.from(`finding ${batch}`));
    await store.checkpoints.commit(consumer, epoch, offset + 1, "", [{ shard: 0, key: "k", value: `${batch}` }]);
    await log.retain("raw", 0, offset - 3, 0);
    if (stop.aborted) return batch + 1;
  }
}

/** Opens what came back and holds its parts against each other. */
async function expectFits(directory: string): Promise<void> {
  const log = await openLog({ directory });
  const store = await openStore({ directory, memoryLimitMb: 64 });
  try {
    const raw = await log.bounds("raw", 0);
    const { offset } = await store.checkpoints.load(consumer);
    const applied = await store.events.applied();
    // what detection goes on with is there, and nothing is passed over for being known already
    expect(raw.start).toBeLessThanOrEqual(offset);
    expect(raw.end).toBeGreaterThanOrEqual(offset);
    expect(applied).toBeLessThan(raw.end);
    expect(applied).toBeGreaterThanOrEqual(offset - 1);
    expect(await log.damage()).toEqual([]);
    const read = await log.read("raw", 0, raw.start, 1 << 30);
    expect(read.map((one) => one.offset)).toEqual(Array.from({ length: raw.end - raw.start }, (_, i) => raw.start + i));
    // each batch's events are there once
    const range = { from: 0, to: start * 2 };
    const [row] = await store.events.stats({
      tenant: "main",
      range,
      where: { op: "and", of: [] },
      aggregates: [{ fn: "count", as: "n" }],
      by: [],
      limit: 1,
    });
    expect(row?.["n"]).toBe((applied + 1) * perBatch);
    // and it goes on
    expect(await log.append("raw", 0, Buffer.from("next"))).toBe(raw.end);
    await store.events.put(raw.end, start, encodeEvents(eventsOf(raw.end)));
    expect(await store.events.applied()).toBe(raw.end);
  } finally {
    await log.close();
    await store.close();
  }
}

test("a backup of what is written to meanwhile fits together; the next one reads little; a drill says so", async () => {
  const all = await installation();
  const to = join(scratch, "to");
  const stop = new AbortController();
  const working = work(all, stop.signal);
  const reports = [];
  for (let i = 0; i < 4; i++) reports.push(await all.backups.run({ to, keep: { newest: 10, days: 0 } }));
  expect((await all.backups.drill(to)).checks.filter(({ ok }) => !ok)).toEqual([]);
  stop.abort();
  expect(await working).toBeGreaterThan(0);
  await all.close();
  const repository = await Repository.open(to, keys);
  for (const [i, { id }] of reports.entries()) {
    const directory = join(scratch, `back${i}`);
    const restore = new Restore(repository, await repository.manifest(id), directory, true);
    expect(await restore.first()).toEqual([]);
    expect(await restore.rest()).toEqual([]);
    expect(existsSync(join(directory, "secret.key"))).toBe(false);
    await expectFits(directory);
  }
  // nothing of the work is left behind
  expect(readdirSync(all.directory)).not.toContain("backup.tmp");
});

test("a store starts while sealed events follow, says what it lacks, and takes them in as they come", async () => {
  const all = await installation();
  const to = join(scratch, "to");
  const epoch = await all.store.checkpoints.acquire(consumer);
  for (let batch = 0; batch < 40; batch++) await all.store.events.put(batch, start, encodeEvents(eventsOf(batch)));
  await all.store.checkpoints.commit(consumer, epoch, 0, "", []);
  await all.store.events.seal(true);
  const { id } = await all.backups.run({ to, keep: { newest: 1, days: 0 } });
  await all.close();
  const repository = await Repository.open(to, keys);
  const manifest = await repository.manifest(id);
  const directory = join(scratch, "back");
  const restore = new Restore(repository, manifest, directory, true);
  await restore.first();
  const store = await openStore({ directory, memoryLimitMb: 64 });
  const query = { tenant: "main", range: { from: 0, to: start * 2 }, where: { op: "and" as const, of: [] }, limit: 1_000 };
  try {
    expect((await store.events.usage()).restoring).toMatchObject({ events: manifest.about.events });
    const before = (await store.events.search(query)).events.length;
    expect(before).toBe(40 * perBatch - manifest.about.events);
    // upkeep meanwhile forgets nothing that is still to come
    await store.events.retain({});
    await restore.rest();
    expect((await store.events.search(query)).events.length).toBe(40 * perBatch);
    expect((await store.events.usage()).restoring).toBeUndefined();
  } finally {
    await store.close();
  }
});

test("a backup that cannot be made is remembered with its cause, and over when one succeeds", async () => {
  const all = await installation();
  const to = join(scratch, "to");
  mkdirSync(to);
  writeFileSync(join(to, "somebody's"), "");
  await expect(all.backups.run({ to, keep: { newest: 1, days: 0 } })).rejects.toThrow(/somebody's/);
  expect(all.backups.status().failure?.message).toMatch(/somebody's/);
  rmSync(join(to, "somebody's"));
  await all.backups.run({ to, keep: { newest: 1, days: 0 } });
  const { failure, last }: BackupStatus = all.backups.status();
  expect([failure, last?.to]).toEqual([undefined, to]);
  await all.close();
});

test("a drill names what does not come back as it was", async () => {
  const all = await installation();
  const to = join(scratch, "to");
  await all.log.append("raw", 0, Buffer.from("one"));
  const { id } = await all.backups.run({ to, keep: { newest: 1, days: 0 } });
  await all.close();
  const repository = await Repository.open(to, keys);
  const manifest = await repository.manifest(id);
  const noted = { ...manifest, about: { ...manifest.about, log: { "raw/0": 7 }, alerts: 3 } };
  const options = { directory: join(scratch, "drill"), clock: systemClock };
  const report = await drill(repository, noted, options);
  expect(report.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(["log", "state"]);
  const [segment] = manifest.files.find(({ part }) => part === "log")!.chunks;
  const path = join(to, "objects", segment!.slice(0, 2), segment!);
  copyFileSync(path, `${path}.kept`);
  writeFileSync(path, "spoilt");
  expect((await drill(repository, manifest, options)).checks.find(({ name }) => name === "objects")).toMatchObject({ ok: false });
  expect(existsSync(options.directory)).toBe(false);
});
