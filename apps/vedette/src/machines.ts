/** The machines' part of a running server: register, TLS port, and what the server says there of itself. No logic of certificates. */
import { hostname, networkInterfaces } from "node:os";
import type { AuditTrail } from "@vedette/audit";
import { RateLimit, type Secrets, systemClock } from "@vedette/kit";
import { Authority, idOfMachine, type ListenerOptions, MachineListener, namePattern, Register, serverRole } from "@vedette/machines";
import type { Runtime } from "@vedette/pipeline";
import type { Store } from "@vedette/store";
import { readAddress } from "./config/address.ts";
import type { Loaded } from "./config/load.ts";

export interface Machines {
  readonly register: Register;
  readonly listener?: MachineListener;
}

interface Parts {
  readonly secrets: Secrets;
  readonly store: Pick<Store, "machines">;
  /** Other processes keep theirs there too. */
  readonly shared: boolean;
  readonly audit: AuditTrail;
  readonly handle: ListenerOptions["handle"];
}

/** Refused connections that get a record each: whoever tries thousands must not fill the disk. */
const refusalsPerMinute = 60;
const refusalsAtOnce = 20;
/** Said three times before it no longer holds. */
const report_ms = 30_000;
const report_ttl_s = 90;

const own = () => ({ role: serverRole, name: namePattern.test(hostname()) ? hostname() : "server" });

/** Of several processes on a host each goes by the port it answers at. */
const ownId = (url: string, roles: readonly string[] | undefined): string => {
  const { role, name } = own();
  return idOfMachine({ role, name: roles === undefined ? name : `${name}.${new URL(url).port}` });
};

/** @throws ConfigError `config_invalid` */
export async function openMachines({ config, place }: Loaded, { secrets, store, shared, audit, handle }: Parts): Promise<Machines> {
  const { listen, trust_domain, hosts, certificate_hours } = config.machines;
  const authority = await Authority.open({ secrets, clock: systemClock, trustDomain: trust_domain });
  const register = await Register.open({ store: store.machines, authority, clock: systemClock, lifetime_h: certificate_hours, shared });
  if (listen === undefined) return { register };
  const { host, port } = readAddress(listen, ["machines", "listen"], place);
  const refusals = new RateLimit(refusalsPerMinute, refusalsAtOnce);
  const listener = new MachineListener({
    register,
    clock: systemClock,
    host,
    port,
    hosts: [...new Set([...hosts, ...addressesOf(host), hostname(), "localhost"])],
    self: own(),
    handle,
    onRefused: (peer, reason) => {
      if (refusals.take("all", systemClock.now()) > 0) return;
      const fields = { "event.reason": reason.slice(0, 500) };
      const by = { user: "unknown", ...(peer !== undefined && { ip: peer }) };
      void audit.record({ action: "machine_refused", outcome: "failure", by, fields }).catch(() => {});
    },
  });
  return { register, listener };
}

/** What a server that listens there is reached by. */
function addressesOf(host: string): readonly string[] {
  if (host !== "0.0.0.0" && host !== "::") return [host, "127.0.0.1", "::1"];
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return [hostname(), ...addresses.map(({ address }) => address.replace(/%.*$/, ""))];
}

export interface Self {
  readonly url: string;
  readonly version: string;
  /** Of one of several processes. */
  readonly roles: readonly string[] | undefined;
}

/** Says where this process is, what it does and how it is, until told to stop. */
export async function reportSelf(register: Register, runtime: Runtime, { url, version, roles }: Self, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { ready, problems } = await runtime.ready();
    const said = {
      address: url,
      version,
      ...(roles && { roles }),
      health: ready ? ("ok" as const) : ("degraded" as const),
      ttl_s: report_ttl_s,
    };
    const [problem] = problems;
    // a state store that does not answer is told of elsewhere
    await register.report(ownId(url, roles), { ...said, ...(problem && { detail: problem.message.slice(0, 500) }) }).catch(() => {});
    await systemClock.sleep(report_ms, signal);
  }
}
