/** Sessions of browsers, and what API clients' refresh tokens go back to: opened, renewed, ended, kept over a restart. Knows no cookie. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { type Clock, inTurn, newToken, tokenHash } from "@vedette/kit";
import type { Micros, PeopleStore, SessionRow } from "@vedette/model";

/** How whoever opened it had proved who they are; `token` and `link` are the shared admin token's. */
export type Proof = "token" | "link" | "password" | "totp" | "recovery" | "oidc";

export interface Session {
  /** Names it where it is listed or ended; opens nothing. */
  readonly id: string;
  /** A person's id; empty for the shared admin token's. */
  readonly person: string;
  readonly kind: "browser" | "client";
  /** Of the cookie or refresh token that is good now. */
  readonly hash: string;
  readonly created: Micros;
  /** To the minute. */
  readonly used: Micros;
  readonly expires: Micros;
  readonly by: Proof;
  readonly ip: string;
  readonly agent: string;
  /** The person's when it was opened. */
  readonly epoch: number;
  /** Beginnings of hashes of refresh tokens that were used: whoever shows one again has stolen it, or was stolen from. */
  readonly spent?: readonly string[];
}

export interface Lifetimes {
  /** A browser's session that nobody uses ends. */
  readonly idle: Micros;
  /** Any browser's session ends. */
  readonly browser: Micros;
  /** An API client must sign in anew. */
  readonly client: Micros;
}

export interface Opening extends Pick<Session, "person" | "kind" | "by" | "ip" | "agent"> {}

/** Of one person, browsers and clients together; the one unused longest goes first. */
const maxOfOne = 50;
/** How exactly it is known when a session was last used. */
const useStep: Micros = 60_000_000;
const maxAgent = 200;
const spentLength = 12;
const refreshPrefix = "vdr_";
const refreshForm = /^vdr_([\w-]{16})\.([\w-]{43})$/;

