/** Backups of events in a shared folder, taken while they are written and sealed: what comes back is each event once, lazily, or is said to be missing. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Repository, type RepositoryKeys, Restore } from "@vedette/backup";
import { always } from "@vedette/condition";
import { newFields, type Sealer } from "@vedette/kit";
import { openLog } from "@vedette/log";
import type { Event, Micros } from "@vedette/model";
import { encodeEvents, openStore } from "@vedette/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Backups } from "./runner.ts";

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-backup-shared-"));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const open: Sealer = { seal: (plain) => plain, open: (box) => box };
const keys: RepositoryKeys = { wraps: { vault: open }, sealerOf: () => open };
const secret = Repository.newKey();
const perBatch = 20;
/** However fast the machine: what is written stays below one page of a search. */
const mostBatches = 400;
const start: Micros = Date.UTC(2026, 10, 21) * 1_000;
const range = { from: start, to: start + 1e12 };

const eventsOf = (batch: number): readonly Event[] =>
  Array.from({ length: perBatch }, (_, i) => {
    const seq = batch * perBatch + i;
    const base = { tenant: "main", source: "web", host: "h", received: start, class: "web", original: `line ${seq}` } as const;
    return { ...base, id: `e${seq}`, time: start + seq, seq, fields: newFields() };
  });

const opened = (directory: string, shared: string) => openStore({ directory, shared, sealRows: 100, memoryLimitMb: 64 });

/** Stored events by id, those of each once. */
async function idsIn(store: Awaited<ReturnType<typeof opened>>): Promise<readonly string[]> {
  const { events } = await store.events.search({ tenant: "main", where: always, range, limit: 10_000 });
  const ids = events.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  return ids;
}

test("events of a shared folder come back whole, sealed ones later; a drill tries them; what never comes is told apart", {
  timeout: 120_000,
}, async () => {
  const [directory, shared, to] = ["data", "events", "backup"].map((name) => join(scratch, name)) as [string, string, string];
  for (const folder of [directory, shared, to]) mkdirSync(folder);
  writeFileSync(join(directory, "format"), "1\n");
  const log = await openLog({ directory });
  const store = await opened(directory, shared);
  const backups = await Backups.open({ directory, store, keys, secret: async () => secret, version: "test" });
  const epoch = await store.checkpoints.acquire("engine");
  const writer = { partition: 0, epoch };
  await store.events.applied(writer);
  const stop = new AbortController();
  const working = (async () => {
    for (let batch = 0; batch < mostBatches; batch++) {
      const offset = await log.append("raw", 0, Buffer.from(`batch ${batch}`));
      await store.events.put(offset, start + batch * 1_000_000, encodeEvents(eventsOf(batch)), writer);
      await store.checkpoints.commit("engine", epoch, offset + 1, "{}", []);
      if (stop.signal.aborted) return;
    }
  })();
  const ask = { to, keep: { newest: 9, days: 0 } };
  const sealedYet = () => existsSync(join(shared, "0000/sealed")) && readdirSync(join(shared, "0000/sealed")).length > 0;
  for (let n = 0; n < 4 || !sealedYet(); n++) await backups.run(ask);
  await backups.run(ask);
  stop.abort();
  await working;
  const drill = await backups.drill(to);
  expect(drill.checks.filter(({ ok }) => !ok)).toEqual([]);
  expect(drill.ok).toBe(true);
  // second names are gone with the backup that needed them
  expect(readdirSync(join(shared, "0000/tmp"))).toEqual([]);
  await log.close();
  await store.close();

  const repository = await Repository.open(to, keys);
  const manifest = (await repository.newest(undefined, (id, why) => expect.fail(`${id}: ${why}`)))!;
  const sealed = manifest.files.filter(({ path }) => path.startsWith("events/shared/0000/sealed/"));
  expect(sealed.length).toBeGreaterThan(0);
  const [back, place] = [join(scratch, "back"), join(scratch, "elsewhere")];
  const restore = new Restore(repository, manifest, back, true, place);
  await restore.first();
  const early = await opened(back, place);
  const { restoring } = await early.events.usage();
  expect(restoring).toMatchObject({ partitions: sealed.length, events: manifest.about.events });
  const soon = await idsIn(early);
  await restore.rest();
  const { offset } = await early.checkpoints.load("engine", 0);
  const all = await idsIn(early);
  expect(all.length).toBe(soon.length + manifest.about.events);
  // all that was analysed when the state was taken
  const ids = new Set(all);
  for (let batch = 0; batch < offset; batch++) for (const { id } of eventsOf(batch)) expect([id, ids.has(id)]).toEqual([id, true]);
  expect((await early.events.usage()).restoring).toBeUndefined();
  // whoever goes on writes where the other stopped
  const next = await early.checkpoints.acquire("engine");
  expect(await early.events.applied({ partition: 0, epoch: next })).toBeGreaterThanOrEqual(offset - 1);
  await early.close();

  const [bare, without] = [join(scratch, "bare"), join(scratch, "without")];
  const less = new Restore(repository, manifest, bare, false, without);
  await less.first();
  await less.rest();
  const few = await opened(bare, without);
  expect((await few.events.usage()).restoring?.events).toBe(manifest.about.events);
  expect(readFileSync(join(without, "lost"), "utf8").trim().split("\n")).toHaveLength(sealed.length);
  expect(await idsIn(few)).toEqual(soon);
  expect(await few.events.retain({})).toEqual({ dropped: sealed.length });
  expect([existsSync(join(without, "lost")), (await few.events.usage()).restoring]).toEqual([false, undefined]);
  await few.close();
});
