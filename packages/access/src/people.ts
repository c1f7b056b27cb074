/** Everybody who can sign in, with their sessions and access tokens: what turns a proof into a principal. Knows no route and no cookie. */
import { type Clock, type Counters, inProcessCounters, type SealedPlace, type Sealer } from "@vedette/kit";
import type { Micros, PeopleStore } from "@vedette/model";
import { Credentials, peoplePurpose } from "./credentials.ts";
import { AccessTokens, type Documents } from "./jwt.ts";
import type { Role } from "./permission.ts";
import { admin, type Principal } from "./principal.ts";
import { type Lifetimes, type Opening, type Session, Sessions } from "./sessions.ts";
import { SignIn } from "./sign_in.ts";
import { type User, Users } from "./users.ts";

export interface PeopleOptions {
  readonly store: PeopleStore;
  readonly documents: Documents;
  readonly clock: Clock;
  /** For the purpose `people`. */
  readonly sealer: Sealer;
  /** Keys of HS256 access tokens as they are now: the first signs, what the others signed is taken. */
  readonly secrets: () => readonly Uint8Array[];
  /** Where attempts to sign in are counted; this process's own by default. */
  readonly counters?: Counters;
  readonly algorithm?: "HS256" | "EdDSA";
  readonly accessTokenLifetime?: Micros;
  /** Of access tokens; the installation's address where it has one. */
  readonly issuer?: string;
  readonly lifetimes?: Partial<Lifetimes>;
  /** Who has one of these roles must have one-time codes. */
  readonly totpRequired?: readonly Role[];
  readonly installation?: string;
  /** A sorted file of breached passwords' hashes. */
  readonly breachedPasswords?: string;
}

/** What somebody has to do before anything else is theirs to do. */
export type Duty = "change_password" | "enrol_totp";

const hour: Micros = 3_600_000_000;
/** NIST SP 800-63B-4, 2.2.3: a day in all and an hour unused. A client asks for new tokens at least once a week. */
const lifetimes: Lifetimes = { idle: hour, browser: 24 * hour, client: 7 * 24 * hour };
const accessTokenLifetime: Micros = hour / 2;
/** The shared admin token is nobody in particular. */
export const nobody = "";

export class People {
  readonly users: Users;
  readonly sessions: Sessions;
  readonly credentials: Credentials;
  readonly signIn: SignIn;
  readonly tokens: AccessTokens;
  readonly #totpRequired: readonly Role[];

  private constructor(options: PeopleOptions, users: Users, sessions: Sessions, tokens: AccessTokens) {
    const { clock, sealer, installation = "Vedette", breachedPasswords: breached, totpRequired = [] } = options;
    this.users = users;
    this.sessions = sessions;
    this.tokens = tokens;
    this.credentials = new Credentials({ users, clock, sealer, installation, ...(breached !== undefined && { breached }) });
    this.signIn = new SignIn(users, this.credentials, options.counters ?? inProcessCounters(clock));
    this.#totpRequired = totpRequired;
  }

  /** @throws VedetteError `store_unavailable`, `sealed_key_missing`, `sealed_damaged` */
  static async open(options: PeopleOptions): Promise<People> {
    const { store, clock, algorithm = "HS256" } = options;
    const { people, sessions } = await store.load(clock.now());
    const users = new Users(store, clock, people);
    const epochOf = (person: string): number | undefined => {
      if (person === nobody) return 0;
      const user = users.ofId(person);
      return user?.disabled ? undefined : user?.epoch;
    };
    const tokens = await AccessTokens.open({
      ...options,
      algorithm,
      lifetime: options.accessTokenLifetime ?? accessTokenLifetime,
      issuer: options.issuer ?? "vedette",
    });
    return new People(options, users, new Sessions(store, clock, { ...lifetimes, ...options.lifetimes }, epochOf, sessions), tokens);
  }

  /** As the store has everybody now: another process may have changed them. */
  async reload(): Promise<void> {
    await this.users.reload();
    await this.sessions.reload();
  }

  /** What keeps somebody from doing anything else. Who signs in by a provider has codes there. */
  dutyOf({ password, totp, grants }: User, session: Session | undefined): Duty | undefined {
    if (session?.by === "oidc") return undefined;
    if (password?.mustChange) return "change_password";
    return !totp?.confirmed && grants.some(({ role }) => this.#totpRequired.includes(role)) ? "enrol_totp" : undefined;
  }

  /** Opens a session, and notes that somebody signed in. */
  async open(opening: Opening): Promise<{ readonly session: Session; readonly secret: string }> {
    const opened = await this.sessions.open(opening);
    if (opening.person !== nobody) await this.users.change(opening.person, (user) => ({ ...user, lastSignIn: opened.session.created }));
    return opened;
  }

  /** Who a browser's cookie belongs to. */
  ofCookie(value: string): Principal | undefined {
    const session = this.sessions.ofCookie(value);
    return session && this.#principal(session, "session");
  }

  /** Who an access token that was checked belongs to: its session may be ended before it expires. */
  ofAccessToken(token: string): Principal | undefined {
    const claims = this.tokens.known(token);
    const session = claims && this.sessions.alive(claims.session);
    return session !== undefined && session.person === claims?.subject ? this.#principal(session, "token") : undefined;
  }

  /** What is sealed here, for a rotation of keys. */
  sealed(): SealedPlace {
    return { name: "people", boxes: async () => [...this.credentials.boxes(), ...this.tokens.boxes(peoplePurpose)] };
  }

  #principal(session: Session, by: "session" | "token"): Principal | undefined {
    if (session.person === nobody) return { kind: "shared", name: "admin", grants: admin, session: session.id };
    const user = this.users.ofId(session.person);
    if (user === undefined || user.disabled) return undefined;
    const grants = this.dutyOf(user, session) === undefined ? user.grants : [];
    return { kind: "user", id: user.id, name: user.name, grants, by, session: session.id };
  }
}
