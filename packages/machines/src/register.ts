/**
 * Who is a machine here: enrolment by tokens that are good once, renewal, revocation, and what machines say of themselves, by which roles find one
 * another. Every change is durable before it counts. Knows no HTTP and no socket.
 */
import { randomBytes } from "node:crypto";
import { BadInputError, type Clock, inTurn, tokenHash } from "@vedette/kit";
import type { MachineStore, Micros } from "@vedette/model";
import { type Authority, maxLifetime_h } from "./authority.ts";
import type { RevokedCertificate } from "./certificate.ts";
import { idOfMachine, type MachineName, readMachineId, serverRole, spiffeId } from "./name.ts";
import { type CertificateRequest, readRequest } from "./request.ts";

export const healths = ["ok", "degraded", "failing"] as const;
export type Health = (typeof healths)[number];

/** What a machine says of itself; `ttl_s` is for how long that holds. */
export interface Report {
  readonly address?: string;
  readonly version?: string;
  /** What it does for others, such as ingest or serve. */
  readonly roles?: readonly string[];
  readonly health: Health;
  readonly detail?: string;
  readonly ttl_s: number;
}
interface KeptReport extends Omit<Report, "ttl_s"> {
  readonly at: Micros;
  readonly until: Micros;
}
interface Machine {
  readonly created: Micros;
  readonly report?: KeptReport;
  /** Until it is enrolled anew. */
  readonly revoked?: { readonly at: Micros; readonly reason: string };
}
interface Certificate {
  readonly serial: string;
  readonly machine: string;
  readonly expires: Micros;
  readonly from: Micros;
  readonly revoked?: Micros;
}
interface Enrolment {
  readonly machine: string;
  readonly expires: Micros;
  readonly created: Micros;
  readonly by: string;
  readonly used?: Micros;
}

/** A machine as people and other machines see it. */
export interface MachineLine extends MachineName {
  readonly id: string;
  /** `silent`: it has said nothing of itself yet; `stale`: what it said no longer holds; `expired`: it did not renew. */
  readonly state: "active" | "silent" | "stale" | "expired" | "revoked";
  readonly created: Micros;
  /** End of its newest certificate. */
  readonly expires?: Micros;
  readonly report?: KeptReport;
  readonly revoked?: { readonly at: Micros; readonly reason: string };
}

export interface Enrolled extends MachineName {
  readonly id: string;
  readonly certificate: string;
  /** The authority's. */
  readonly authority: string;
  readonly expires: Micros;
  /** From then on it is to be renewed. */
  readonly renew_after: Micros;
}

/** Long enough to carry a token to a node, short enough that one left in a shell's history is of no use. */
export const tokenLifetime: Micros = 3_600_000_000;
/** A renewal every half life makes two; the rest is for renewals that were answered and never arrived. */
const maxCertificates = 16;
/** A cluster of 5,000 nodes with some roles each. */
const maxMachines = 50_000;
const prefix = "vdm_";
const second: Micros = 1_000_000;

export interface RegisterOptions {
  readonly store: MachineStore;
  readonly authority: Authority;
  readonly clock: Clock;
  /** Hours that a machine's certificate lives; 24 at most. */
  readonly lifetime_h?: number;
  /** Other processes keep theirs in the same store: it is read again before it is changed, and what machines say is written while it still holds. */
  readonly shared?: boolean;
}

const same = (before: KeptReport | undefined, { address, version, roles, health, detail }: Omit<Report, "ttl_s">): boolean =>
  before?.address === address &&
  before?.version === version &&
  before?.roles?.join() === roles?.join() &&
  before?.health === health &&
  before?.detail === detail;
const bodyOf = ({ expires: _, ...body }: Enrolment): string => JSON.stringify(body);

