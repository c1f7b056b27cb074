/** Rule files that were brought in, kept by their content until somebody puts them in force: `D/rules`. Knows no Sigma. Stored format, docs/format/rules.md. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BadInputError } from "@vedette/kit";
import type { Micros, NewRelease, ReleaseHead } from "@vedette/model";

export interface RuleText {
  readonly file: string;
  readonly text: string;
}
export interface Release extends ReleaseHead {
  readonly rules: readonly RuleText[];
}

/** SigmaHQ has 3,800 rule files in 8 MB. */
export const releaseLimits = { files: 50_000, fileBytes: 1 << 20, bytes: 128 << 20, licenceBytes: 64 << 10 } as const;
/** Files read at the same time: as many as the threads behind it keep busy, and some. */
const readAtOnce = 64;
const packName = /^[a-z0-9][a-z0-9_-]{0,31}$/;
/** As a file of the pack: forward slashes, no way out of it, nothing a terminal would obey. */
const fileName = /^(?![./])(?!.*(?:^|\/)\.\.?(?:\/|$))[^\u0000-\u001f\u007f\\]{1,400}$/;

interface Manifest extends Omit<ReleaseHead, "files"> {
  readonly version: 1;
  readonly rules: readonly { readonly file: string; readonly object: string }[];
}

/** @throws BadInputError `bad_request`, `too_large` */
export function checkRelease({ pack, origin, licence, rules }: NewRelease): void {
  if (!packName.test(pack))
    throw new BadInputError("bad_request", `pack "${pack.slice(0, 40)}": expected lower-case letters, digits, - and _, at most 32`);
  if (origin.length > 1_000) throw new BadInputError("too_large", "origin: at most 1,000 characters");
  if ((licence?.length ?? 0) > releaseLimits.licenceBytes) throw new BadInputError("too_large", "licence: at most 64 KiB");
  if (rules.length > releaseLimits.files) throw new BadInputError("too_large", `${rules.length} files; at most ${releaseLimits.files}`);
  let bytes = 0;
  const names = new Set<string>();
  for (const { file, text } of rules) {
    if (!fileName.test(file)) throw new BadInputError("bad_request", `file name ${JSON.stringify(file.slice(0, 80))} is not one of a rule`);
    if (names.has(file)) throw new BadInputError("bad_request", `${file} is in it twice`);
    names.add(file);
    if (text.length > releaseLimits.fileBytes)
      throw new BadInputError("too_large", `${file}: ${text.length} characters; at most ${releaseLimits.fileBytes}`);
    bytes += text.length;
  }
  if (bytes > releaseLimits.bytes) throw new BadInputError("too_large", `${bytes} characters of rules; at most ${releaseLimits.bytes}`);
}

export class Releases {
  readonly #directory: string;

  /** @param directory made when first needed */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Keeps a release; the same content again changes nothing. @throws as `checkRelease` */
  async put(release: NewRelease, at: Micros): Promise<ReleaseHead> {
    checkRelease(release);
    const { pack, origin, licence } = release;
    const rules = [...release.rules]
      .sort((a, b) => (a.file < b.file ? -1 : 1))
      .map(({ file, text }) => ({ file, text, object: sha256(text) }));
    const hash = sha256(JSON.stringify([pack, origin, rules.map(({ file, object }) => [file, object])]));
    const known = await this.#manifest(hash);
    if (known !== undefined) return head(known);
    await mkdir(join(this.#directory, "releases"), { recursive: true, mode: 0o700 });
    for (const { text, object } of rules) {
      const path = this.#object(object);
      if (existsSync(path)) continue;
      await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
      await write(path, text);
    }
    const manifest: Manifest = {
      version: 1,
      hash,
      pack,
      origin,
      at,
      ...(licence === undefined ? {} : { licence }),
      rules: rules.map(({ file, object }) => ({ file, object })),
    };
    await write(this.#release(hash), JSON.stringify(manifest));
    return head(manifest);
  }

  /** By its hash or the first eight or more digits of it. @throws BadInputError `not_found`, or `bad_request` for a file that was changed on disk */
  async get(hash: string): Promise<Release> {
    const manifest = await this.#manifest(hash);
    if (manifest === undefined) throw new BadInputError("not_found", `there is no release ${hash.slice(0, 64)}; see rule pull --list`);
    const rules: RuleText[] = [];
    for (let at = 0; at < manifest.rules.length; at += readAtOnce)
      rules.push(...(await Promise.all(manifest.rules.slice(at, at + readAtOnce).map((one) => this.#text(one)))));
    return { ...head(manifest), rules };
  }

  async #text({ file, object }: Manifest["rules"][number]): Promise<RuleText> {
    const path = this.#object(object);
    const text = await readFile(path, "utf8").catch(() => "");
    if (sha256(text) !== object)
      throw new BadInputError("bad_request", `${path} is not what was pulled as ${file}; pull the release again`);
    return { file, text };
  }

  /** Newest first. */
  async list(): Promise<readonly ReleaseHead[]> {
    const names = await readdir(join(this.#directory, "releases")).catch(() => []);
    const all = await Promise.all(names.filter((n) => n.endsWith(".json")).map((n) => this.#manifest(n.slice(0, -5))));
    return all.flatMap((m) => (m === undefined ? [] : [head(m)])).sort((a, b) => b.at - a.at || (a.hash < b.hash ? -1 : 1));
  }

  async #manifest(hash: string): Promise<Manifest | undefined> {
    if (!/^[0-9a-f]{8,64}$/.test(hash)) return undefined;
    let full: string | undefined = hash;
    if (hash.length < 64) {
      const names = await readdir(join(this.#directory, "releases")).catch(() => []);
      full = names.find((n) => n.startsWith(hash) && n.endsWith(".json"))?.slice(0, -5);
    }
    if (full === undefined) return undefined;
    try {
      return JSON.parse(await readFile(this.#release(full), "utf8")) as Manifest;
    } catch {
      return undefined;
    }
  }

  #object = (hash: string): string => join(this.#directory, "objects", hash.slice(0, 2), hash);
  #release = (hash: string): string => join(this.#directory, "releases", `${hash}.json`);
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const head = ({ hash, pack, origin, at, licence, rules }: Manifest): ReleaseHead => ({
  hash,
  pack,
  origin,
  at,
  ...(licence === undefined ? {} : { licence }),
  files: rules.length,
});

/** All or nothing: a reader never sees half a file. */
async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
