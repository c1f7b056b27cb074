/** Captures a data directory for a backup, while it is written to or not, in the order in which its parts rest on one another. Knows no format of backups. */
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { readLine, trailPaths } from "@vedette/audit";
import { type Captured, type CapturedContent, type CapturedFile, goodPath, type Part, unfinishedFolder } from "@vedette/backup";
import { type Clock, shardCount, UnavailableError } from "@vedette/kit";
import { type HeldSegment, holdLog, type Mirrored } from "@vedette/log";
import type { Snapshot, SnapshotFile, Store } from "@vedette/store";
import { engineConsumer } from "../engine.ts";
import { shardConsumer } from "../shards/runner.ts";

/** Copies that a backup needs for its time. */
const workFolder = "backup.tmp";
/** Of what is on servers, kept from one backup to the next. */
export const copyFolder = "backup.copy";
/**
 * Not of a backup: who has the directory, caches, what a restore or a backup has under way, and the key that opens what is sealed: it would lie
 * beside what it protects.
 */
const leftOut = new Set([
  "LOCK",
  "secret.key",
  "rules.cache",
  "restore.json",
  "restore.lock",
  "drill.tmp",
  unfinishedFolder,
  workFolder,
  copyFolder,
]);
/** Captured by those who know them. */
const parts = new Set(["log", "events", "audit", "state.db", "state.db-wal", "state.db-shm"]);
/** Without these nothing starts as it was. */
const stateful = new Set(["format", "keys"]);
const newline = 10;
/** A line of the trail is at most so long. */
const lineBytes = 512 << 10;

/** A log that is on servers, brought into segment files below a folder. @param observations of each shard, from where on they are wanted */
export type MirrorLog = (folder: string, observations?: readonly number[]) => Promise<readonly Mirrored[]>;

/**
 * State first, then what was appended meanwhile: the log of a backup holds all that its state rests on, and what it holds beyond is gone through
 * again after a restore.
 * @param mirror where the log is not in the directory
 * @throws UnavailableError `conflict` where the log went on too fast
 */
export async function captureDirectory(directory: string, store: Store, clock: Clock, mirror?: MirrorLog): Promise<Captured> {
  const copy = join(directory, copyFolder);
  // most of it before the state is taken: what is dropped there meanwhile is here
  await mirror?.(copy);
  const log = await holdLog(mirror ? copy : directory);
  const release: (() => Promise<void>)[] = [() => log.release()];
  try {
    const taken = clock.now();
    const snapshot = await store.snapshots.take(join(directory, workFolder));
    release.push(() => store.snapshots.release(snapshot.id));
    if (mirror) demandCovered(snapshot, await mirror(copy, unfolded(snapshot)));
    const stored = snapshot.files.map(storedFile);
    const others = await otherFiles(directory, directory, "");
    const trail = await trailFiles(directory);
    const segments = (await log.segments()).filter(({ bytes }) => bytes > 0).map(segmentFile);
    return {
      taken,
      about: {
        log: Object.fromEntries(log.ends),
        alerts: snapshot.alerts,
        last_alert: snapshot.lastAlert,
        trail: trail.last,
        events: snapshot.sealedEvents,
      },
      files: [...stored, ...others, ...trail.files, ...segments],
      release: async () => {
        for (const one of release.toReversed()) await one();
      },
    };
  } catch (error) {
    for (const one of release.toReversed()) await one();
    throw error;
  }
}

/** What a shard has not folded, and the last that each engine told it: an engine that goes on looks for it. */
function unfolded({ checkpoints }: Snapshot): readonly number[] | undefined {
  if (checkpoints[shardConsumer(0)] === undefined) return undefined;
  const published = Object.values(checkpoints).flatMap(({ meta }) => {
    const told = meta === undefined ? undefined : (JSON.parse(meta) as { readonly published?: readonly number[] }).published;
    return told ? [told] : [];
  });
  return Array.from({ length: shardCount }, (_, shard) =>
    Math.min(checkpoints[shardConsumer(shard)]?.offset ?? 0, ...published.map((told) => told[shard] ?? 0)),
  );
}

