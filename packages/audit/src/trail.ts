/** The audit trail of one installation: what was done goes into the chain, heads are published, readers page through it. Knows no HTTP. */
import { join } from "node:path";
import type { Clock, Secrets } from "@vedette/kit";
import type { AuditEntry, Fields, Micros } from "@vedette/model";
import { AuditChain } from "./chain.ts";
import { type Head, Heads } from "./head.ts";
import { type AuditKey, auditKey } from "./key.ts";
import type { Line, Link } from "./line.ts";

export interface TrailOptions {
  /** The data directory. */
  readonly directory: string;
  readonly clock: Clock;
  /** Keeps the key that signs heads. */
  readonly secrets: Secrets;
  /** Files elsewhere that heads are appended to. */
  readonly heads: readonly string[];
  readonly onProblem: (code: string, message: string | undefined) => void;
}

/** A record as readers get it; `fields` is absent where the content was erased. */
export interface AuditRecord {
  readonly n: number;
  readonly time: Micros;
  readonly hash: string;
  readonly fields?: Fields;
  readonly erased?: { readonly by: string; readonly reason: string; readonly time: Micros };
}

/** Records read at once. */
const pageSize = 10_000;

/** Where an installation keeps its chain, the heads beside it, and the public key. */
export const trailPaths = (directory: string) => ({
  chain: join(directory, "audit"),
  heads: join(directory, "audit", "heads.ndjson"),
  keys: join(directory, "keys"),
  publicKey: join(directory, "keys", "audit.pub.pem"),
});

export class AuditTrail {
  readonly #chain: AuditChain;
  readonly #heads: Heads;
  readonly #key: AuditKey;
  readonly #listeners = new Set<() => void>();

  private constructor(chain: AuditChain, heads: Heads, key: AuditKey) {
    this.#chain = chain;
    this.#heads = heads;
    this.#key = key;
  }

  static async open({ directory, clock, secrets, heads: outside, onProblem }: TrailOptions): Promise<AuditTrail> {
    const paths = trailPaths(directory);
    let onLink: (link: Link) => void = () => {};
    const chain = await AuditChain.open({ directory: paths.chain, clock, onRecord: (link) => onLink(link) });
    const [first] = await chain.read(0, 1);
    const key = await auditKey(paths.keys, secrets);
    const heads = await Heads.open({
      chain,
      first: first ?? chain.last,
      key,
      clock,
      local: paths.heads,
      outside,
      onProblem: (path, message) => onProblem("audit_heads", message === undefined ? undefined : `${path}: ${message}`),
    });
    const trail = new AuditTrail(chain, heads, key);
    onLink = (link) => {
      heads.add(link);
      for (const listener of trail.#listeners) listener();
    };
    return trail;
  }

  /**
   * Resolves when the entry is durable: what it tells of may be done, or be answered, only then.
   * @throws UnavailableError `store_unavailable`
   */
  record(entry: AuditEntry): Promise<Link> {
    return this.#chain.append(fieldsOf(entry));
  }

  /** Records before `before` (none: the newest), newest first. */
  async newest(limit: number, before?: number): Promise<readonly AuditRecord[]> {
    const end = Math.min(before ?? Number.POSITIVE_INFINITY, this.#chain.last.n + 1);
    const start = Math.max(0, end - limit);
    return (await this.#chain.read(start, end - start)).map(recordOf).reverse();
  }

  /** Records from `from` on, oldest first. */
  async since(from: number, limit: number): Promise<readonly AuditRecord[]> {
    return (await this.#chain.read(from, limit)).map(recordOf);
  }

  get last(): Link {
    return this.#chain.last;
  }
  /** The newest head, signed now: kept elsewhere, it shows later what was cut off or rewritten. */
  head(): Head {
    return this.#heads.newest();
  }

  /** Takes the content of records away, but not that there was one. */
  erase(wanted: (record: AuditRecord) => boolean, why: { readonly reason: string; readonly by: string }): Promise<number> {
    return this.#chain.erase((line) => wanted(recordOf(line)), why, this.#key);
  }

  async count(wanted: (record: AuditRecord) => boolean): Promise<number> {
    let count = 0;
    for (let next = 0; next <= this.last.n; ) {
      const records = await this.since(next, pageSize);
      count += records.filter(wanted).length;
      next = (records.at(-1)?.n ?? this.last.n) + 1;
    }
    return count;
  }

  /** @returns the way to stop listening. Listeners are told that there is more; they never throw. */
  onMore(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Signs heads until told to stop. */
  run(signal: AbortSignal): Promise<void> {
    return this.#heads.run(signal);
  }

  async close(): Promise<void> {
    await this.#heads.publish();
    await this.#chain.close();
  }
}

function fieldsOf({ action, outcome, by, fields }: AuditEntry): Fields {
  return {
    "event.action": action,
    "event.outcome": outcome,
    "user.name": by.user,
    ...(by.ip !== undefined && { "source.ip": by.ip }),
    ...(by.session !== undefined && { "vedette.audit.session": by.session }),
    ...fields,
  };
}

function recordOf({ n, time, hash, body }: Line): AuditRecord {
  const parsed = JSON.parse(body.toString()) as Fields & { readonly tombstone?: AuditRecord["erased"] };
  if (parsed.tombstone === undefined) return { n, time, hash, fields: parsed };
  const { by, reason, time: at } = parsed.tombstone;
  return { n, time, hash, erased: { by, reason, time: at } };
}
