/** The keys of one log over time: a new one while everything runs, and the end of those that nothing needs. Gets a place to keep them, and knows no vault. */
import type { Clock, Secrets } from "@vedette/kit";
import type { SealedLog, Topic } from "./log.ts";
import { type LogEncryption, newLogKey, type SealedBelow } from "./seal.ts";

/** As kept (docs/format/sealed.md). Times in microseconds. */
interface KeptKey {
  readonly id: string;
  /** base64url */
  readonly key: string;
  readonly since?: number;
  /** Of an older key: where its frames end in each `topic/partition`. */
  readonly below?: SealedBelow;
  /** When no segment was found to need it any more. */
  readonly unneeded?: number;
}

export interface LogKeyLine {
  readonly id: string;
  readonly use: "seals" | "opens";
  /** Microseconds; undefined for the first key of an older installation. */
  readonly since: number | undefined;
  /** `topic/partition` of frames that it sealed and that are still there; undefined where nobody can tell: several processes write to the log. */
  readonly neededBy: readonly string[] | undefined;
}

const secretName = "log";
/** A backup that was begun before holds on to older segments: it is done within a day. */
const dropAfter_us = 86_400_000_000;

const decode = (bytes: Uint8Array): readonly KeptKey[] => JSON.parse(Buffer.from(bytes).toString("utf8")) as readonly KeptKey[];
const encode = (kept: readonly KeptKey[]): Uint8Array => Buffer.from(JSON.stringify(kept));

function newKept(now: number): KeptKey {
  const { id, key } = newLogKey();
  return { id, key: Buffer.from(key).toString("base64url"), since: now };
}

export class LogKeys {
  readonly #secrets: Secrets;
  readonly #seal: boolean;
  readonly #clock: Clock;
  #kept: readonly KeptKey[];

  private constructor(secrets: Secrets, seal: boolean, clock: Clock, kept: readonly KeptKey[]) {
    this.#secrets = secrets;
    this.#seal = seal;
    this.#clock = clock;
    this.#kept = kept;
  }

  /** @param seal whether batches are sealed from now on */
  static async open(secrets: Secrets, seal: boolean, clock: Clock): Promise<LogKeys> {
    return new LogKeys(secrets, seal, clock, decode(await secrets.keep(secretName, () => encode([newKept(clock.now())]))));
  }

  get encryption(): LogEncryption {
    return { keys: this.#kept.map(({ id, key }) => ({ id, key: new Uint8Array(Buffer.from(key, "base64url")) })), seal: this.#seal };
  }

  /** The keys as they are kept now: another process may have made one. */
  async reread(): Promise<LogEncryption> {
    this.#kept = decode(await this.#secrets.keep(secretName, () => encode(this.#kept)));
    return this.encryption;
  }

  /**
   * Seals by a new key from now on. It is kept before it seals anything, and the older ones stay until `settle` finds that nothing needs them: cut
   * short anywhere, everything opens.
   * @returns its id; undefined where batches are not sealed
   */
  async renew(log: SealedLog): Promise<string | undefined> {
    if (!this.#seal) return undefined;
    const fresh = newKept(this.#clock.now());
    await this.#change((kept) => [fresh, ...kept]);
    await log.encrypt(this.encryption);
    await this.settle(log);
    return fresh.id;
  }

  /**
   * Notes where older keys end, and throws away those that no segment has needed for a day. To be called at a start, and now and then.
   * @returns ids of those that went
   */
  async settle(log: SealedLog): Promise<readonly string[]> {
    const before = this.#kept[0]?.id;
    const encryption = await this.reread();
    const open = this.#kept.slice(1).filter(({ below }) => below === undefined);
    if (open.length > 0 || before !== this.#kept[0]?.id) {
      const below = await log.encrypt(encryption);
      const ids = new Set(open.map(({ id }) => id));
      if (below !== undefined) await this.#change((kept) => kept.map((one) => (ids.has(one.id) ? { ...one, below } : one)));
    }
    return await this.#dropUnneeded(log);
  }

  async #dropUnneeded(log: SealedLog): Promise<readonly string[]> {
    const now = this.#clock.now();
    const unneeded = new Set<string>();
    for (const { id, below } of this.#kept.slice(1)) if (below !== undefined && (await neededBy(log, below)).length === 0) unneeded.add(id);
    if (unneeded.size === 0) return [];
    const gone = (one: KeptKey) => unneeded.has(one.id) && one.unneeded !== undefined && now - one.unneeded >= dropAfter_us;
    const dropped = this.#kept.filter(gone).map(({ id }) => id);
    await this.#change((kept) =>
      kept.filter((one) => !gone(one)).map((one) => (unneeded.has(one.id) ? { ...one, unneeded: one.unneeded ?? now } : one)),
    );
    if (dropped.length > 0) await log.encrypt(this.encryption);
    return dropped;
  }

  /** Newest first. */
  async status(log: SealedLog): Promise<readonly LogKeyLine[]> {
    const line = async ({ id, since, below }: KeptKey, at: number): Promise<LogKeyLine> => ({
      id,
      use: at === 0 && this.#seal ? "seals" : "opens",
      since,
      neededBy: below && (await neededBy(log, below)),
    });
    return await Promise.all(this.#kept.map(line));
  }

  async #change(change: (kept: readonly KeptKey[]) => readonly KeptKey[]): Promise<void> {
    const next = await this.#secrets.change(secretName, (now) => {
      const kept = decode(now);
      const changed = encode(change(kept));
      return Buffer.compare(changed, encode(kept)) === 0 ? now : changed;
    });
    this.#kept = decode(next);
  }
}

async function neededBy(log: SealedLog, below: SealedBelow): Promise<readonly string[]> {
  const needed: string[] = [];
  for (const [place, end] of Object.entries(below)) {
    const [topic, partition] = place.split("/") as [Topic, string];
    if ((await log.bounds(topic, Number(partition))).start < end) needed.push(place);
  }
  return needed;
}