function demandCovered({ checkpoints }: Snapshot, places: readonly Mirrored[]): void {
  const consumers = { raw: engineConsumer, observations: shardConsumer } as const;
  for (const { topic, partition, start } of places) {
    if (topic !== "raw" && topic !== "observations") continue;
    const { offset } = checkpoints[consumers[topic](partition)] ?? {};
    if (offset !== undefined && offset < start)
      throw new UnavailableError("conflict", `${topic}/${partition}: what comes next after ${offset} was dropped meanwhile; try again`);
  }
}

const gone = (e: unknown): undefined => {
  if ((e as NodeJS.ErrnoException).code !== "ENOENT") throw e;
  return undefined;
};

async function openFile(path: string): Promise<CapturedContent | undefined> {
  const file = await open(path, "r").catch(gone);
  return file && contentOf(file);
}

const contentOf = (file: FileHandle): CapturedContent => ({
  read: async (into, position) => {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await file.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  },
  close: () => file.close(),
});

function storedFile({ path, from, fixed, sealed, bytes }: SnapshotFile): CapturedFile {
  const part: Part = sealed ? "events" : "state";
  const growth = fixed ? "fixed" : path === "state.db" ? "changes" : "grows";
  return { path, part, growth, bytes, open: () => openFile(from) };
}

function segmentFile({ path, bytes, closed, read }: HeldSegment): CapturedFile {
  return { path, part: "log", growth: closed ? "fixed" : "grows", bytes, open: async () => ({ read, close: async () => {} }) };
}

/** Small files that are replaced whole, or are named by their content. */
async function otherFiles(root: string, folder: string, below: string): Promise<readonly CapturedFile[]> {
  const files: CapturedFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = `${below}${entry.name}`;
    if ((below === "" && (leftOut.has(entry.name) || parts.has(entry.name))) || !goodPath(path)) continue;
    if (entry.isDirectory()) files.push(...(await otherFiles(root, join(folder, entry.name), `${path}/`)));
    else if (entry.isFile()) {
      const part: Part = stateful.has(path.split("/", 1)[0]!) ? "state" : "other";
      files.push({ path, part, growth: "changes", open: () => openFile(join(root, path)) });
    }
  }
  return files;
}

interface Trail {
  readonly files: readonly CapturedFile[];
  readonly last: { readonly records: number; readonly hash: string };
}

/** The chain and its heads, whole lines only. Heads first: none vouches for a record that is not there. */
async function trailFiles(directory: string): Promise<Trail> {
  const { chain } = trailPaths(directory);
  const isChain = (name: string) => name.endsWith(".audit");
  const names = (await readdir(chain).catch((e) => gone(e) ?? [])).sort(
    (a, b) => Number(isChain(a)) - Number(isChain(b)) || (a < b ? -1 : 1),
  );
  const files: CapturedFile[] = [];
  let last = { records: 0, hash: "" };
  for (const name of names) {
    const from = join(chain, name);
    const { bytes, line } = await wholeLines(from);
    const record = isChain(name) && line !== undefined ? readLine(line) : undefined;
    if (record !== undefined && !("flaw" in record)) last = { records: record.n + 1, hash: record.hash };
    files.push({ path: `audit/${name}`, part: "trail", growth: "grows", bytes, open: () => openFile(from) });
  }
  return { files, last };
}

/** How much of a file is whole lines, and the last of them. */
async function wholeLines(path: string): Promise<{ readonly bytes: number; readonly line: Buffer | undefined }> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - lineBytes);
    const tail = Buffer.alloc(size - from);
    await contentOf(file).read(tail, from);
    const end = tail.lastIndexOf(newline);
    return { bytes: from + end + 1, line: end < 0 ? undefined : tail.subarray(tail.lastIndexOf(newline, end - 1) + 1, end) };
  } finally {
    await file.close();
  }
}
