/** The `file` source: log files by glob, through rotation and restarts. Knows nothing of formats. */
import { type FSWatcher, watch } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { defineSource, type SourceContext, z } from "@vedette/kit";
import { deliver } from "../deliver.ts";
import { FileSet } from "../file/file_set.ts";

const config = z.strictObject({
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe("Files to read, as paths or globs (`/var/log/zeek/*.log`). Names ending in .gz or .zst are decompressed and read once."),
  exclude: z.array(z.string().min(1)).default([]).describe("Globs of files not to read although `paths` names them."),
  from: z
    .enum(["start", "end"])
    .default("start")
    .describe("Where files begin that are there at the very first start; later files are always read from their start."),
  follow: z.boolean().default(true).describe("Wait for more when the files are read; false: read them once and end."),
  max_line_bytes: z
    .int()
    .min(256)
    .max(16 * 1024 * 1024)
    .default(256 * 1024)
    .describe("Longest line in bytes; of a longer one the first 64 KiB and its SHA-256 go to the dead letters."),
  poll_ms: z.int().min(10).max(60_000).default(200).describe("How often files are looked at, in milliseconds."),
  quiet_ms: z
    .int()
    .min(0)
    .default(5_000)
    .describe("A last line without a line end is taken as it is when its file did not change for this long, in milliseconds."),
  watch: z.boolean().default(true).describe("Let the kernel announce changes, for less delay than polling; polling goes on beside it."),
  max_files: z.int().min(1).max(100_000).default(4_096).describe("Most files read; further ones are reported and left alone."),
});
type FileConfig = z.output<typeof config>;

/** Globs are expanded at most this often. */
const rescan_ms = 1_000;
/** After the kernel announced a new name, this often: a folder may be busy with other files. */
const renameScan_ms = 50;
/** Changes announced by the kernel are gathered for this long, so that a busy writer does not wake us for each line. */
const hintGather_ms = 10;

export default defineSource({
  name: "file",
  summary: "Reads log files, following them as they grow and rotate.",
  description:
    'Each line becomes a record; files that begin with a JSON array, `{"Records": [` or a pretty-printed object give one record an element. A file is known by its inode and the bytes at its start and before the last position, ' +
    "so a renamed file goes on where it was, a truncated or replaced one begins anew, and lines written while Vedette was stopped are read afterwards, also from a file that was rotated away in the same folder. " +
    "A last line without line end is handed on once `quiet_ms` have passed (at once with `follow: false`); if the rest of it comes later, that rest is a record of its own.",
  stability: "beta",
  config,
  examples: [
    { title: "Zeek's current logs", config: { paths: ["/opt/zeek/logs/current/*.log"] } },
    { title: "New lines of the authentication log", config: { paths: ["/var/log/auth.log"], from: "end" } },
    { title: "An archive, once", config: { paths: ["/archive/**/*.log.gz"], follow: false } },
  ],
  run: readFiles,
});

async function readFiles(context: SourceContext<FileConfig>): Promise<void> {
  const { clock, config, intake, signal } = context;
  const warn = warnOnce(context.warn);
  const files = new FileSet(
    {
      clock,
      warn,
      maxLineBytes: config.max_line_bytes,
      quiet_ms: config.quiet_ms,
      follow: config.follow,
      fromEnd: config.from === "end",
      deliver: (stream, position, batch) => deliver(batch, { stream, position }, { intake, clock, signal }),
    },
    context.positions,
  );
  const hints = new Hints();
  try {
    const first = await expand(config, warn);
    if (config.follow && config.watch) hints.watch(first.map(dirname));
    await files.discover(first);
    await files.recover();
    await follow(files, hints, context, warn);
  } finally {
    hints.close();
    await files.close();
  }
}

