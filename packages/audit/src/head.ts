/** Signed heads: how far the chain had come at some moment, published to places that whoever changes the chain cannot reach. Verifies no chain. */
import { sign } from "node:crypto";
import { appendFile, mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { AuditChain } from "./chain.ts";
import { type AuditKey, isSigned, type KeyRing } from "./key.ts";
import type { Link } from "./line.ts";

/** One line of a file of heads. */
export interface Head {
  /** Hash of the chain's first record: which chain. */
  readonly chain: string;
  readonly n: number;
  readonly hash: string;
  readonly time: Micros;
  /** First 12 characters of the hashes of the records up to `n` that the head before did not have; absent when there were too many. */
  readonly since?: string;
  /** Which key signed. */
  readonly key: string;
  /** Ed25519 over the line without this member. */
  readonly signature: string;
}

/** 72 bits: nobody makes another record with these. */
export const prefixLength = 12;
/** Heads are signed so often, or when so many records are new. */
const every_ms = 1_000;
const everyRecords = 1_000;
/** Places outside get one so often even when nothing happened: silence there means that somebody stopped Vedette or cut the way. */
const heartbeat: Micros = 60_000_000;
/** Hashes kept for places that cannot be reached; beyond it their next head says how far the chain is, not every record. */
const maxBehind = 100_000;

const signed = ({ signature: _, ...rest }: Head): Buffer => Buffer.from(JSON.stringify(rest));

/** Whether one of the keys signed this head as it is. */
export const isSignedHead = (head: Head, keys: KeyRing): boolean => isSigned(signed(head), head.key, head.signature, keys);

/** Reads a file of heads; lines that are none, such as a torn end, are counted. */
export function readHeads(text: string): { readonly heads: readonly Head[]; readonly unreadable: number } {
  const heads: Head[] = [];
  let unreadable = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const head = headOf(line);
    if (head === undefined) unreadable++;
    else heads.push(head);
  }
  return { heads, unreadable };
}

function headOf(line: string): Head | undefined {
  try {
    const { chain, n, hash, key, signature, since } = JSON.parse(line) as Partial<Head>;
    const texts = [chain, hash, key, signature, since ?? ""];
    return Number.isSafeInteger(n) && texts.every((one) => typeof one === "string") ? (JSON.parse(line) as Head) : undefined;
  } catch {
    return undefined;
  }
}

/** A file that heads are appended to. */
interface Place {
  readonly path: string;
  readonly outside: boolean;
  /** The last record it knows of; -1 for none. */
  known: number;
  published: Micros;
}

export interface HeadOptions {
  readonly chain: AuditChain;
  /** The chain's first record. */
  readonly first: Link;
  readonly key: AuditKey;
  readonly clock: Clock;
  /** Where heads lie beside the chain. */
  readonly local: string;
  /** Further files, best on another machine. */
  readonly outside: readonly string[];
  /** What keeps heads from a place; undefined when it is well again. */
  readonly onProblem: (path: string, message: string | undefined) => void;
}

export class Heads {
  readonly #options: HeadOptions;
  readonly #places: readonly Place[];
  /** Hashes of the newest records; the last is the chain's last. */
  #recent: string[] = [];
  #newest: Link;
  #fresh = 0;
  #publishing: Promise<void> | undefined;

  private constructor(options: HeadOptions, places: readonly Place[], recent: string[]) {
    this.#options = options;
    this.#places = places;
    this.#recent = recent;
    this.#newest = options.chain.last;
  }

  /** Looks at what each place has. A place that knows of more than the chain has is a problem that stays. */
  static async open(options: HeadOptions): Promise<Heads> {
    const places: Place[] = [];
    for (const path of [options.local, ...options.outside]) {
      const last = await lastHead(path, options.first.hash);
      if (last !== undefined && last.n > options.chain.last.n)
        options.onProblem(
          path,
          `it knows of ${last.n - options.chain.last.n} records that are gone: the audit trail was cut or set back; see vedette verify`,
        );
      places.push({ path, outside: path !== options.local, known: last?.n ?? -1, published: 0 });
    }
    const from = Math.min(...places.map((place) => place.known)) + 1;
    const recent = await options.chain.read(Math.max(from, options.chain.last.n - maxBehind + 1), maxBehind);
    return new Heads(
      options,
      places,
      recent.map((line) => line.hash),
    );
  }

  /** Called with every durable record. */
  add(link: Link): void {
    this.#newest = link;
    this.#recent.push(link.hash);
    if (this.#recent.length > 2 * maxBehind) this.#recent = this.#recent.slice(-maxBehind);
    if (++this.#fresh >= everyRecords) void this.publish();
  }

  /** The newest head, signed now, as a line to keep elsewhere. */
  newest(): Head {
    return this.#head(this.#newest.n);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(every_ms, signal);
      await this.publish();
    }
  }

  /** Signs a head for every place that knows less than there is. */
  publish(): Promise<void> {
    this.#publishing ??= this.#publishAll().finally(() => {
      this.#publishing = undefined;
    });
    return this.#publishing;
  }

  async #publishAll(): Promise<void> {
    this.#fresh = 0;
    const now = this.#options.clock.now();
    for (const place of this.#places) {
      if (place.known >= this.#newest.n && !(place.outside && now - place.published >= heartbeat)) continue;
      if (place.known > this.#newest.n) continue;
      const head = this.#head(place.known);
      try {
        await appendDurably(place.path, `${JSON.stringify(head)}\n`);
        place.known = head.n;
        place.published = now;
        this.#options.onProblem(place.path, undefined);
      } catch (e) {
        this.#options.onProblem(place.path, `heads of the audit trail cannot be written there: ${(e as Error).message}`);
      }
    }
  }

  #head(known: number): Head {
    const { n, hash } = this.#newest;
    const fresh = n - known;
    const since =
      fresh > 0 && fresh <= Math.min(this.#recent.length, maxBehind)
        ? this.#recent
            .slice(-fresh)
            .map((one) => one.slice(0, prefixLength))
            .join("")
        : undefined;
    const head = {
      chain: this.#options.first.hash,
      n,
      hash,
      time: this.#options.clock.now(),
      ...(since !== undefined && { since }),
      key: this.#options.key.id,
    };
    return { ...head, signature: sign(null, Buffer.from(JSON.stringify(head)), this.#options.key.secret).toString("base64url") };
  }
}

async function appendDurably(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "a+", 0o600);
  try {
    const { size } = await file.stat();
    const end = size === 0 ? "\n" : (await file.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString();
    await appendFile(file, end === "\n" ? line : `\n${line}`);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The last head of this chain that a place has, if any; what cannot be read counts as none. */
async function lastHead(path: string, chain: string): Promise<Head | undefined> {
  try {
    return readHeads(await readFile(path, "utf8")).heads.findLast((head) => head.chain === chain);
  } catch {
    return undefined;
  }
}
