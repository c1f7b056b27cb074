/** The audit chain on disk: appends in groups, each durable before its caller hears of it. Knows no key and nothing of what is recorded. */
import { type FileHandle, mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, syncDirectory, UnavailableError } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { chainFiles, fileOf, linesOf } from "./files.ts";
import type { AuditKey } from "./key.ts";
import { digestOf, type Last, type Line, type Link, lineOf, readLine } from "./line.ts";
import { tombstoneOf } from "./tombstone.ts";

export interface ChainOptions {
  /** Made if it is not there. */
  readonly directory: string;
  readonly clock: Clock;
  /** A file is closed when it has grown over so many bytes. */
  readonly segmentBytes?: number;
  /** Told of each record once it is durable. Never throws. */
  readonly onRecord?: (link: Link) => void;
}

/** A file is read whole to verify it or to start. */
const segmentBytes = 8 << 20;
/** A record holds what somebody asked for, not what he got; the longest is a rule's text before and after. */
const maxBody = 256 << 10;
/** Newest records kept in memory, by the bytes of their bodies: detection and the console ask for these, and a file is read whole. */
const recentBytes = 4 << 20;
/** Records that may wait for the disk; each belongs to a request that waits too. */
const maxWaiting = 10_000;
const newline = Buffer.from("\n");
/** JSON holds no bare tab, so the last one of a line stands before the body. */
const tab = 9;

interface Waiting {
  readonly body: string;
  readonly resolve: (link: Link) => void;
  readonly reject: (cause: unknown) => void;
}

interface Active {
  readonly file: FileHandle;
  /** Durable bytes; what lies behind them was acknowledged to nobody. */
  bytes: number;
}

export class AuditChain {
  readonly #options: ChainOptions;
  #last: Last;
  #active: Active | undefined;
  /** The newest records without a gap, as their lines would read. */
  #recent: Line[] = [];
  #recentBytes = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #closed = false;

  private constructor(options: ChainOptions, last: Last, active: Active | undefined) {
    this.#options = options;
    this.#last = last;
    this.#active = active;
  }

  /** Opens or begins a chain. A torn end, which nobody was told is durable, is set aside in a file beside and recorded. */
  static async open(options: ChainOptions): Promise<AuditChain> {
    const { directory } = options;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const found = (await chainFiles(directory)).at(-1);
    if (found === undefined) {
      const chain = new AuditChain(options, undefined, undefined);
      await chain.append({ "event.action": "audit_chain_begun", "event.outcome": "success" });
      return chain;
    }
    const { last, bytes, torn } = await endOf(found.path);
    if (last === undefined)
      throw new UnavailableError("store_unavailable", `${found.path} holds no record that can be read; see vedette verify`);
    const file = await open(found.path, "r+");
    if (torn.length > 0) await writeFile(join(directory, `torn-${String(last.n + 1).padStart(16, "0")}`), torn, { mode: 0o600 });
    await file.truncate(bytes);
    await file.datasync();
    const chain = new AuditChain(options, last, { file, bytes });
    if (torn.length > 0)
      await chain.append({
        "event.action": "audit_end_set_aside",
        "event.outcome": "success",
        "vedette.audit.bytes": torn.length,
        "vedette.audit.digest": digestOf(torn),
      });
    return chain;
  }

  /** The newest durable record. */
  get last(): Link {
    return this.#last!;
  }

  /**
   * Adds a record; resolves when it is durable.
   * @throws UnavailableError `store_unavailable` when the disk refuses it: nothing was recorded.
   */
  append(fields: Fields): Promise<Link> {
    const whole = JSON.stringify(fields);
    const body = whole.length <= maxBody ? whole : JSON.stringify(shortened(fields));
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#waiting.length >= maxWaiting) {
        const why = this.#closed ? "the audit trail is closing" : "the audit trail waits for the disk";
        return reject(new UnavailableError("store_unavailable", why));
      }
      this.#waiting.push({ body, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Records from `from` on, oldest first, at most `limit`; lines that are no records are left out. */
  async read(from: number, limit: number): Promise<readonly Line[]> {
    const newest = this.#recent[0];
    if (newest !== undefined && from >= newest.n) return this.#recent.slice(from - newest.n, from - newest.n + limit);
    const files = await chainFiles(this.#options.directory);
    const start = Math.max(
      0,
      files.findLastIndex((one) => one.first <= from),
    );
    const found: Line[] = [];
    for (const file of files.slice(start))
      for (const { bytes, ended } of await linesOf(file.path)) {
        if (found.length >= limit) return found;
        const line = ended ? readLine(bytes) : undefined;
        if (line !== undefined && !("flaw" in line) && line.n >= from && line.n <= this.last.n) found.push(line);
      }
    return found;
  }

  /**
   * Puts tombstones in the place of bodies, for good. That it is done is recorded before it is, so that a crash in between shows.
   * @returns how many records lost their body
   */
  async erase(wanted: (line: Line) => boolean, why: { readonly reason: string; readonly by: string }, key: AuditKey): Promise<number> {
    await this.append({
      "event.action": "audit_erased",
      "event.outcome": "unknown",
      "user.name": why.by,
      "vedette.audit.reason": why.reason,
    });
    while (this.#writing) await this.#writing;
    let erased = 0;
    this.#writing = (async () => {
      try {
        erased = await this.#eraseAll(wanted, why, key);
      } finally {
        // also what came meanwhile
        await this.#write();
      }
    })();
    await this.#writing;
    await this.append({ "event.action": "audit_erased", "event.outcome": "success", "user.name": why.by, "vedette.audit.rows": erased });
    return erased;
  }

