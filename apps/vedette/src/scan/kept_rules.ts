/** Where a scan keeps the rules it has read, so that the next one with the same folders starts sooner. Knows nothing of what they say. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { contentHash } from "@vedette/kit";

/** One file per list of rule folders, in the user's cache directory (XDG Base Directory Specification). */
export function keptRulesFile(folders: readonly string[]): string {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(base, "vedette", `rules-${contentHash(JSON.stringify(folders.map((f) => resolve(f))))}`);
}
