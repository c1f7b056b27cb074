/** Proves a chain, offline: what was edited, deleted, reordered, cut off, forked or set back, and which record is the first bad one. Changes nothing. */
import { chainFiles, linesOf } from "./files.ts";
import { type Head, isSignedHead, prefixLength } from "./head.ts";
import type { KeyRing } from "./key.ts";
import { type Line, type NoLine, readLine } from "./line.ts";
import { isTombstoneOf } from "./tombstone.ts";

export interface Bad {
  /** The first record that is not as it was written; one past the last when the end is missing. */
  readonly n: number;
  readonly code: "edited" | "missing" | "rewritten" | "cut_off" | "forked" | "bad_head" | "empty";
  readonly message: string;
}

export interface Verdict {
  readonly records: number;
  /** Bodies that were erased on the record. */
  readonly erased: number;
  /** Hash and time of the last good record. */
  readonly last?: { readonly n: number; readonly hash: string; readonly time: number };
  /** Heads that the chain was held against. */
  readonly heads: number;
  /** The newest record that a head vouches for; -1 for none. */
  readonly vouched: number;
  readonly bad?: Bad;
}

export interface VerifyOptions {
  readonly directory: string;
  /** Signed heads, best from another place than the chain. */
  readonly heads: readonly Head[];
  /** Public keys that may have signed. */
  readonly keys: KeyRing;
  readonly onProgress?: (records: number) => void;
}

/** What the heads say each record's hash begins with. */
interface Vouched {
  readonly known: readonly (string | undefined)[];
  /** Whole hashes, at the heads themselves. */
  readonly whole: ReadonlyMap<number, string>;
  readonly last: number;
  readonly bad?: Bad;
}

export async function verifyChain(options: VerifyOptions): Promise<Verdict> {
  const files = await chainFiles(options.directory);
  const first = files[0] && (await firstOf(files[0].path));
  const chain = first && !("flaw" in first) ? first.hash : undefined;
  const vouched = vouchedBy(options.heads, options.keys, chain);
  const walk = new Walk(vouched, options.keys);
  for (const file of files) {
    if (walk.bad) break;
    for (const { bytes, ended } of await linesOf(file.path)) {
      walk.next(ended ? readLine(bytes) : { flaw: "it ends in the middle" });
      if (walk.bad) break;
      if (walk.records % 10_000 === 0) options.onProgress?.(walk.records);
    }
  }
  walk.end();
  const bad = earlier(walk.bad, vouched.bad);
  return {
    records: walk.records,
    erased: walk.erased,
    ...(walk.last && { last: { n: walk.last.n, hash: walk.last.hash, time: walk.last.time } }),
    heads: options.heads.length,
    vouched: vouched.last,
    ...(bad && { bad }),
  };
}

async function firstOf(path: string): Promise<Line | NoLine | undefined> {
  for (const { bytes } of await linesOf(path)) return readLine(bytes);
  return undefined;
}

const earlier = (a: Bad | undefined, b: Bad | undefined): Bad | undefined => (a && b ? (b.n < a.n ? b : a) : (a ?? b));

/** Follows the records in their order until the first that is bad. */
class Walk {
  records = 0;
  erased = 0;
  last: Line | undefined;
  bad: Bad | undefined;
  /** A record whose link to the one before is broken: the next one tells which of the two was changed. */
  #suspect: Line | undefined;
  readonly #vouched: Vouched;
  readonly #keys: KeyRing;

  constructor(vouched: Vouched, keys: KeyRing) {
    this.#vouched = vouched;
    this.#keys = keys;
  }

  next(line: Line | NoLine): void {
    this.bad = this.#suspect ? this.#judge(this.#suspect, line) : this.#flawOf(line, this.records);
    if (this.bad || this.#suspect || "flaw" in line) return;
    if (!line.whole) this.erased++;
    this.records++;
    this.last = line;
  }

  end(): void {
    const { last } = this.#vouched;
    if (this.bad) return;
    if (this.#suspect) this.bad = badAt(this.#suspect.n, "edited", "it does not follow the record before it");
    else if (this.records === 0) this.bad = badAt(0, "empty", "there is no chain");
    else if (last >= this.records)
      this.bad = badAt(
        this.records,
        "cut_off",
        `the chain ends before it, but record ${last} was signed for: the end was cut off, or an old copy was put back`,
      );
  }

  #flawOf(line: Line | NoLine, expected: number): Bad | undefined {
    if ("flaw" in line) return badAt(expected, "edited", line.flaw);
    const { n } = line;
    if (n !== expected) return badAt(expected, "missing", `record ${n} stands in its place: it was deleted or moved`);
    const { known, whole } = this.#vouched;
    const prefix = known[n];
    if (prefix !== undefined && !line.hash.startsWith(prefix)) return badAt(n, "rewritten", "it is not the record that was signed for");
    const hash = whole.get(n);
    if (hash !== undefined && hash !== line.hash) {
      const first = this.#firstUnvouched(n);
      return badAt(
        first,
        "rewritten",
        first === n ? "it is not the record that was signed for" : `it or one up to ${n} is not what was signed for`,
      );
    }
    if (line.previous !== (this.last?.hash ?? "")) this.#suspect = line;
    else if (!line.whole && !isTombstoneOf(line, this.#keys)) return badAt(n, "edited", "its content was changed");
    return undefined;
  }

  /** Records before a whole hash that no prefix covers: one of them is the first that was rewritten. */
  #firstUnvouched(n: number): number {
    let first = n;
    while (first > 0 && this.#vouched.known[first - 1] === undefined && !this.#vouched.whole.has(first - 1)) first--;
    return first;
  }

  /** If the record after fits the suspect, the suspect is whole and the one before it was changed; if it does not, the suspect was. */
  #judge(suspect: Line, after: Line | NoLine): Bad {
    const fits = !("flaw" in after) && after.previous === suspect.hash;
    return fits && this.last
      ? badAt(this.last.n, "edited", "the record after it names another")
      : badAt(suspect.n, "edited", "it does not follow the record before it");
  }
}

const badAt = (n: number, code: Bad["code"], message: string): Bad => ({ n, code, message: `record ${n}: ${message}` });

function vouchedBy(heads: readonly Head[], keys: KeyRing, chain: string | undefined): Vouched {
  const known: (string | undefined)[] = [];
  const whole = new Map<number, string>();
  let last = -1;
  let bad: Bad | undefined;
  const found = (n: number, code: Bad["code"], message: string) => {
    bad = earlier(bad, badAt(n, code, message));
  };
  for (const head of heads) {
    if (!isSignedHead(head, keys)) {
      found(head.n, "bad_head", "a head of it is not signed by a key that was given");
      continue;
    }
    if (chain !== undefined && head.chain !== chain) {
      found(0, "forked", "the heads belong to another chain: this one was begun anew");
      continue;
    }
    last = Math.max(last, head.n);
    const before = whole.get(head.n);
    if (before !== undefined && before !== head.hash) found(head.n, "forked", "two heads vouch for different records");
    whole.set(head.n, head.hash);
    const { since = "" } = head;
    const count = Math.floor(since.length / prefixLength);
    for (let i = 0; i < count; i++) {
      const n = head.n - count + 1 + i;
      const prefix = since.slice(i * prefixLength, (i + 1) * prefixLength);
      const other = known[n];
      if (other !== undefined && other !== prefix) found(n, "forked", "two heads vouch for different records");
      known[n] = prefix;
    }
  }
  return { known, whole, last, ...(bad && { bad }) };
}
