/** Says in plain words why somebody may do something or not: which grant, role, scope or condition decided. Decides nothing itself. */
import { compile, type Readable, sightOf } from "@vedette/condition";
import { type Permission, type Role, roles } from "./permission.ts";
import { grantsFor, isLimited, readRows, viewOf } from "./policy.ts";
import { callerOf, type Grant, type Principal } from "./principal.ts";

export interface Explanation {
  readonly allowed: boolean;
  /** What decided, the first most. */
  readonly because: readonly string[];
}

/** @param resource an event that this would be done to or read of */
export function explain(principal: Principal, permission: Permission, tenant = "main", resource?: Readable): Explanation {
  const grants = grantsFor(principal, permission, tenant);
  const who = callerOf(principal);
  if (grants.length === 0) return { allowed: false, because: [`${who} may not ${permission}: ${whyNot(principal, permission, tenant)}`] };
  const by = grants.map((grant) => `the grant ${grantText(grant)} holds ${permission}`);
  const view = viewOf(grants);
  if (resource === undefined || view === undefined) return { allowed: true, because: [...by, ...(view ? [limits] : [])] };
  const shows = sightOf(view)(resource);
  const judged = grants.map((grant) => judgement(grant, resource));
  if (shows === undefined) return { allowed: false, because: [`no grant lets ${who} see this event`, ...judged] };
  const hidden = Object.keys(resource.fields).filter((field) => !shows(field));
  return { allowed: true, because: [...judged, ...(hidden.length > 0 ? [`masked in it: ${hidden.sort().join(", ")}`] : [])] };
}

const limits = "limited to what rows and masks leave: everything else answers as if it were not there";

/** The one reason that stands in the way. */
export function whyNot(principal: Principal, permission: Permission, tenant = "main"): string {
  if (principal.kind === "source") return "a source's token may only deliver records";
  if (principal.kind === "machine") return "a machine may deliver its own records and look up the others";
  if (principal.scope !== undefined && !principal.scope.includes(permission))
    return `this key is for ${principal.scope.join(", ") || "nothing"} only`;
  if (grantsFor(principal, permission, tenant).length > 0) return "it is granted for some rows or fields only";
  const holding = principal.grants.filter((grant) => (roles[grant.role] as readonly Permission[] | undefined)?.includes(permission));
  if (principal.kind === "shared" && holding.length > 0)
    return "a token that several people share can neither request nor approve an action; sign in by name";
  if (holding.length > 0)
    return `the grants that hold it are for ${holding.map((one) => one.tenant ?? "main").join(", ")}, not for ${tenant}`;
  const held = [...new Set(principal.grants.map((grant) => grant.role))];
  return `${held.length === 0 ? "there is no grant" : `${held.join(" and ")} ${held.length === 1 ? "does" : "do"} not hold it`}; ${holders(permission)}`;
}

function holders(permission: Permission): string {
  const names = (Object.keys(roles) as Role[]).filter((role) => (roles[role] as readonly Permission[]).includes(permission));
  return `${names.length === 1 ? "the role" : "the roles"} ${names.join(", ")} would`;
}

function grantText({ role, tenant, rows, masks = [] }: Grant): string {
  const of = [tenant && `tenant ${tenant}`, rows !== undefined && `rows ${rows}`, masks.length > 0 && `masks ${masks.join(" ")}`];
  const said = of.filter((one) => one !== undefined && one !== false);
  return said.length === 0 ? role : `${role} (${said.join("; ")})`;
}

function judgement(grant: Grant, resource: Readable): string {
  if (!isLimited(grant) || grant.rows === undefined) return `the grant ${grantText(grant)} reaches every row`;
  const read = readRows(grant.rows);
  if ("problem" in read) return `the grant ${grantText(grant)} reaches nothing: its rows do not read (${read.problem})`;
  return `the grant ${grantText(grant)} ${compile(read.rows)(resource) ? "reaches it" : "does not reach it"}`;
}
