/** How long after the loss of a host detection, alerts and state are back, and what a backup costs, with so many GB of events. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Repository, type RepositoryKeys, Restore } from "@vedette/backup";
import { newFields } from "@vedette/kit";
import { openLog } from "@vedette/log";
import type { Event } from "@vedette/model";
import { Backups } from "@vedette/pipeline";
import { encodeEvents, openStore } from "@vedette/store";
import { sealerOf } from "@vedette/vault";
import { costOf, option, print, say } from "../harness.ts";

/** The goal: five minutes, whatever the event volume. */
const goal_s = 300;
const perBatch = 5_000;
/** A minute of traffic between two backups. */
const between = 4;

const sealer = sealerOf(Buffer.from("a key of benchmarks"), "backup");
const keys: RepositoryKeys = { wraps: { vault: sealer }, sealerOf: (secret) => sealerOf(secret, "backup") };
const secret = Repository.newKey();

/** Events that pack as badly as connections do. */
function eventsOf(batch: number): readonly Event[] {
  return Array.from({ length: perBatch }, (_, i) => {
    const seq = batch * perBatch + i;
    const fields = newFields();
    const random = Math.imul(seq ^ 0x9e3779b9, 0x85ebca6b) >>> 0;
    fields["source.ip"] = `10.${random & 255}.${(random >>> 8) & 255}.${(random >>> 16) & 255}`;
    fields["destination.port"] = random % 65_536;
    fields["zeek.uid"] = `C${random.toString(36)}${(Math.imul(random, 0xc2b2ae35) >>> 0).toString(36)}`;
    const base = {
      tenant: "main",
      source: "zeek",
      host: "sensor",
      received: 0,
      class: "network",
      original: JSON.stringify(fields),
    } as const;
    return { ...base, id: `e${seq}`, time: seq, seq, fields };
  });
}

async function bytesOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.filter((one) => one.isFile()).map(async (one) => (await stat(join(one.parentPath, one.name))).size),
  );
  return sizes.reduce((a, b) => a + b, 0);
}

/** `--gb N`: sealed events, on disk. */
export async function bench(): Promise<void> {
  const gb = option("gb") ?? 1;
  const scratch = mkdtempSync(join(tmpdir(), "vedette-bench-restore-"));
  try {
    const directory = join(scratch, "data");
    mkdirSync(directory);
    writeFileSync(join(directory, "format"), "1\n");
    const log = await openLog({ directory });
    const store = await openStore({ directory });
    let batch = 0;
    const put = async () => {
      const offset = await log.append("raw", 0, Buffer.alloc(1_000_000, `batch ${batch} `));
      await store.events.put(offset, 0, encodeEvents(eventsOf(batch++)));
    };
    for (let sealed = 0; sealed < gb * 1e9; sealed = (await store.events.usage()).sealedBytes) {
      for (let i = 0; i < 20; i++) await put();
      await store.events.seal(true);
      say(`${(sealed / 1e9).toFixed(2)} GB of events`);
    }
    const to = join(scratch, "backup");
    const backups = await Backups.open({ directory, store, keys, secret: async () => secret, version: "bench" });
    const run = () => backups.run({ to, keep: { newest: 10, days: 0 } });
    const full = await costOf(async () => void (await run()));
    for (let i = 0; i < between; i++) await put();
    const next = await costOf(async () => void (await run()));
    const { last } = backups.status();
    const trial = await costOf(async () => void (await backups.drill(to)));
    const data = await bytesOf(join(directory, "events", "sealed"));
    await log.close();
    await store.close();
    const repository = await Repository.open(to, keys);
    const restore = new Restore(repository, (await repository.newest(undefined, () => {}))!, join(scratch, "back"), true);
    const first = await costOf(async () => void (await restore.first()));
    const opened = await costOf(async () => {
      const [again, state] = [await openLog({ directory: join(scratch, "back") }), await openStore({ directory: join(scratch, "back") })];
      await again.close();
      await state.close();
    });
    const rest = await costOf(async () => void (await restore.rest()));
    print({
      name: "restore",
      value: first.wall_s + opened.wall_s,
      unit: "s until log, state and detection's memory are open again",
      baseline: goal_s,
      details: {
        sealed_events_gb: data / 1e9,
        events: batch * perBatch,
        backup_gb: (await bytesOf(to)) / 1e9,
        first_backup_s: full.wall_s,
        first_backup_cpu_s: full.cpu_s,
        next_backup_s: next.wall_s,
        next_backup_cpu_s: next.cpu_s,
        next_backup_read_mb: (last?.read ?? 0) / 1e6,
        drill_s: trial.wall_s,
        drill_cpu_s: trial.cpu_s,
        restore_first_part_s: first.wall_s,
        open_s: opened.wall_s,
        events_follow_s: rest.wall_s,
        events_follow_cpu_s: rest.cpu_s,
      },
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
