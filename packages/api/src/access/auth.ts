/** Who is calling: people by session or access token, the admin token, one-time links, a source's own token. Keeps hashes only; knows no route. */
import { timingSafeEqual } from "node:crypto";
import {
  admin,
  Keys,
  newToken,
  nobody,
  type OwnerOf,
  type People,
  type Principal,
  type Proof,
  type Session,
  tokenHash,
} from "@vedette/access";
import type { Clock } from "@vedette/kit";
import type { KeyStore, Micros } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import { SourceTokens } from "./source_tokens.ts";

export interface AuthOptions {
  /** `tokenHash` of the admin token. */
  readonly adminTokenHash: string;
  readonly settings: SettingStore;
  readonly people: People;
  readonly keys: KeyStore;
  readonly clock: Clock;
}

/** Where somebody signs in from. */
export type Place = Pick<Session, "ip" | "agent">;
/** A session that was opened, and its cookie's value. */
type Opened = Awaited<ReturnType<People["open"]>>;

/** Login links are printed to a terminal and used at once. */
const loginLifetime: Micros = 3_600_000_000;
/** No token of ours or a collector's is longer, access tokens aside. */
const maxToken = 512;

function equal(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** Three parts with dots between: no other token of ours has one. */
const isAccessToken = (token: string): boolean => token.includes(".");

export class Auth {
  readonly #options: AuthOptions;
  readonly #logins = new Map<string, Micros>();
  readonly people: People;
  readonly keys: Keys;
  readonly sources: SourceTokens;

  private constructor(options: AuthOptions, keys: Keys, sources: SourceTokens) {
    this.#options = options;
    this.keys = keys;
    this.people = options.people;
    this.sources = sources;
  }

  /** Loads the keys and the sources' tokens. */
  static async open(options: AuthOptions): Promise<Auth> {
    const { people, clock } = options;
    const ownerOf: OwnerOf = (owner) => {
      if (owner === nobody) return { kind: "shared", name: "admin", grants: admin };
      const user = people.users.ofId(owner);
      return user === undefined || user.disabled
        ? undefined
        : { kind: "user", id: user.id, name: user.name, grants: user.grants, by: "key" };
    };
    const keys = await Keys.open(options.keys, clock, ownerOf, (owner) => people.users.ofId(owner)?.keysSince ?? 0);
    return new Auth(options, keys, await SourceTokens.open(options.settings, clock));
  }

  /** People, sessions, keys and sources' tokens as the store has them now: another process may have changed them. */
  async reload(): Promise<void> {
    await Promise.all([this.people.reload(), this.keys.reload(), this.sources.reload()]);
  }

  /** A token for `/login?token=…`, good once within the hour. */
  issueLogin(): string {
    const now = this.#options.clock.now();
    for (const [known, expires] of this.#logins) if (expires <= now) this.#logins.delete(known);
    const token = newToken();
    this.#logins.set(tokenHash(token), now + loginLifetime);
    return token;
  }

  /** Uses up a one-time token for a session. */
  async login(token: string, place: Place): Promise<Opened | undefined> {
    const key = tokenHash(token);
    const expires = this.#logins.get(key);
    this.#logins.delete(key);
    return expires === undefined || expires <= this.#options.clock.now() ? undefined : this.#open("link", place);
  }

  /** Opens a session for the admin token. */
  async loginWithToken(token: string, place: Place): Promise<Opened | undefined> {
    return equal(tokenHash(token), this.#options.adminTokenHash) ? this.#open("token", place) : undefined;
  }

  /** Checks what takes its time to check: an access token's signature. `ofToken` knows it from then on. */
  async verify(token: string): Promise<void> {
    if (isAccessToken(token)) await this.people.tokens.check(token);
  }

  /** Who a token belongs to, now. An access token was verified before. */
  ofToken(token: string): Principal | undefined {
    if (isAccessToken(token)) return this.people.ofAccessToken(token);
    if (token.length > maxToken) return undefined;
    const key = tokenHash(token);
    if (equal(key, this.#options.adminTokenHash)) return { kind: "shared", name: "admin", grants: admin };
    const program = this.keys.ofHash(key);
    if (program !== undefined) return program;
    const made = this.sources.ofHash(key);
    return made && { kind: "source", source: made.source, token: made.id };
  }

  /** Who a session cookie belongs to. */
  ofCookie(value: string): Principal | undefined {
    return value.length > maxToken ? undefined : this.people.ofCookie(value);
  }

  #open(by: Proof, place: Place): Promise<Opened> {
    return this.people.open({ person: nobody, kind: "browser", by, ...place });
  }
}
