/** Where a scan keeps the rules it has read, so that the next one with the same folders starts sooner. Knows nothing of what they say. */
import { join, resolve } from "node:path";
import { contentHash } from "@vedette/kit";
import { cacheFolder } from "../cache_folder.ts";

/** One file per list of rule folders, in the user's cache directory; undefined where there is none. */
export function keptRulesFile(folders: readonly string[]): string | undefined {
  const base = cacheFolder();
  return base && join(base, `rules-${contentHash(JSON.stringify(folders.map((f) => resolve(f))))}`);
}