/** Looks at the files until the signal aborts, or until all are read where there is nothing to wait for. */
async function follow(
  files: FileSet,
  hints: Hints,
  context: SourceContext<FileConfig>,
  warn: SourceContext<FileConfig>["warn"],
): Promise<void> {
  const { clock, config, signal } = context;
  let scanned = clock.now();
  let polled = Number.NEGATIVE_INFINITY;
  let more = false;
  while (!signal.aborted) {
    const now = clock.now();
    const interval_ms = hints.renamed ? renameScan_ms : Math.max(rescan_ms, files.size);
    if (config.follow && now - scanned >= interval_ms * 1_000) {
      scanned = now;
      hints.renamed = false;
      const paths = await expand(config, warn);
      if (config.watch) hints.watch(paths.map(dirname));
      await files.discover(paths);
      polled = Number.NEGATIVE_INFINITY;
    }
    const all = more || now - polled >= config.poll_ms * 1_000;
    const changed = new Set(hints.changed);
    hints.changed.clear();
    if (all) polled = now;
    more = await files.pump(all ? undefined : changed);
    if (!more && !config.follow) return;
    if (!more) await hints.wait(clock, config.poll_ms, signal);
  }
}

/** What is seen at every look is said once. */
function warnOnce(warn: SourceContext<FileConfig>["warn"]): typeof warn {
  const said = new Set<string>();
  return (code, message) => {
    if (said.has(message) || said.size >= maxWarnings) return;
    said.add(message);
    warn(code, message);
  };
}
/** Different warnings of one run. */
const maxWarnings = 1_000;

async function expand(config: FileConfig, warn: SourceContext<FileConfig>["warn"]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of config.paths) {
    if (!/[*?[{!]/.test(pattern)) {
      found.add(resolve(pattern));
      continue;
    }
    for await (const path of glob(pattern, { exclude: config.exclude })) {
      if (found.size >= config.max_files) {
        warn("too_many_files", `${pattern}: more than ${config.max_files} files; the others are not read`);
        break;
      }
      found.add(resolve(path));
    }
  }
  return [...found].filter((path) => isReadable(path, warn)).sort();
}

function isReadable(path: string, warn: SourceContext<FileConfig>["warn"]): boolean {
  if (!/\.(?:xz|bz2|lz4|lzma|zip|7z|Z)$/.test(path)) return true;
  warn("compression_unsupported", `${path}: only .gz and .zst files are decompressed; this one is left alone`);
  return false;
}

/** What the kernel says has changed: a reason to look now, never a reason not to look. */
class Hints {
  readonly changed = new Set<string>();
  renamed = false;
  readonly #watchers = new Map<string, FSWatcher | undefined>();
  #wake: (() => void) | undefined;

  watch(folders: readonly string[]): void {
    for (const folder of new Set(folders)) {
      if (this.#watchers.has(folder) || this.#watchers.size >= maxWatched) continue;
      // Not being able to watch costs delay, not lines.
      this.#watchers.set(folder, undefined);
      try {
        const watcher = watch(folder, { persistent: false }, (kind, name) => this.#note(folder, kind, name));
        watcher.on("error", () => watcher.close());
        this.#watchers.set(folder, watcher);
      } catch {}
    }
  }
  #note(folder: string, kind: string, name: string | null): void {
    if (kind === "rename") this.renamed = true;
    if (name !== null) this.changed.add(resolve(folder, basename(name)));
    this.#wake?.();
  }

  /** Resolves after `poll_ms`, or shortly after a hint. */
  async wait(clock: SourceContext<FileConfig>["clock"], poll_ms: number, signal: AbortSignal): Promise<void> {
    if (this.changed.size === 0) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      await clock.sleep(poll_ms, AbortSignal.any([signal, woken.signal]));
      this.#wake = undefined;
    }
    if (this.changed.size > 0) await clock.sleep(Math.min(hintGather_ms, poll_ms), signal);
  }
  close(): void {
    for (const watcher of this.#watchers.values()) watcher?.close();
  }
}
/** Folders watched at once; inotify allows 8,192 watches a user by default, shared with others. */
const maxWatched = 256;
