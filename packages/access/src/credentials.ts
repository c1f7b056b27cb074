/** What people prove themselves with: passwords, one-time codes, recovery codes. Keeps hashes and sealed secrets; knows no session. */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { BadInputError, type Clock, type SealedBox, type Sealer, tokenHash, VedetteError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { isBreached, weakness } from "./password_rules.ts";
import { hashPassword, isOutdated, verifyPassword } from "./passwords.ts";
import { base32, matchTotp, newRecoveryCodes, newTotpSecret, recoveryCode, totpUri } from "./totp.ts";
import type { Password, Totp, User, Users } from "./users.ts";

export interface CredentialOptions {
  readonly users: Users;
  readonly clock: Clock;
  readonly sealer: Sealer;
  /** What authenticator apps list it as. */
  readonly installation: string;
  /** A sorted file of breached passwords' hashes. */
  readonly breached?: string;
}

/** A password that an administrator hands over is to be changed soon (OWASP ASVS 5.0, 6.4.1). */
const initialLifetime: Micros = 72 * 3_600_000_000;
/** 100 bits: nobody types it twice. */
const initialBytes = 13;

const placeOf = (user: User): string => `totp ${user.id}`;
const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

export class Credentials {
  readonly #users: Users;
  readonly #clock: Clock;
  readonly #sealer: Sealer;
  readonly #installation: string;
  readonly #breached: string | undefined;

  constructor({ users, clock, sealer, installation, breached }: CredentialOptions) {
    this.#users = users;
    this.#clock = clock;
    this.#sealer = sealer;
    this.#installation = installation;
    this.#breached = breached;
  }

  /** A password for somebody new or who forgot theirs, good for three days and to be changed. Everything they had open ends. */
  async reset(id: string, keepTotp = false): Promise<{ readonly user: User; readonly password: string }> {
    const password = base32(randomBytes(initialBytes))
      .toLowerCase()
      .replace(/(.{5})(?=.)/g, "$1-");
    const hash = await hashPassword(password);
    const now = this.#clock.now();
    const made: Password = { hash, set: now, mustChange: true, expires: now + initialLifetime };
    const user = await this.#users.change(id, ({ totp, ...rest }) => ({
      ...rest,
      ...(keepTotp && totp && { totp }),
      password: made,
      keysSince: now,
      epoch: rest.epoch + 1,
    }));
    return { user, password };
  }

  /** A password that its owner chose. Everything they had open ends. @throws BadInputError `bad_request` for one too easy to guess */
  async setPassword(id: string, password: string): Promise<User> {
    const user = this.#users.ofId(id);
    const about = [user?.name, user?.displayName, user?.email, this.#installation, "vedette"].filter((one) => one !== undefined);
    const problem = weakness(password, about) ?? (await this.#breach(password));
    if (problem !== undefined) throw new BadInputError("bad_request", `password: ${problem}`);
    if (user?.password !== undefined && (await verifyPassword(password, user.password.hash)))
      throw new BadInputError("bad_request", "password: expected another than the present one");
    const made = { hash: await hashPassword(password), set: this.#clock.now(), mustChange: false };
    return await this.#users.change(id, (now) => ({ ...now, password: made, keysSince: made.set, epoch: now.epoch + 1 }));
  }

  /** Whether this is somebody's password; takes as long for nobody. Hashes made with older parameters are made anew. */
  async hasPassword(user: User | undefined, password: string): Promise<boolean> {
    const kept = user?.password;
    const right = await verifyPassword(password, kept?.hash);
    if (!right || user === undefined || kept === undefined) return false;
    if (kept.expires !== undefined && kept.expires <= this.#clock.now()) return false;
    if (isOutdated(kept.hash)) {
      const hash = await hashPassword(password);
      await this.#users.change(user.id, (now) => (now.password?.hash === kept.hash ? { ...now, password: { ...kept, hash } } : undefined));
    }
    return true;
  }

  /** Begins a set-up: nothing is asked of anybody until a code of it is confirmed. */
  async beginTotp(id: string): Promise<{ readonly secret: string; readonly uri: string }> {
    const secret = newTotpSecret();
    const user = await this.#users.change(id, (now) => {
      if (now.totp?.confirmed) throw new VedetteError("conflict", true, "one-time codes are set up already; turn them off first");
      return { ...now, totp: { box: this.#seal(now, secret), confirmed: false, step: 0, recovery: [] } };
    });
    return { secret: base32(secret), uri: totpUri(secret, this.#installation, user.name) };
  }

  /** @returns recovery codes, shown this once; undefined: not a code of it. Everything that was open ends. */
  async confirmTotp(id: string, code: string): Promise<readonly string[] | undefined> {
    const codes = newRecoveryCodes();
    let confirmed = false;
    await this.#users.change(id, (now) => {
      if (now.totp === undefined || now.totp.confirmed)
        throw new VedetteError("conflict", true, "no set-up of one-time codes has begun, or it is done");
      const step = this.#match(now, now.totp, code);
      if (step === undefined) return undefined;
      confirmed = true;
      return { ...now, epoch: now.epoch + 1, totp: { ...now.totp, confirmed, step, recovery: hashesOf(codes) } };
    });
    return confirmed ? codes : undefined;
  }

  /** Turns one-time codes off. Everything that was open ends. */
  async dropTotp(id: string): Promise<User> {
    return await this.#users.change(id, ({ totp: _, ...rest }) => ({ ...rest, epoch: rest.epoch + 1 }));
  }

  /** New recovery codes in the place of those that are left. */
  async newRecovery(id: string): Promise<readonly string[]> {
    const codes = newRecoveryCodes();
    await this.#users.change(id, (now) => {
      if (!now.totp?.confirmed) throw new VedetteError("conflict", true, "one-time codes are not set up");
      return { ...now, totp: { ...now.totp, recovery: hashesOf(codes) } };
    });
    return codes;
  }

  /** Uses up a one-time code: each is good once. */
  async useTotp(id: string, code: string): Promise<boolean> {
    let good = false;
    await this.#users.change(id, (now) => {
      const step = now.totp?.confirmed ? this.#match(now, now.totp, code) : undefined;
      if (now.totp === undefined || step === undefined) return undefined;
      good = true;
      return { ...now, totp: { ...now.totp, step } };
    });
    return good;
  }

  /** Uses up a recovery code. */
  async useRecovery(id: string, code: string): Promise<boolean> {
    const wanted = tokenHash(recoveryCode(code));
    let good = false;
    await this.#users.change(id, (now) => {
      const left = now.totp?.recovery.filter((one) => !equal(one, wanted));
      if (now.totp === undefined || !now.totp.confirmed || left === undefined || left.length === now.totp.recovery.length) return undefined;
      good = true;
      return { ...now, totp: { ...now.totp, recovery: left } };
    });
    return good;
  }

  /** The sealed secrets, for a rotation of keys. */
  boxes(): readonly SealedBox[] {
    return this.#users.list().flatMap((user): SealedBox[] => {
      const { totp } = user;
      if (totp === undefined) return [];
      const replace = async (bytes: Uint8Array): Promise<boolean> => {
        const box = Buffer.from(bytes).toString("base64");
        const after = await this.#users.change(user.id, (now) =>
          now.totp?.box === totp.box ? { ...now, totp: { ...now.totp, box } } : undefined,
        );
        return after.totp?.box === box;
      };
      return [{ purpose: peoplePurpose, place: placeOf(user), bytes: new Uint8Array(Buffer.from(totp.box, "base64")), replace }];
    });
  }

  #seal(user: User, secret: Uint8Array): string {
    return Buffer.from(this.#sealer.seal(secret, placeOf(user))).toString("base64");
  }

  #match(user: User, totp: Totp, code: string): number | undefined {
    const secret = this.#sealer.open(Buffer.from(totp.box, "base64"), placeOf(user));
    return matchTotp(secret, code, this.#clock.now(), totp.step);
  }

  async #breach(password: string): Promise<string | undefined> {
    if (this.#breached === undefined) return undefined;
    return (await isBreached(this.#breached, password)) ? "it is among the passwords that leaked elsewhere" : undefined;
  }
}

/** What the sealer of people's secrets is for. */
export const peoplePurpose = "people";

const hashesOf = (codes: readonly string[]): readonly string[] => codes.map((code) => tokenHash(recoveryCode(code)));
