/** Where a user's programs keep what they can make anew (XDG Base Directory Specification). */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";

/** Undefined where there is no place: a home that is not set, or that does not exist, below which Node may try for ever (/proc). */
export function cacheFolder(): string | undefined {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return isAbsolute(base) && existsSync(dirname(base)) ? join(base, "vedette") : undefined;
}