export class Register {
  readonly authority: Authority;
  readonly #options: RegisterOptions;
  readonly #machines = new Map<string, Machine>();
  readonly #certificates = new Map<string, Certificate>();
  /** Serials by machine. */
  readonly #serials = new Map<string, Set<string>>();
  readonly #enrolments = new Map<string, Enrolment>();
  /** What this process wrote of whom last; where others read it too. */
  readonly #written = new Map<string, KeptReport>();
  /** Changes go one after the other: a token that is used twice at once is used once. */
  readonly #change = inTurn();

  private constructor(options: RegisterOptions) {
    this.#options = options;
    this.authority = options.authority;
  }

  static async open(options: RegisterOptions): Promise<Register> {
    const register = new Register(options);
    await register.#load();
    return register;
  }

  /** Takes over what other processes changed. */
  reload(): Promise<void> {
    return this.#change(() => this.#load());
  }

  async #load(): Promise<void> {
    const { store, clock } = this.#options;
    const { machines, certificates, enrolments } = await store.load(clock.now());
    const heard = new Map([...this.#machines].map(([id, { report }]) => [id, report]));
    for (const all of [this.#machines, this.#certificates, this.#serials, this.#enrolments]) all.clear();
    for (const { id, body } of machines) {
      const machine = JSON.parse(body) as Machine;
      const here = heard.get(id);
      this.#machines.set(id, here !== undefined && here.at > (machine.report?.at ?? 0) ? { ...machine, report: here } : machine);
    }
    for (const { serial, machine, expires, body } of certificates)
      this.#know({ ...(JSON.parse(body) as Pick<Certificate, "from" | "revoked">), serial, machine, expires });
    for (const { hash: key, expires, body } of enrolments)
      this.#enrolments.set(key, { ...(JSON.parse(body) as Omit<Enrolment, "expires">), expires });
  }

  /** A change, of what there is by now. */
  #changing<T>(work: () => Promise<T>): Promise<T> {
    return this.#change(async () => {
      if (this.#options.shared) await this.#load();
      return await work();
    });
  }

  /** A token that one machine of this name and role may be enrolled with, once, within the hour. It also names the authority to be trusted. */
  async token(name: MachineName, by: string): Promise<{ readonly token: string; readonly expires: Micros }> {
    if (name.role === serverRole) throw new BadInputError("bad_request", `role: ${serverRole} is the server's own; choose another`);
    return this.#change(async () => {
      const now = this.#options.clock.now();
      this.#forget(now);
      if (this.#machines.size + this.#enrolments.size >= maxMachines)
        throw new BadInputError("conflict", `there are ${maxMachines} machines and tokens already`);
      const token = `${prefix}${randomBytes(32).toString("base64url")}.${this.authority.fingerprint}`;
      const enrolment = { machine: idOfMachine(name), created: now, expires: now + tokenLifetime, by };
      await this.#saveEnrolment(tokenHash(token), enrolment);
      return { token, expires: enrolment.expires };
    });
  }

  /** Whom a token is for, used or not, as far as this process knows. */
  machineOf(token: string): string | undefined {
    return this.#enrolments.get(tokenHash(token))?.machine;
  }