const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export class Sessions {
  readonly #store: PeopleStore;
  readonly #clock: Clock;
  readonly #lifetimes: Lifetimes;
  readonly #epochOf: (person: string) => number | undefined;
  readonly #byId = new Map<string, Session>();
  readonly #ofHash = new Map<string, string>();
  readonly #after = inTurn();

  /** @param epochOf a person's, undefined for whoever may not be signed in now */
  constructor(
    store: PeopleStore,
    clock: Clock,
    lifetimes: Lifetimes,
    epochOf: (person: string) => number | undefined,
    rows: readonly SessionRow[],
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#lifetimes = lifetimes;
    this.#epochOf = epochOf;
    for (const row of rows) this.#remember(sessionOf(row));
  }

  /** As the store has them now: another process may have opened and ended some. */
  reload(): Promise<void> {
    return this.#after(async () => {
      const { sessions } = await this.#store.load(this.#clock.now());
      const before = new Map(this.#byId);
      this.#byId.clear();
      this.#ofHash.clear();
      // when it was used here is written once a minute
      for (const session of sessions.map(sessionOf))
        this.#remember({ ...session, used: Math.max(session.used, before.get(session.id)?.used ?? 0) });
    });
  }

  /** @returns the session and its secret: a cookie's value, or a refresh token. Good once this resolves. */
  open(opening: Opening): Promise<{ readonly session: Session; readonly secret: string }> {
    return this.#after(async () => {
      const now = this.#clock.now();
      const id = randomBytes(12).toString("base64url");
      const token = newToken();
      const session: Session = {
        ...opening,
        agent: opening.agent.slice(0, maxAgent),
        id,
        hash: tokenHash(token),
        created: now,
        used: now,
        expires: now + this.#lifetimes[opening.kind],
        epoch: this.#epochOf(opening.person) ?? 0,
      };
      await this.#save([session], this.#surplus(opening.person));
      return { session, secret: secretOf(session, token) };
    });
  }

  /** The browser's session that a cookie belongs to; it counts as used. */
  ofCookie(value: string): Session | undefined {
    const session = this.alive(this.#ofHash.get(tokenHash(value)) ?? "");
    if (session?.kind !== "browser") return undefined;
    this.#use(session);
    return session;
  }

  /** The session with this id, if it still holds. */
  alive(id: string): Session | undefined {
    const session = this.#byId.get(id);
    if (session === undefined) return undefined;
    const now = this.#clock.now();
    const rested = session.kind === "browser" && now - session.used >= this.#lifetimes.idle;
    return now >= session.expires || rested || this.#epochOf(session.person) !== session.epoch ? undefined : session;
  }

  /** Of one person, or everybody's; newest first. */
  list(person?: string): readonly Session[] {
    const all = [...this.#byId.values()].filter(
      (one) => (person === undefined || one.person === person) && this.alive(one.id) !== undefined,
    );
    return all.sort((a, b) => b.created - a.created);
  }

  /**
   * A new secret for a session, in the place of the old one; it belongs to the person's present epoch from then on.
   * @returns undefined when it is gone
   */
  renew(id: string): Promise<string | undefined> {
    return this.#after(async () => {
      const session = this.#byId.get(id);
      const epoch = session && this.#epochOf(session.person);
      if (session === undefined || epoch === undefined) return undefined;
      const token = newToken();
      await this.#save([{ ...session, hash: tokenHash(token), epoch }], []);
      return secretOf(session, token);
    });
  }

  /** Uses up a refresh token for the next one. `reused`: it was used before, and its session has ended by now. */
  refresh(token: string): Promise<{ readonly session: Session; readonly secret: string } | "reused" | undefined> {
    return this.#after(async () => {
      const [, id = "", secret = ""] = refreshForm.exec(token) ?? [];
      const session = this.alive(id);
      if (session?.kind !== "client") return undefined;
      const hash = tokenHash(secret);
      if (!equal(hash, session.hash)) {
        if (!session.spent?.includes(hash.slice(0, spentLength))) return undefined;
        await this.#save([], [id]);
        return "reused";
      }
      const next = newToken();
      const spent = [...(session.spent ?? []), hash.slice(0, spentLength)];
      const renewed = { ...session, hash: tokenHash(next), used: this.#clock.now(), spent };
      await this.#save([renewed], []);
      return { session: renewed, secret: secretOf(session, next) };
    });
  }

  /** The session of a refresh token, used or not: whoever has it may end it. */
  ofRefreshToken(token: string): Session | undefined {
    const [, id = "", secret = ""] = refreshForm.exec(token) ?? [];
    const session = this.alive(id);
    const hash = tokenHash(secret);
    return session && (equal(hash, session.hash) || session.spent?.includes(hash.slice(0, spentLength))) ? session : undefined;
  }

  /** @returns those that were there */
  end(ids: readonly string[]): Promise<readonly Session[]> {
    return this.#after(async () => {
      const there = ids.flatMap((id) => this.#byId.get(id) ?? []);
      if (there.length > 0)
        await this.#save(
          [],
          there.map(({ id }) => id),
        );
      return there;
    });
  }

  /** All of a person's. */
  async endOf(person: string): Promise<void> {
    await this.end(this.list(person).map(({ id }) => id));
  }

  /** Resolves when what is being written is written. */
  async settled(): Promise<void> {
    await this.#after(async () => {});
  }

  #use(session: Session): void {
    const now = this.#clock.now();
    if (now - session.used < useStep) return;
    const used = { ...session, used: now };
    this.#byId.set(session.id, used);
    // what a crash forgets of it is a minute; a session that was ended meanwhile stays ended
    this.#after(async () => {
      const latest = this.#byId.get(session.id);
      if (latest !== undefined) await this.#store.save({ sessions: [rowOf(latest)] });
    }).catch(() => {});
  }

  /** What ended by itself, and what would be too many with one more. */
  #surplus(person: string): readonly string[] {
    const own = [...this.#byId.values()].filter((one) => one.person === person);
    const ended = own.filter(({ id }) => this.alive(id) === undefined);
    const left = own.filter((one) => !ended.includes(one)).sort((a, b) => a.used - b.used);
    return [...ended, ...left.slice(0, Math.max(0, left.length - maxOfOne + 1))].map(({ id }) => id);
  }

  async #save(sessions: readonly Session[], removed: readonly string[]): Promise<void> {
    await this.#store.save({ sessions: sessions.map(rowOf), removedSessions: removed });
    for (const id of removed) this.#forget(id);
    for (const session of sessions) {
      this.#forget(session.id);
      this.#remember(session);
    }
  }

  #remember(session: Session): void {
    this.#byId.set(session.id, session);
    this.#ofHash.set(session.hash, session.id);
  }

  #forget(id: string): void {
    const session = this.#byId.get(id);
    if (session !== undefined) this.#ofHash.delete(session.hash);
    this.#byId.delete(id);
  }
}

/** A client's says which session it is of, so that one that was used before is recognised. */
const secretOf = ({ kind, id }: Session, token: string): string => (kind === "browser" ? token : `${refreshPrefix}${id}.${token}`);

const rowOf = ({ id, person, expires, ...body }: Session): SessionRow => ({ id, person, expires, body: JSON.stringify(body) });

const sessionOf = ({ id, person, expires, body }: SessionRow): Session => ({ ...(JSON.parse(body) as Session), id, person, expires });
