/** Who is calling: admin token, one-time login, session cookie, a source's own token. Keeps hashes only; knows no route. */
import { timingSafeEqual } from "node:crypto";
import { admin, newToken, type Principal, tokenHash } from "@vedette/access";
import type { Clock } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { SettingStore } from "@vedette/store";
import { SourceTokens } from "./source_tokens.ts";

export interface AuthOptions {
  /** `tokenHash` of the admin token. */
  readonly adminTokenHash: string;
  readonly settings: SettingStore;
  readonly clock: Clock;
}

interface Session {
  readonly user: string;
  readonly expires: Micros;
}

/** Login links are printed to a terminal and used at once. */
const loginLifetime: Micros = 3_600_000_000;
/** A working day and a bit: a person logs in once in the morning. */
const sessionLifetime: Micros = 24 * 3_600_000_000;
/** Sessions kept; the oldest goes first. One admin on a few machines needs a handful. */
const maxSessions = 100;
const setting = "api.sessions";
/** No token of ours or a collector's is longer. */
const maxToken = 512;

function equal(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

export class Auth {
  readonly #options: AuthOptions;
  readonly #logins = new Map<string, Micros>();
  #sessions = new Map<string, Session>();
  readonly sources: SourceTokens;

  private constructor(options: AuthOptions, sources: SourceTokens) {
    this.#options = options;
    this.sources = sources;
  }

  /** Loads the sessions that are still good, and the sources' tokens. */
  static async open(options: AuthOptions): Promise<Auth> {
    const auth = new Auth(options, await SourceTokens.open(options.settings, options.clock));
    const text = await options.settings.get(setting);
    if (text !== undefined) {
      const now = options.clock.now();
      const stored = JSON.parse(text) as [string, Session][];
      auth.#sessions = new Map(stored.filter(([, session]) => session.expires > now));
    }
    return auth;
  }

  /** A token for `/login?token=…`, good once within the hour. */
  issueLogin(): string {
    const now = this.#options.clock.now();
    for (const [known, expires] of this.#logins) if (expires <= now) this.#logins.delete(known);
    const token = newToken();
    this.#logins.set(tokenHash(token), now + loginLifetime);
    return token;
  }

  /** Uses up a one-time token; the new session's cookie value, or undefined. */
  async login(token: string): Promise<string | undefined> {
    const key = tokenHash(token);
    const expires = this.#logins.get(key);
    this.#logins.delete(key);
    return expires === undefined || expires <= this.#options.clock.now() ? undefined : this.#open();
  }

  /** Opens a session for the admin token. */
  async loginWithToken(token: string): Promise<string | undefined> {
    return equal(tokenHash(token), this.#options.adminTokenHash) ? this.#open() : undefined;
  }

  async logout(session: string): Promise<void> {
    if (this.#sessions.delete(session)) await this.#save();
  }

  /** Whether the session with this id (a `Principal`'s) still holds. */
  alive(session: string): boolean {
    return (this.#sessions.get(session)?.expires ?? 0) > this.#options.clock.now();
  }

  /** Who a token belongs to. */
  ofToken(token: string): Principal | undefined {
    if (token.length > maxToken) return undefined;
    const key = tokenHash(token);
    if (equal(key, this.#options.adminTokenHash)) return { kind: "shared", name: "admin", grants: admin };
    const made = this.sources.ofHash(key);
    return made && { kind: "source", source: made.source, token: made.id };
  }

  /** Who a session cookie belongs to. */
  ofCookie(value: string): Principal | undefined {
    if (value.length > maxToken) return undefined;
    const session = tokenHash(value);
    return this.alive(session) ? { kind: "shared", name: "admin", grants: admin, session } : undefined;
  }

  async #open(): Promise<string> {
    const now = this.#options.clock.now();
    for (const [known, session] of this.#sessions) if (session.expires <= now) this.#sessions.delete(known);
    while (this.#sessions.size >= maxSessions) this.#sessions.delete(this.#sessions.keys().next().value!);
    const value = newToken();
    this.#sessions.set(tokenHash(value), { user: "admin", expires: now + sessionLifetime });
    await this.#save();
    return value;
  }

  #save(): Promise<void> {
    return this.#options.settings.set(setting, JSON.stringify([...this.#sessions]));
  }
}