  /**
   * Uses a token up. The certificates that the machine had are revoked: there is one machine of a name.
   * @param request PEM @throws BadInputError `unauthorised` (unknown, expired, used before), `bad_request`, `forbidden` (asks for another name)
   */
  enrol(token: string, request: string): Promise<Enrolled> {
    const wanted = readRequest(request);
    return this.#changing(async () => {
      const { clock, store } = this.#options;
      const now = clock.now();
      const key = tokenHash(token);
      const found = this.#enrolments.get(key);
      if (found === undefined || found.expires <= now) throw new BadInputError("unauthorised", "no enrolment token like this is open");
      const usedBefore = () =>
        new BadInputError(
          "unauthorised",
          `the enrolment token of ${found.machine} was used before; if that was not you, revoke ${found.machine}`,
        );
      if (found.used !== undefined) throw usedBefore();
      const name = readMachineId(found.machine);
      this.#checkNames(wanted, name);
      // used up first: a crash between the two costs a token, never gives a second certificate
      const used = { ...found, used: now };
      // another process may have been asked with it at the same moment
      if (!(await store.replaceEnrolment(key, bodyOf(found), bodyOf(used)))) throw usedBefore();
      this.#enrolments.set(key, used);
      await this.#revokeAll(found.machine);
      await this.#saveMachine(found.machine, { created: now });
      return await this.#issue(name, wanted);
    });
  }

  /** Another certificate for a machine that has a valid one. @throws BadInputError `forbidden`, `bad_request`, `conflict` */
  renew(serial: string, request: string): Promise<Enrolled> {
    const wanted = readRequest(request);
    return this.#changing(async () => {
      const held = this.#certificates.get(serial);
      if (held === undefined) throw new BadInputError("forbidden", "this certificate is of no machine here");
      const refusal = this.refusal(held.machine, serial);
      if (refusal !== undefined) throw new BadInputError("forbidden", refusal);
      const name = readMachineId(held.machine);
      this.#checkNames(wanted, name);
      if (this.#valid(held.machine).length >= maxCertificates)
        throw new BadInputError("conflict", `${held.machine} has ${maxCertificates} valid certificates already; wait until some expire`);
      return await this.#issue(name, wanted);
    });
  }

  /** Every certificate of a machine, and tokens for it that are still open; how many that was. @throws BadInputError `not_found` */
  revoke(id: string, reason: string): Promise<number> {
    return this.#changing(async () => {
      const open = [...this.#enrolments].filter(([, one]) => one.machine === id && one.used === undefined);
      if (!this.#machines.has(id) && open.length === 0) throw new BadInputError("not_found", `no machine ${id}`);
      const now = this.#options.clock.now();
      for (const [key, one] of open) await this.#saveEnrolment(key, { ...one, used: now });
      const machine = this.#machines.get(id);
      // the machine first: from then on no certificate of it holds
      if (machine !== undefined) await this.#saveMachine(id, { ...machine, revoked: { at: now, reason } });
      return open.length + (await this.#revokeAll(id));
    });
  }

  /** What a machine says of itself. Only what is new is written: thousands say each half minute that all is as it was. */
  report(id: string, { ttl_s, ...said }: Report): Promise<MachineLine> {
    readMachineId(id);
    return this.#change(async () => {
      const now = this.#options.clock.now();
      const before = this.#machines.get(id);
      const report: KeptReport = { ...said, at: now, until: now + ttl_s * second };
      const written = this.#written.get(id);
      // others know it from the store: it is written again when half of what stands there is over
      const lapses = this.#options.shared === true && (written === undefined || now - written.at >= (written.until - written.at) / 2);
      if (same(before?.report, said) && !lapses) {
        const machine = { ...before!, report };
        this.#machines.set(id, machine);
        return this.#line(id, machine);
      }
      if (this.#options.shared) await this.#load();
      const machine = { ...(this.#machines.get(id) ?? { created: now }), report };
      await this.#saveMachine(id, machine);
      this.#written.set(id, report);
      return this.#line(id, machine);
    });
  }

  /** By id. */
  list(): readonly MachineLine[] {
    return [...this.#machines].map(([id, machine]) => this.#line(id, machine)).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Why a certificate that TLS found good is not; asked at each handshake and each request. */
  refusal(id: string, serial: string): string | undefined {
    const machine = this.#machines.get(id);
    if (machine === undefined) return `${id} is no machine here`;
    return machine.revoked !== undefined || this.#certificates.get(serial)?.revoked !== undefined ? `${id} was revoked` : undefined;
  }

  /** Of certificates that would be valid otherwise. */
  revoked(): readonly RevokedCertificate[] {
    const now = this.#options.clock.now();
    return [...this.#certificates.values()]
      .filter(({ revoked, expires }) => revoked !== undefined && expires > now)
      .map(({ serial, revoked }) => ({ serial, at: new Date(revoked! / 1_000) }));
  }

  #line(id: string, { created, report, revoked }: Machine): MachineLine {
    const now = this.#options.clock.now();
    const expires = Math.max(...this.#certificatesOf(id).map((one) => one.expires));
    const state = (): MachineLine["state"] => {
      if (revoked !== undefined) return "revoked";
      // the roles of this very process have no certificate here and report all the same
      if (report === undefined) return expires > now ? "silent" : "expired";
      if (report.until > now) return "active";
      return expires > now || expires < 0 ? "stale" : "expired";
    };
    return {
      id,
      ...readMachineId(id),
      state: state(),
      created,
      ...(expires > 0 && { expires }),
      ...(report && { report }),
      ...(revoked && { revoked }),
    };
  }

  #certificatesOf(id: string): readonly Certificate[] {
    return [...(this.#serials.get(id) ?? [])].map((serial) => this.#certificates.get(serial)!);
  }
  #valid(id: string): readonly Certificate[] {
    const now = this.#options.clock.now();
    return this.#certificatesOf(id).filter(({ revoked, expires }) => revoked === undefined && expires > now);
  }

  /** A request may leave its names out; what it names must be this machine. */
  #checkNames({ names }: CertificateRequest, name: MachineName): void {
    const uri = `URI:${spiffeId(this.authority.trustDomain, name)}`;
    const allowed = new Set([name.name, idOfMachine(name), uri, uri.slice(4)]);
    const other = names.find((one) => !allowed.has(one));
    if (other !== undefined)
      throw new BadInputError("forbidden", `request: asks for the name ${other.slice(0, 200)}; expected ${name.name} or ${uri.slice(4)}`);
  }

  async #issue(name: MachineName, { publicKey }: CertificateRequest): Promise<Enrolled> {
    const { serial, certificate, from, to } = this.authority.issue(name, publicKey, this.#options.lifetime_h ?? maxLifetime_h);
    const id = idOfMachine(name);
    const now = this.#options.clock.now();
    this.#forget(now);
    const expires = to.getTime() * 1_000;
    await this.#saveCertificates([{ serial, machine: id, from: Math.max(from.getTime() * 1_000, now), expires }]);
    return { id, ...name, certificate, authority: this.authority.certificate, expires, renew_after: now + Math.floor((expires - now) / 2) };
  }

  async #revokeAll(id: string): Promise<number> {
    const now = this.#options.clock.now();
    const mine = this.#valid(id);
    if (mine.length > 0) await this.#saveCertificates(mine.map((one) => ({ ...one, revoked: now })));
    return mine.length;
  }

  #know(certificate: Certificate): void {
    const { serial, machine } = certificate;
    this.#certificates.set(serial, certificate);
    this.#serials.set(machine, (this.#serials.get(machine) ?? new Set()).add(serial));
  }

  /** What expired is of no more use: it is refused by its date. */
  #forget(now: Micros): void {
    for (const [key, { expires }] of this.#enrolments) if (expires <= now) this.#enrolments.delete(key);
    for (const [serial, { machine, expires }] of this.#certificates)
      if (expires <= now) {
        this.#certificates.delete(serial);
        this.#serials.get(machine)?.delete(serial);
      }
  }

  async #saveEnrolment(key: string, enrolment: Enrolment): Promise<void> {
    await this.#options.store.save({ enrolments: [{ hash: key, expires: enrolment.expires, body: bodyOf(enrolment) }] });
    this.#enrolments.set(key, enrolment);
  }
  async #saveMachine(id: string, machine: Machine): Promise<void> {
    await this.#options.store.save({ machines: [{ id, body: JSON.stringify(machine) }] });
    this.#machines.set(id, machine);
  }
  async #saveCertificates(all: readonly Certificate[]): Promise<void> {
    const rows = all.map(({ serial, machine, expires, ...body }) => ({ serial, machine, expires, body: JSON.stringify(body) }));
    await this.#options.store.save({ certificates: rows });
    for (const one of all) this.#know(one);
  }
}
