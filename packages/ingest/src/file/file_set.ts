/** Every file that the globs name now or named before, through renames, truncation and restarts. Knows nothing of how bytes are cut. */
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Clock } from "@vedette/kit";
import { Batch } from "../batch.ts";
import { settle_ms } from "../lines.ts";
import { decodeEntries, type Entry, encodeEntries, holds } from "./entry.ts";
import { Followed, type Outcome } from "./followed.ts";
import { fileKey, isMissing, type Look, type Opened, openFile } from "./opened.ts";

export interface FileSetOptions {
  readonly clock: Clock;
  readonly warn: (code: string, message: string) => void;
  readonly maxLineBytes: number;
  readonly quiet_ms: number;
  readonly follow: boolean;
  /** Files met in the first look are begun at their end. */
  readonly fromEnd: boolean;
  /** Durable with the position, or false when shutting down. */
  readonly deliver: (stream: string, position: string, batch: Batch) => Promise<boolean>;
}

/** One path of the outside world and the files it has named, oldest first. */
interface Stream {
  readonly path: string;
  generation: number;
  readonly entries: Map<string, Entry>;
  readonly files: Tracked[];
}
interface Tracked {
  readonly followed: Followed;
  readonly generation: number;
  /** A name in the globs leads to it. */
  current: boolean;
  changed: number;
  polled: number;
}

/** A writer goes on with a renamed file until it is told to reopen; logrotate's postrotate takes seconds. */
const linger_ms = 60_000;
/** A file that did not change for this long is looked at once a second only. */
const cold_ms = 10_000;
const coldPoll_ms = 1_000;
/** A copy made by `copytruncate` is followed by the truncation within this time, else it is a file of its own. */
const copyDoubt_ms = 5_000;
/** Open files beyond this are closed when idle: half of the usual limit of 1,024 descriptors. */
const maxOpen = 512;
const maxSiblings = 10_000;
const maxConcurrent = 16;

export class FileSet {
  readonly #options: FileSetOptions;
  readonly #streams = new Map<string, Stream>();
  /** Open files by device and inode. */
  readonly #open = new Map<string, { readonly stream: Stream; readonly tracked: Tracked }>();
  /** Closed files that have nothing new, as last seen. */
  readonly #asleep = new Map<string, { readonly look: Look; readonly token: string }>();
  readonly #doubted = new Map<string, number>();
  #firstLook: boolean;

  constructor(options: FileSetOptions, positions: ReadonlyMap<string, string>) {
    this.#options = options;
    this.#firstLook = positions.size === 0;
    for (const [path, text] of positions) {
      const entries = decodeEntries(text);
      if (entries === undefined) {
        options.warn("position_unreadable", `${path}: the remembered position is not understood; the file is read from its start`);
        continue;
      }
      const stream = this.#stream(path);
      for (const entry of entries) {
        stream.entries.set(entry.token, entry);
        stream.generation = Math.max(stream.generation, entry.generation + 1);
      }
    }
  }

  get size(): number {
    return this.#open.size + this.#asleep.size;
  }

