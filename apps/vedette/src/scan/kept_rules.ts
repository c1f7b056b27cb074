/** Where a scan keeps the rules it has read, so that the next one with the same folders starts sooner. Knows nothing of what they say. */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { contentHash } from "@vedette/kit";
import { RuleCache } from "@vedette/sigma";

/** One file per list of rule folders, in the user's cache directory (XDG Base Directory Specification). */
function fileFor(folders: readonly string[]): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "vedette", `rules-${contentHash(JSON.stringify(folders.map((f) => resolve(f))))}`);
}

/** Names and times of the files that read and map rules: rules kept by other code are read again. */
function build(): string {
  const folder = dirname(fileURLToPath(import.meta.resolve("@vedette/sigma")));
  return contentHash(
    readdirSync(folder)
      .sort()
      .map((name) => `${name} ${statSync(join(folder, name)).mtimeMs}`)
      .join("\n"),
  );
}

/** What was kept. A file that cannot be read, is damaged, or is another user's is as good as none. */
export function keptRules(folders: readonly string[]): RuleCache {
  const file = fileFor(folders);
  try {
    const { uid, mode } = statSync(file);
    const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return new RuleCache(ours ? readFileSync(file) : undefined, build());
  } catch {
    return new RuleCache(undefined, build());
  }
}

/** Keeps what is new; that a cache cannot be written is no trouble worth a word. */
export function keepRules(folders: readonly string[], cache: RuleCache): void {
  const bytes = cache.changed();
  if (bytes === undefined) return;
  const file = fileFor(folders);
  const part = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(part, bytes, { mode: 0o600 });
    renameSync(part, file);
  } catch {
    // a read-only home
  }
}
