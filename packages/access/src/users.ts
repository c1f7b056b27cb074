/** The people of an installation, in memory and written before a change counts. Knows neither how they prove who they are nor what they may do. */
import { randomBytes } from "node:crypto";
import { BadInputError, type Clock, inTurn, VedetteError } from "@vedette/kit";
import type { Micros, PeopleStore, PersonRow } from "@vedette/model";
import type { Grant } from "./principal.ts";

export interface Password {
  /** PHC's notation. */
  readonly hash: string;
  readonly set: Micros;
  /** Somebody else chose it. */
  readonly mustChange: boolean;
  /** One that somebody else chose is not good for ever. */
  readonly expires?: Micros;
}

export interface Totp {
  /** The sealed secret, base64. */
  readonly box: string;
  /** Shown to count: a code of it was typed in. */
  readonly confirmed: boolean;
  /** The last step whose code was used. */
  readonly step: number;
  /** Hashes of the recovery codes that are left. */
  readonly recovery: readonly string[];
}

export interface User {
  readonly id: string;
  /** What is signed in with: lower case, unique. */
  readonly name: string;
  readonly displayName?: string;
  readonly email?: string;
  readonly grants: readonly Grant[];
  readonly disabled: boolean;
  readonly created: Micros;
  /** Grows when everything that was signed in before has ended: with the password, the grants, or being disabled. */
  readonly epoch: number;
  readonly lastSignIn?: Micros;
  /** Keys that were made earlier are nobody's: they ended with the password, or by being disabled. */
  readonly keysSince?: Micros;
  readonly password?: Password;
  readonly totp?: Totp;
  /** Signs in by an OpenID provider, as whom. */
  readonly oidc?: { readonly issuer: string; readonly subject: string };
}

export type NewUser = Pick<User, "name" | "displayName" | "email" | "grants" | "oidc">;

/** Far more people than look after a cluster; all of them are in memory. */
const maxUsers = 10_000;
const namePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** As a name is kept and looked up, however it was typed. */
export const foldName = (name: string): string => name.normalize("NFKC").trim().toLowerCase();

/** What is wrong with a name. */
export const nameProblem = (name: string): string | undefined =>
  namePattern.test(name)
    ? undefined
    : `expected letters, digits, . _ @ - (at most 64, the first a letter or digit), found "${name.slice(0, 80)}"`;

/** Whether somebody can put everything right again: an administrator of everything. */
export const isAdministrator = ({ disabled, grants }: User): boolean =>
  !disabled && grants.some(({ role, tenant = "main", rows }) => role === "admin" && tenant === "main" && rows === undefined);

const rowOf = (user: User): PersonRow => ({ id: user.id, name: user.name, body: JSON.stringify(user) });

export class Users {
  readonly #store: PeopleStore;
  readonly #clock: Clock;
  readonly #byId = new Map<string, User>();
  readonly #byName = new Map<string, User>();
  /** Changes go one after the other: each is judged on what the one before left. */
  readonly #after = inTurn();

  constructor(store: PeopleStore, clock: Clock, rows: readonly PersonRow[]) {
    this.#store = store;
    this.#clock = clock;
    this.#take(rows);
  }

  /** As the store has them now: another process may have changed them. */
  reload(): Promise<void> {
    return this.#after(async () => this.#take((await this.#store.load(this.#clock.now())).people));
  }

  /** By name. */
  list(): readonly User[] {
    return [...this.#byId.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  ofId(id: string): User | undefined {
    return this.#byId.get(id);
  }

  ofName(name: string): User | undefined {
    return this.#byName.get(foldName(name));
  }

  ofSubject(issuer: string, subject: string): User | undefined {
    return this.list().find(({ oidc }) => oidc?.issuer === issuer && oidc.subject === subject);
  }

  /** @throws BadInputError `bad_request`, VedetteError `conflict` */
  create(given: NewUser): Promise<User> {
    return this.#after(async () => {
      const name = foldName(given.name);
      const problem = nameProblem(name);
      if (problem !== undefined) throw new BadInputError("bad_request", `name: ${problem}`);
      if (this.#byName.has(name)) throw new VedetteError("conflict", true, `there is somebody named ${name} already`);
      if (this.#byId.size >= maxUsers) throw new VedetteError("conflict", true, `there are ${maxUsers} people already`);
      const id = randomBytes(12).toString("base64url");
      return await this.#save({ ...given, id, name, disabled: false, created: this.#clock.now(), epoch: 0 });
    });
  }

  /**
   * Changes somebody by what they are now.
   * @param to undefined leaves everything as it is
   * @param whoever the change may leave nobody to administer
   * @throws VedetteError `not_found`; `conflict` when nobody would be left to administer
   */
  change(id: string, to: (user: User) => User | undefined, whoever?: "whoever"): Promise<User> {
    return this.#after(async () => {
      const user = this.#there(id);
      const changed = to(user);
      if (changed === undefined) return user;
      if (whoever === undefined && !isAdministrator(changed)) this.#keepsAnother(user);
      return await this.#save(changed);
    });
  }

  /** @throws VedetteError `not_found`; `conflict` when nobody would be left to administer */
  remove(id: string): Promise<User> {
    return this.#after(async () => {
      const user = this.#there(id);
      this.#keepsAnother(user);
      await this.#store.save({ removedPeople: [id] });
      this.#byId.delete(id);
      this.#byName.delete(user.name);
      return user;
    });
  }

  #take(rows: readonly PersonRow[]): void {
    const users = rows.map(({ body }) => JSON.parse(body) as User);
    this.#byId.clear();
    this.#byName.clear();
    for (const user of users) {
      this.#byId.set(user.id, user);
      this.#byName.set(user.name, user);
    }
  }

  #there(id: string): User {
    const user = this.#byId.get(id);
    if (user === undefined) throw new VedetteError("not_found", true, "there is nobody with this id");
    return user;
  }

  #keepsAnother(user: User): void {
    if (!isAdministrator(user) || this.list().some((other) => other.id !== user.id && isAdministrator(other))) return;
    throw new VedetteError("conflict", true, `${user.name} is the last administrator; give somebody else the role admin first`);
  }

  async #save(user: User): Promise<User> {
    await this.#store.save({ people: [rowOf(user)] });
    const before = this.#byId.get(user.id);
    if (before !== undefined && before.name !== user.name) this.#byName.delete(before.name);
    this.#byId.set(user.id, user);
    this.#byName.set(user.name, user);
    return user;
  }
}