  /** Looks at what the globs name now: opens what is new, notes what is gone. */
  async discover(paths: readonly string[]): Promise<void> {
    const seen = new Set<string>();
    const unknown: { readonly path: string; readonly key: string; readonly inode: string }[] = [];
    for (const path of paths) {
      const found = await this.#attempt(path, () => stat(path, { bigint: true }));
      if (found === undefined || !found.isFile()) continue;
      const key = fileKey(found);
      if (!seen.has(key) && !this.#open.has(key) && !this.#sleeps(key, found)) unknown.push({ path, key, inode: String(found.ino) });
      seen.add(key);
    }
    // First those that are known by their inode: what is then still missing may have been copied or compressed.
    const known = new Set([...this.#entries()].map(({ entry }) => entry.inode));
    unknown.sort((a, b) => Number(known.has(b.inode)) - Number(known.has(a.inode)));
    for (const { path } of unknown) await this.#attempt(path, () => this.#meet(path));
    for (const [key, { tracked }] of this.#open) tracked.current = seen.has(key);
    for (const key of this.#asleep.keys()) if (!seen.has(key)) this.#asleep.delete(key);
    for (const key of this.#doubted.keys()) if (!seen.has(key)) this.#doubted.delete(key);
    this.#firstLook = false;
  }

  /** Looks for files that left the globs while nobody watched: rotated away with lines not yet read. */
  async recover(): Promise<void> {
    for (const stream of [...this.#streams.values()]) {
      const held = this.#held();
      const lost = [...stream.entries.values()].filter((entry) => !held.has(entry.token));
      if (lost.length > 0) await this.#search(stream, lost);
    }
  }

  /** Reads on in all open files (or those under the hinted paths), a turn each; true if any has more. */
  async pump(hinted?: ReadonlySet<string>): Promise<boolean> {
    const queue = [...this.#streams.values()].filter((s) => s.files.length > 0 && (hinted === undefined || hinted.has(s.path)));
    let more = false;
    const worker = async () => {
      for (let stream = queue.shift(); stream !== undefined; stream = queue.shift()) {
        if (await this.#pumpStream(stream, hinted !== undefined)) more = true;
      }
    };
    await Promise.all(Array.from({ length: Math.min(maxConcurrent, queue.length) }, worker));
    return more;
  }

  async close(): Promise<void> {
    for (const { tracked } of this.#open.values()) await tracked.followed.file.close();
    this.#open.clear();
  }

  #stream(path: string): Stream {
    let stream = this.#streams.get(path);
    if (stream === undefined) {
      stream = { path, generation: 0, entries: new Map(), files: [] };
      this.#streams.set(path, stream);
    }
    return stream;
  }
  *#entries(): Generator<{ readonly stream: Stream; readonly entry: Entry }> {
    for (const stream of this.#streams.values()) for (const entry of stream.entries.values()) yield { stream, entry };
  }
  /** Tokens of the files that are there under an inode we know. */
  #held(): ReadonlySet<string> {
    const held = new Set<string>();
    for (const { tracked } of this.#open.values()) if (tracked.followed.token !== undefined) held.add(tracked.followed.token);
    for (const { token } of this.#asleep.values()) held.add(token);
    return held;
  }
  #sleeps(key: string, found: { readonly size: bigint; readonly mtimeNs: bigint }): boolean {
    const look = this.#asleep.get(key)?.look;
    return look !== undefined && look.size === Number(found.size) && Math.trunc(look.modified_ms) === Number(found.mtimeNs / 1_000_000n);
  }
  /** A file that is gone is no trouble; one that cannot be read is reported and left alone. */
  async #attempt<T>(path: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!isMissing(error)) this.#options.warn("file_unreadable", `${path}: ${(error as Error).message}`);
      return undefined;
    }
  }

  async #meet(path: string): Promise<void> {
    const file = await openFile(path);
    if (file === undefined) return;
    let kept = false;
    try {
      kept = !this.#open.has(file.key) && (await this.#place(path, file));
    } finally {
      if (!kept) await file.close();
    }
  }

  /** Finds out which file this is; false if that cannot be told yet. */
  async #place(path: string, file: Opened): Promise<boolean> {
    const held = this.#held();
    for (const { stream, entry } of this.#entries()) {
      if (entry.inode === file.inode && !held.has(entry.token) && (await holds(file, entry))) return this.#resume(stream, entry, file);
    }
    for (const { stream, entry } of this.#entries()) {
      if (!isNamedAfter(path, stream.path) || entry.offset === 0) continue;
      if (held.has(entry.token)) {
        if (!file.compressed && (await this.#mayBeCopy(file, entry))) return false;
      } else if (await holds(file, entry)) return this.#resume(stream, entry, file);
    }
    this.#doubted.delete(file.key);
    const stream = this.#stream(path);
    const tracked = this.#track(stream, file, stream.generation++);
    if (this.#options.fromEnd && this.#firstLook && !file.compressed) {
      await tracked.followed.skipToEnd();
      if (tracked.followed.token !== undefined) await this.#deliver(stream, new Batch(), tracked.followed.entry());
    }
    return true;
  }

  /** True while a file that begins like one that is being read may turn out to be its copy (`copytruncate`): until then it waits. */
  async #mayBeCopy(file: Opened, original: Entry): Promise<boolean> {
    const { size } = await file.look();
    // Shorter than what was read of the original: still being copied, or another file.
    if (size >= original.offset && !(await holds(file, original))) return false;
    const now = this.#options.clock.now();
    const since = this.#doubted.get(file.key) ?? now;
    this.#doubted.set(file.key, since);
    return this.#options.follow && now - since < copyDoubt_ms * 1_000;
  }

  async #resume(stream: Stream, known: Entry, file: Opened): Promise<true> {
    const entry = { ...known, inode: file.inode };
    const tracked = this.#track(stream, file, entry.generation);
    await tracked.followed.restore(entry);
    stream.entries.set(entry.token, entry);
    return true;
  }

  #track(stream: Stream, file: Opened, generation: number): Tracked {
    const followed = new Followed(
      file,
      { path: stream.path, generation },
      { maxLineBytes: this.#options.maxLineBytes, deliver: (batch, entry) => this.#deliver(stream, batch, entry) },
    );
    const tracked: Tracked = { followed, generation, current: true, changed: this.#options.clock.now(), polled: 0 };
    stream.files.push(tracked);
    stream.files.sort((a, b) => a.generation - b.generation);
    this.#open.set(file.key, { stream, tracked });
    this.#asleep.delete(file.key);
    return tracked;
  }

  async #deliver(stream: Stream, batch: Batch, entry: Entry): Promise<boolean> {
    const after = new Map(stream.entries).set(entry.token, entry);
    const accepted = await this.#options.deliver(stream.path, encodeEntries(after.values()), batch);
    if (accepted) stream.entries.set(entry.token, entry);
    return accepted;
  }

  /** True if there is more to read now. Of one path, later files wait for earlier ones. */
  async #pumpStream(stream: Stream, hinted: boolean): Promise<boolean> {
    for (const tracked of [...stream.files]) {
      const now = this.#options.clock.now();
      if (!hinted && now - tracked.changed > cold_ms * 1_000 && now - tracked.polled < coldPoll_ms * 1_000) continue;
      tracked.polled = now;
      const outcome = await this.#pumpFile(stream, tracked, now);
      if (outcome !== "end") return outcome === "more";
    }
    return false;
  }

  async #pumpFile(stream: Stream, tracked: Tracked, now: number): Promise<Outcome> {
    const { followed } = tracked;
    const look = await followed.file.look();
    const before = followed.lastLook;
    const changed = before === undefined || look.size !== before.size || look.modified_ms !== before.modified_ms;
    if (changed) tracked.changed = now;
    const quiet = now - tracked.changed >= this.#options.quiet_ms * 1_000;
    const final = !this.#options.follow || (quiet && (followed.rest > 0 || followed.file.compressed));
    const settle = !changed && followed.holding && now - tracked.changed >= settle_ms * 1_000;
    if (settle) followed.settle();
    if (changed || final || settle) {
      const outcome = await followed.pump(final);
      if (outcome === "replaced") return this.#replace(stream, tracked);
      if (outcome !== "end") return outcome;
      followed.lastLook = look;
    }
    const gone = (!tracked.current || look.unlinked) && now - tracked.changed >= linger_ms * 1_000;
    const idle = this.#open.size > maxOpen && now - tracked.changed >= cold_ms * 1_000;
    if (gone || idle || (followed.file.compressed && final)) await this.#release(stream, tracked, look);
    return "end";
  }

  async #release(stream: Stream, tracked: Tracked, look: Look): Promise<void> {
    const { file } = tracked.followed;
    stream.files.splice(stream.files.indexOf(tracked), 1);
    this.#open.delete(file.key);
    const token = tracked.followed.token ?? "";
    if (look.unlinked) stream.entries.delete(token);
    else if (tracked.current) this.#asleep.set(file.key, { look, token });
    await file.close();
  }

  /** The inode holds other content now (truncated, copied and truncated): a new generation of the path. */
  async #replace(stream: Stream, tracked: Tracked): Promise<Outcome> {
    const { file } = tracked.followed;
    stream.files.splice(stream.files.indexOf(tracked), 1);
    this.#open.delete(file.key);
    const old = stream.entries.get(tracked.followed.token ?? "");
    if (old !== undefined) {
      const detached = { ...old, inode: "" };
      stream.entries.set(old.token, detached);
      // What was written between our last look and the truncation is in the copy, if there is one.
      await this.#search(stream, [detached]);
    }
    for (const name of this.#doubted.keys()) this.#doubted.set(name, 0);
    const next = this.#track(stream, file, stream.generation++);
    next.current = tracked.current;
    return this.#pumpFile(stream, next, this.#options.clock.now());
  }

  /** Looks in the stream's folder for the files of these entries: under another name, or copied. */
  async #search(stream: Stream, lost: readonly Entry[]): Promise<void> {
    const folder = dirname(stream.path);
    const names = await readdir(folder).catch(() => [] as string[]);
    if (names.length > maxSiblings) {
      this.#options.warn("folder_too_large", `${folder}: more than ${maxSiblings} files; rotated files are not searched for`);
      return;
    }
    const wanted = new Set(lost);
    const inodes = new Set(lost.map((entry) => entry.inode));
    for (const byInode of [true, false]) {
      for (const path of names.map((name) => join(folder, name)).filter((path) => path !== stream.path)) {
        if (wanted.size === 0) return;
        if (!byInode && !isNamedAfter(path, stream.path)) continue;
        await this.#attempt(path, async () => {
          if (byInode && !inodes.has(String((await stat(path, { bigint: true })).ino))) return;
          await this.#match(path, stream, wanted, byInode);
        });
      }
    }
  }

  /** Goes on with the file at `path` if it holds the rest of a wanted entry. */
  async #match(path: string, stream: Stream, wanted: Set<Entry>, byInode: boolean): Promise<void> {
    const file = await openFile(path);
    if (file === undefined) return;
    for (const entry of this.#open.has(file.key) ? [] : wanted) {
      if ((byInode && entry.inode !== file.inode) || !(await holds(file, entry))) continue;
      wanted.delete(entry);
      const { size } = await file.look();
      if (size <= entry.offset && !file.compressed) break;
      await this.#resume(stream, entry, file);
      return;
    }
    await file.close();
  }
}

/** Whether a name is one that rotation gives to a copy of the original: `app.log.1`, `app.log-20260101.gz`, `app-20260101.log`. */
function isNamedAfter(path: string, original: string): boolean {
  if (path === original || dirname(path) !== dirname(original)) return false;
  const [name, first] = [basename(path).replace(/\.(?:gz|zst)$/, ""), basename(original)];
  if (name === first || (name.startsWith(first) && /^[-._~]/.test(name.slice(first.length)))) return true;
  const ending = extname(first);
  const start = first.slice(0, first.length - ending.length);
  const between = name.slice(start.length, name.length - ending.length);
  return ending !== "" && name.startsWith(start) && name.endsWith(ending) && /^[-._][-._\dT:]{0,40}$/.test(between);
}
