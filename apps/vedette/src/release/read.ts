/** Finds the rules in what somebody points at: a folder, an archive, a commit. Knows what a rule file looks like, not what it means. */
import { lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { BadInputError } from "@vedette/kit";
import type { NewRelease } from "@vedette/model";
import { releaseLimits } from "@vedette/pipeline";
import { type Entry, maxArchiveBytes, maxEntries, maxFileBytes, tooLarge } from "./entry.ts";
import { isRemote, readCommit } from "./git.ts";
import { tarEntries } from "./tar.ts";
import { zipEntries } from "./zip.ts";

export interface ReadOptions {
  readonly pack: string;
  /** Revision of a git repository. */
  readonly commit?: string;
  /** Only below this folder of it. */
  readonly path?: string;
}

export interface ReadRelease {
  readonly release: NewRelease;
  /** Files left out, by reason: nothing is passed over in silence. */
  readonly left_out: ReadonlyMap<string, number>;
}

/** @throws ConfigError, UnavailableError, BadInputError */
export function readRelease(from: string, { pack, commit, path }: ReadOptions): ReadRelease {
  const { origin, entries } = open(from, commit);
  const below = path === undefined ? "" : `${path.replace(/^\.?\/+|\/+$/g, "")}/`;
  const left_out = new Map<string, number>();
  const leave = (why: string) => left_out.set(why, (left_out.get(why) ?? 0) + 1);
  const rules: { file: string; text: string }[] = [];
  let licence: { readonly depth: number; readonly text: string } | undefined;
  for (const entry of entries) {
    const file = entry.path;
    const depth = file.split("/").length;
    if (/(^|\/)licen[cs]e[^/]*$/i.test(file) && depth < (licence?.depth ?? 4)) {
      licence = { depth, text: entry.read().toString("utf8").slice(0, releaseLimits.licenceBytes) };
      continue;
    }
    if (!/\.ya?ml$/i.test(file) || !file.startsWith(below)) continue;
    const parts = file.split("/");
    if (parts.includes("..")) leave("with a way out of the archive in its name");
    else if (parts.some((part) => part.startsWith("."))) leave("in a hidden folder");
    else if (entry.bytes > maxFileBytes) leave(`larger than ${maxFileBytes} bytes`);
    else {
      const text = entry.read().toString("utf8");
      const why = notARule(text);
      if (why === undefined) rules.push({ file, text });
      else leave(why);
    }
  }
  if (rules.length === 0) throw new BadInputError("not_found", `${from}: no Sigma rule found${path === undefined ? "" : ` below ${path}`}`);
  return { release: { pack, origin, rules, ...(licence === undefined ? {} : { licence: licence.text }) }, left_out };
}

/** Test data and workflows are YAML too; what its authors took back is not brought in. */
function notARule(text: string): string | undefined {
  if (!/^(detection|correlation|filter)\s*:/m.test(text)) return "no rules";
  const status = /^status:\s*['"]?(deprecated|unsupported)\b/m.exec(text)?.[1];
  return status === undefined ? undefined : `status ${status}`;
}

function open(from: string, commit: string | undefined): { readonly origin: string; readonly entries: readonly Entry[] } {
  if (isRemote(from)) {
    const read = readCommit(from, commit);
    return { origin: `${from} at ${read.commit}`, entries: read.entries };
  }
  const found = statSync(from, { throwIfNoEntry: false });
  if (found === undefined) throw new BadInputError("not_found", `${from}: no such file or folder, and not a git URL`);
  if (found.isDirectory()) {
    if (commit === undefined) return { origin: resolve(from), entries: folderEntries(from) };
    const read = readCommit(from, commit);
    return { origin: `${resolve(from)} at ${read.commit}`, entries: read.entries };
  }
  if (found.size > maxArchiveBytes) throw tooLarge(from, `${found.size} bytes; at most ${maxArchiveBytes}`);
  const archive = readFileSync(from);
  const entries = archive[0] === 0x50 && archive[1] === 0x4b ? zipEntries(archive, from) : tarEntries(archive, from);
  return { origin: resolve(from), entries: withoutRoot(entries) };
}

/** Links are left where they are: a folder of rules is what lies in it. */
function folderEntries(folder: string): Entry[] {
  const names = readdirSync(folder, { recursive: true }).map(String);
  if (names.length > maxEntries) throw tooLarge(folder, `${names.length} files; at most ${maxEntries}`);
  return names.sort().flatMap((name) => {
    const path = join(folder, name);
    const found = lstatSync(path);
    const given = relative(folder, path).split(sep).join("/");
    return found.isFile() ? [{ path: given, bytes: found.size, read: () => readFileSync(path) }] : [];
  });
}

/** Archives of a repository hold one folder named like the release: the next release's is another, the rules are the same. */
function withoutRoot(entries: readonly Entry[]): readonly Entry[] {
  const root = `${entries[0]?.path.split("/", 1)[0] ?? ""}/`;
  if (root === "/" || !entries.every(({ path }) => path.startsWith(root))) return entries;
  return entries.map((entry) => ({ ...entry, path: entry.path.slice(root.length) }));
}