  async #eraseAll(wanted: (line: Line) => boolean, why: { readonly reason: string; readonly by: string }, key: AuditKey): Promise<number> {
    this.#recent = [];
    this.#recentBytes = 0;
    await this.#active?.file.close();
    this.#active = undefined;
    const files = await chainFiles(this.#options.directory);
    let erased = 0;
    for (const { path } of files) erased += await this.#eraseIn(path, wanted, why, key);
    const file = await open(files.at(-1)!.path, "r+");
    this.#active = { file, bytes: (await file.stat()).size };
    return erased;
  }

  async #eraseIn(
    path: string,
    wanted: (line: Line) => boolean,
    why: { readonly reason: string; readonly by: string },
    key: AuditKey,
  ): Promise<number> {
    let erased = 0;
    const parts: Buffer[] = [];
    for (const { bytes } of await linesOf(path)) {
      const line = readLine(bytes);
      if ("flaw" in line || !line.whole || !wanted(line)) parts.push(bytes, newline);
      else {
        const head = bytes.subarray(0, bytes.lastIndexOf(tab) + 1);
        parts.push(head, Buffer.from(tombstoneOf(line, { ...why, time: this.#options.clock.now() }, key)), newline);
        erased++;
      }
    }
    if (erased > 0) await replaceFile(path, Buffer.concat(parts));
    return erased;
  }

  /** Lets what waits become durable, then closes. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    await this.#active?.file.close();
    this.#active = undefined;
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      let last = this.#last;
      const lines: Line[] = [];
      let text = "";
      for (const { body } of group) {
        const line = lineOf(last, this.#options.clock.now(), body);
        text += line.text;
        lines.push({ ...line.link, previous: last?.hash ?? "", body: Buffer.from(body), whole: true });
        last = line.link;
      }
      try {
        await this.#store(lines[0]!.n, Buffer.from(text));
      } catch (e) {
        const cause = new UnavailableError("store_unavailable", `the audit trail cannot be written: ${(e as Error).message}`, { cause: e });
        for (const one of group) one.reject(cause);
        continue;
      }
      this.#last = last;
      this.#remember(lines);
      for (const [i, one] of group.entries()) {
        const { n, time, hash } = lines[i]!;
        this.#options.onRecord?.({ n, time, hash });
        one.resolve({ n, time, hash });
      }
    }
    // in the same step as the last look at what waits: whoever comes next begins anew
    this.#writing = undefined;
  }

  #remember(lines: readonly Line[]): void {
    this.#recent.push(...lines);
    this.#recentBytes += lines.reduce((bytes, { body }) => bytes + body.length, 0);
    let gone = 0;
    while (this.#recentBytes > recentBytes) this.#recentBytes -= this.#recent[gone++]!.body.length;
    if (gone > 0) this.#recent = this.#recent.slice(gone);
  }

  /** Writes where the durable bytes end, over whatever a failed write left there. */
  async #store(first: number, bytes: Buffer): Promise<void> {
    const active = await this.#file(first);
    try {
      await active.file.write(bytes, 0, bytes.length, active.bytes);
      await active.file.datasync();
      active.bytes += bytes.length;
    } catch (e) {
      await active.file.truncate(active.bytes).catch(() => {});
      throw e;
    }
  }

  async #file(first: number): Promise<Active> {
    const { directory } = this.#options;
    if (this.#active && this.#active.bytes < (this.#options.segmentBytes ?? segmentBytes)) return this.#active;
    await this.#active?.file.close();
    this.#active = undefined;
    const file = await open(fileOf(directory, first), "w", 0o600);
    await syncDirectory(directory);
    this.#active = { file, bytes: 0 };
    return this.#active;
  }
}

async function replaceFile(path: string, bytes: Buffer): Promise<void> {
  const next = await open(`${path}.new`, "w", 0o600);
  await next.writeFile(bytes);
  await next.datasync();
  await next.close();
  await rename(`${path}.new`, path);
}

/** The last good record of a file and what follows it. Bad lines before a good one stay: they are not torn, and `verify` names them. */
async function endOf(path: string): Promise<{ readonly last: Last; readonly bytes: number; readonly torn: Buffer }> {
  let last: Last;
  let bytes = 0;
  const after: Buffer[] = [];
  for (const { bytes: text, start, ended } of await linesOf(path)) {
    const line = ended ? readLine(text) : undefined;
    if (line === undefined || "flaw" in line) after.push(text, Buffer.from("\n"));
    else {
      last = { n: line.n, time: line.time, hash: line.hash };
      bytes = start + text.length + 1;
      after.length = 0;
    }
  }
  return { last, bytes, torn: Buffer.concat(after) };
}

/** What is over the bound loses its longest values first; that it did is said. */
function shortened(fields: Fields): Fields {
  const kept: Fields = { ...fields, "vedette.audit.cut": true };
  for (const [name, value] of Object.entries(fields)) {
    const text = typeof value === "string" ? value : JSON.stringify(value ?? null);
    if (text.length > 4_096) kept[name] = `${text.slice(0, 4_096)}…`;
  }
  return kept;
}
