/** A still picture of the store for a backup: a copy of the state, and the files it names, kept from being removed. Knows no backup. */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Partitions } from "./events/partitions.ts";
import type { SeriesFiles } from "./series/files.ts";
import type { SharedSnapshot } from "./shared/snapshot.ts";
import { mirrorState } from "./state/mirror.ts";
import { openState } from "./state/open.ts";
import { copySqlite, readSqlite } from "./state/sqlite.ts";
import type { State } from "./state/tables.ts";
import type { Snapshot, SnapshotFile, SnapshotStore } from "./store.ts";

const stateFile = "state.db";
/** Stays from one backup to the next, where state is on a server: what did not change there is not written here. */
const mirrorFolder = "backup.copy";

/**
 * @param directory the data directory
 * @param local its own database, and `state` where the state is: another where it is on a server
 */
export function snapshotStore(
  directory: string,
  { local, state }: { readonly local: State; readonly state: State },
  partitions: Partitions,
  series: SeriesFiles,
  shared: SharedSnapshot | undefined,
): SnapshotStore {
  const held = new Map<number, () => Promise<void>>();
  let last = 0;
  return {
    async take(folder) {
      const release = [partitions.hold(), series.hold()];
      const letGo = async () => {
        for (const one of release) one();
        rmSync(folder, { recursive: true, force: true });
        await shared?.release();
      };
      try {
        rmSync(folder, { recursive: true, force: true });
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        // files first held, then the state that names some of them: what it names is there
        const copy = join(state === local ? folder : join(directory, mirrorFolder), stateFile);
        const copyState = async () => {
          if (state === local) await copySqlite(join(directory, stateFile), copy);
          else await mirrored(copy, state, local);
          return copy;
        };
        const beside = shared ? await shared.take(copyState) : { copy: await copyState(), files: [] };
        const picture = pictureOf(directory, copy);
        held.set(++last, letGo);
        return { id: last, ...picture, files: [...picture.files, ...beside.files] };
      } catch (error) {
        await letGo();
        throw error;
      }
    },
    async release(id) {
      await held.get(id)?.();
      held.delete(id);
    },
  };
}

async function mirrored(file: string, server: State, local: State): Promise<void> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const mirror = await openState(file);
  try {
    await mirrorState(server, local, mirror);
  } finally {
    await mirror.destroy();
  }
}

function pictureOf(directory: string, copy: string): Omit<Snapshot, "id"> {
  const file = (path: string, fixed: boolean, sealed: boolean): readonly SnapshotFile[] => {
    const from = join(directory, path);
    const found = statSync(from, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ path, from, fixed, sealed, bytes: found.size }];
  };
  const progress = new Map(
    readSqlite<{ name: string; value: number }>(copy, "select name, value from progress").map((row) => [row.name, row.value]),
  );
  const sealedSegment = progress.get("events.sealed_segment") ?? -1;
  const seriesSegment = String(progress.get("series.segment") ?? 0).padStart(10, "0");
  const open = readdirSync(join(directory, "events/open")).filter((name) => Number(name.slice(0, 10)) > sealedSegment);
  const sealed = readSqlite<{ name: string; rows: number }>(copy, "select name, rows from partition order by segment, class");
  const [{ elsewhere }] = readSqlite<{ elsewhere: number | null }>(copy, "select sum(rows) as elsewhere from event_file") as [
    { elsewhere: number | null },
  ];
  const rolled = readSqlite<{ name: string }>(copy, "select name from series_file order by name");
  const [{ alerts }] = readSqlite<{ alerts: number }>(copy, "select count(*) as alerts from alert") as [{ alerts: number }];
  const [newest] = readSqlite<{ id: string }>(copy, "select id from alert order by serial desc limit 1");
  const consumers = readSqlite<{ consumer: string; offset: number; meta: string | null }>(
    copy,
    "select consumer, offset, meta from checkpoint",
  );
  return {
    alerts,
    lastAlert: newest?.id,
    checkpoints: Object.fromEntries(consumers.map(({ consumer, offset, meta }) => [consumer, { offset, meta: meta ?? undefined }])),
    sealedEvents: sealed.reduce((sum, { rows }) => sum + rows, elsewhere ?? 0),
    files: [
      { path: stateFile, from: copy, fixed: false, sealed: false, bytes: statSync(copy).size },
      ...open.sort().flatMap((name) => file(`events/open/${name}`, false, false)),
      ...file(`events/series/${seriesSegment}.known`, true, false),
      ...file(`events/series/${seriesSegment}.frames`, false, false),
      ...rolled.flatMap(({ name }) => file(`events/series/${name}`, true, true)),
      ...sealed.flatMap(({ name }) => file(`events/sealed/${name}`, true, true)),
    ],
  };
}
