/** A file with rules as they were read and mapped last, so that the next start need not read YAML. Knows nothing of what they say. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";
import { contentHash } from "@vedette/kit";
import { RuleCache } from "@vedette/sigma";
import { readRulesFrom } from "./living.ts";

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

/** What the file holds. One that cannot be read, is damaged or torn, or that another user could have written is as good as none. */
export function keptRules(file: string): RuleCache {
  try {
    const { uid, mode } = statSync(file);
    const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return new RuleCache(ours ? readFileSync(file) : undefined, build());
  } catch {
    return new RuleCache(undefined, build());
  }
}

/** Writes what is new. That it cannot be written is no trouble worth a word: the rules are read again next time. */
export function keepRules(file: string, cache: RuleCache): void {
  const bytes = cache.changed();
  if (bytes === undefined) return;
  const part = `${file}.${process.pid}.${threadId}`;
  try {
    // one by one: below a folder that does not exist `recursive` may try for ever (/proc)
    for (const folder of [dirname(dirname(file)), dirname(file)]) if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    writeFileSync(part, bytes, { mode: 0o600 });
    renameSync(part, file);
  } catch {
    // a read-only home, or a full disk: no half of a file stays
    if (existsSync(part)) rmSync(part);
  }
}

/** Until `readRulesFrom` is called again, this thread reads rules from the file and keeps there what it lacked: threads that come later need not read them. */
export function readKeptRules(file: string): void {
  const cache = keptRules(file);
  readRulesFrom(cache, () => keepRules(file, cache));
}
