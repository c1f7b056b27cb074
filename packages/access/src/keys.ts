/**
 * Keys that programs ask with: a person's own, good for a part of what that person may, and until a day. Keeps hashes only. A key holds no
 * grants: its owner's count at the moment of use, and a key whose owner is gone or disabled is nobody's.
 */
import { BadInputError, type Clock, inTurn, newToken, tokenHash, VedetteError } from "@vedette/kit";
import type { KeyRow, KeyStore, Micros } from "@vedette/model";
import { type Permission, permissions } from "./permission.ts";
import { permissionsOf } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** What names and describes a key; says nothing of its secret. */
export interface ApiKey {
  readonly id: string;
  /** A person's id, or empty for the shared admin token's. */
  readonly owner: string;
  readonly name: string;
  readonly scope: readonly Permission[];
  readonly created: Micros;
  readonly expires: Micros;
  /** When it was last asked with, to the hour. */
  readonly used?: Micros;
}
interface Stored extends ApiKey {
  readonly hash: string;
}

/** Who somebody is now; undefined: may not ask at all. */
export type OwnerOf = (owner: string) => Extract<Principal, { kind: "user" | "shared" }> | undefined;
/** Of an owner, when the keys ended that there were before; 0: they did not. */
export type SinceOf = (owner: string) => Micros;

/** A leaked key is recognised by it in scans of repositories and logs. */
const prefix = "vdk_";
const hour: Micros = 3_600_000_000;
const day = 24 * hour;
/** A quarter: long enough for a script that nobody thinks of daily, short enough that a forgotten one ends. */
export const defaultDays = 90;
export const maxDays = 366;
/** Far more than a person's scripts. */
const maxPerOwner = 100;
const maxName = 100;

export class Keys {
  readonly #store: KeyStore;
  readonly #clock: Clock;
  readonly #ownerOf: OwnerOf;
  readonly #sinceOf: SinceOf;
  #byHash: Map<string, Stored> = new Map();
  readonly #after = inTurn();

  private constructor(store: KeyStore, clock: Clock, ownerOf: OwnerOf, sinceOf: SinceOf) {
    this.#sinceOf = sinceOf;
    this.#store = store;
    this.#clock = clock;
    this.#ownerOf = ownerOf;
  }

  static async open(store: KeyStore, clock: Clock, ownerOf: OwnerOf, sinceOf: SinceOf = () => 0): Promise<Keys> {
    const keys = new Keys(store, clock, ownerOf, sinceOf);
    await keys.reload();
    return keys;
  }

  /** As the store has them now: another process may have changed them. */
  reload(): Promise<void> {
    return this.#after(async () => {
      const rows = await this.#store.load(this.#clock.now());
      this.#byHash = new Map(rows.map(({ body, ...row }) => [row.hash, { ...JSON.parse(body), ...row }]));
    });
  }

  /** Who asks with the key of this hash. */
  ofHash(hash: string): Principal | undefined {
    const key = this.#byHash.get(hash);
    const now = this.#clock.now();
    if (key === undefined || key.expires <= now || key.created < this.#sinceOf(key.owner)) return undefined;
    const owner = this.#ownerOf(key.owner);
    if (owner === undefined) return undefined;
    if (now - (key.used ?? 0) >= hour) this.#use(key, now);
    const { session: _, ...rest } = owner;
    const as = { scope: key.scope, key: key.id };
    return rest.kind === "user" ? { ...rest, by: "key", ...as } : { ...rest, ...as };
  }

  /** An owner's keys, the newest first; not those that ended with a password. */
  list(owner: string): readonly ApiKey[] {
    const since = this.#sinceOf(owner);
    const all = [...this.#byHash.values()].filter((key) => key.owner === owner && key.created >= since);
    return all.map(({ hash: _, ...key }) => key).sort((a, b) => b.created - a.created || (a.id < b.id ? -1 : 1));
  }

  /**
   * Makes a key; it is good once this resolves, and shown this once.
   * @throws BadInputError `bad_request`; VedetteError `forbidden` where the owner may not do what it would be for, `conflict` where there are too many
   */
  create(owner: string, given: { readonly name: string; readonly scope: readonly Permission[]; readonly days?: number }) {
    return this.#after(async (): Promise<ApiKey & { readonly token: string }> => {
      const { name, scope, days = defaultDays } = given;
      const wrong = problemOf(name, scope, days);
      if (wrong !== undefined) throw new BadInputError("bad_request", wrong);
      const may = permissionsOf(this.#ownerOf(owner) ?? { kind: "user", id: owner, name: owner, grants: [], by: "key" });
      const beyond = scope.filter((one) => !may.includes(one));
      if (beyond.length > 0)
        throw new VedetteError("forbidden", true, `scope: a key gives no more than its owner has: not ${beyond.join(", ")}`);
      if (this.list(owner).length >= maxPerOwner)
        throw new VedetteError("conflict", true, `there are ${maxPerOwner} keys already; revoke some first`);
      const token = `${prefix}${newToken()}`;
      const hash = tokenHash(token);
      const created = this.#clock.now();
      // never taken for an option of a command
      const key = { id: `k${hash.slice(0, 10)}`, owner, name, scope: [...new Set(scope)], created, expires: created + days * day };
      await this.#save({ ...key, hash });
      return { ...key, token };
    });
  }

  /** Takes an owner's key back, at once; false when there is none with this id. */
  revoke(owner: string, id: string): Promise<boolean> {
    return this.#after(async () => {
      const key = [...this.#byHash.values()].find((one) => one.owner === owner && one.id === id);
      if (key === undefined) return false;
      this.#byHash.delete(key.hash);
      await this.#store.save({ removed: [key.hash] });
      return true;
    });
  }

  /** Noted in memory first, so that it is written once an hour; a note that is lost is no harm. */
  #use(key: Stored, now: Micros): void {
    const used = { ...key, used: now - (now % hour) };
    this.#byHash.set(key.hash, used);
    void this.#after(async () => {
      if (this.#byHash.has(key.hash)) await this.#store.save({ keys: [rowOf(used)] });
    }).catch(() => undefined);
  }

  async #save(key: Stored): Promise<void> {
    await this.#store.save({ keys: [rowOf(key)] });
    this.#byHash.set(key.hash, key);
  }
}

const rowOf = ({ hash, owner, expires, ...body }: Stored): KeyRow => ({ hash, owner, expires, body: JSON.stringify(body) });

function problemOf(name: string, scope: readonly string[], days: number): string | undefined {
  if (name.trim() === "" || name.length > maxName) return `name: expected what the key is for, at most ${maxName} characters`;
  if (scope.length === 0) return "scope: expected what the key is for, e.g. alerts:read";
  const unknown = scope.find((one) => !(permissions as readonly string[]).includes(one));
  if (unknown !== undefined) return `scope: there is no permission ${unknown.slice(0, 40)}; there are ${permissions.join(", ")}`;
  return Number.isInteger(days) && days >= 1 && days <= maxDays ? undefined : `days: expected 1 to ${maxDays}`;
}
