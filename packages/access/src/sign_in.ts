/** Signing in by name and password, with a second factor where there is one; whoever fails too often waits. Opens no session. */
import { type Counters, type Draw, tokenHash } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Credentials } from "./credentials.ts";
import { maxPassword } from "./passwords.ts";
import { foldName, type User, type Users } from "./users.ts";

export interface Attempt {
  readonly name: string;
  readonly password: string;
  /** A one-time code. */
  readonly totp?: string | undefined;
  readonly recovery?: string | undefined;
  readonly address: string;
}

export type Attempted =
  | { readonly user: User; readonly by: "password" | "totp" | "recovery" }
  /** `wrong` says not which of name, password and code; `second_factor`: the password was right and a code is needed. */
  | { readonly refused: "wrong" | "second_factor" }
  /** However right it was. */
  | { readonly refused: "locked"; readonly wait: Micros };

/** Ten failures at once and then one a minute: 1,440 guesses a day at one name, from however many addresses. OWASP ASVS 5.0, 6.3.1. */
const perName = { perMinute: 1, burst: 10 };
/** An office behind one address has many people who mistype on a Monday. */
const perAddress = { perMinute: 10, burst: 30 };
/** Each attempt takes 19 MiB and a twentieth of a second: so many at a time, and so many that wait for their turn. */
const atOnce = 2;
const waiting = 50;
const busy: Micros = 2_000_000;

export class SignIn {
  readonly #users: Users;
  readonly #credentials: Credentials;
  readonly #counters: Counters;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  /** @param counters where attempts are counted: those of several processes together where they share it */
  constructor(users: Users, credentials: Credentials, counters: Counters) {
    this.#users = users;
    this.#credentials = credentials;
    this.#counters = counters;
  }

  /** Whoever knows the password of somebody who is disabled hears the same as whoever guesses. */
  async attempt(attempt: Attempt): Promise<Attempted> {
    const name = foldName(attempt.name).slice(0, maxPassword);
    const wait = await this.#count(name, attempt.address);
    if (wait > 0) return { refused: "locked", wait };
    const user = this.#users.ofName(name);
    if (this.#queue.length >= waiting) return { refused: "locked", wait: busy };
    const known = await this.#inTurn(() => this.#credentials.hasPassword(user?.disabled ? undefined : user, attempt.password));
    if (!known || user === undefined) return { refused: "wrong" };
    const by = await this.#second(user, attempt);
    if (by === undefined) return { refused: "wrong" };
    await this.#giveBack(name, attempt.address);
    return by === "needed" ? { refused: "second_factor" } : { user, by };
  }

  /** The same, for somebody who is signed in and shows the password again. */
  async confirm(user: User, password: string, address: string): Promise<Attempted> {
    const wait = await this.#count(user.name, address);
    if (wait > 0) return { refused: "locked", wait };
    if (!(await this.#inTurn(() => this.#credentials.hasPassword(user, password)))) return { refused: "wrong" };
    await this.#giveBack(user.name, address);
    return { user, by: "password" };
  }

  async #second(user: User, { totp, recovery }: Attempt): Promise<"password" | "totp" | "recovery" | "needed" | undefined> {
    if (!user.totp?.confirmed) return "password";
    if (totp !== undefined) return (await this.#credentials.useTotp(user.id, totp)) ? "totp" : undefined;
    if (recovery !== undefined) return (await this.#credentials.useRecovery(user.id, recovery)) ? "recovery" : undefined;
    return "needed";
  }

  /** Counted before it is looked at, so that attempts side by side are all counted; what succeeds is given back. */
  async #count(name: string, address: string): Promise<Micros> {
    const drawn = await this.#counters.take(drawsOf(name, address, 1));
    return Math.max(...drawn.map(({ wait }) => wait));
  }

  #giveBack(name: string, address: string): Promise<void> {
    return this.#counters.charge(drawsOf(name, address, -1));
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= atOnce) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#running++;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

/** Names by their hash: a password may have been typed in the place of one. */
const drawsOf = (name: string, address: string, cost: number): readonly Draw[] => [
  { key: `sign-in name ${tokenHash(name)}`, rate: perName, cost },
  { key: `sign-in address ${address}`, rate: perAddress, cost },
];
