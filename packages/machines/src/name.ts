/** What machines are called: `spiffe://TRUST_DOMAIN/ROLE/NAME` in certificates, `ROLE:NAME` everywhere else. Knows no certificate. */
import { BadInputError, z } from "@vedette/kit";

export interface MachineName {
  readonly role: string;
  /** Also the source that its records are of. */
  readonly name: string;
}

export const rolePattern = /^[a-z][a-z0-9_-]{0,31}$/;
/** As sources are named. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;
/** SPIFFE-ID, section 2.1, and no longer than a host name. */
export const trustDomainPattern = /^[a-z0-9][a-z0-9._-]{0,252}$/;

/** Of the server's own process, which has its certificate from itself: nobody enrols as it. */
export const serverRole = "server";

export const machineNameSchema = z.strictObject({
  role: z.string().regex(rolePattern, "expected a lower case word such as agent, at most 32 characters"),
  name: z.string().regex(namePattern, "expected letters, digits, . _ - (at most 128)"),
});

export const idOfMachine = ({ role, name }: MachineName): string => `${role}:${name}`;

/** @throws BadInputError `bad_request` */
export function readMachineId(id: string): MachineName {
  const at = id.indexOf(":");
  const found = { role: id.slice(0, Math.max(at, 0)), name: id.slice(at + 1) };
  if (!rolePattern.test(found.role) || !namePattern.test(found.name))
    throw new BadInputError("bad_request", "machine: expected ROLE:NAME, such as agent:node17");
  return found;
}

export const spiffeId = (domain: string, { role, name }: MachineName): string => `spiffe://${domain}/${role}/${name}`;

/** The parts of a SPIFFE id; undefined for anything else, a path of another depth included. */
export function readSpiffeId(uri: string): (MachineName & { readonly domain: string }) | undefined {
  const match = /^spiffe:\/\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(uri);
  const [, domain = "", role = "", name = ""] = match ?? [];
  return trustDomainPattern.test(domain) && rolePattern.test(role) && namePattern.test(name) ? { domain, role, name } : undefined;
}
