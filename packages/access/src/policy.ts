/** Who may do what: decides on a principal and a permission, and says which rows and fields come with it. Denies what no grant allows. Knows no route. */
import { always, type Condition, compile, never, parseQuery, type View } from "@vedette/condition";
import { type Permission, permissions, type Role, roles } from "./permission.ts";
import type { Grant, Principal } from "./principal.ts";

const mainTenant = "main";
const holds: { readonly [R in Role]: ReadonlySet<Permission> } = Object.fromEntries(
  Object.entries(roles).map(([role, of]) => [role, new Set(of)]),
) as never;
/** A machine sees where the others are. */
const ofMachines: ReadonlySet<Permission> = new Set(["machines:read"]);
/** What needs one person to answer for it. */
const ofPersons: ReadonlySet<Permission> = new Set(["actions:request", "actions:approve"]);

const none: readonly Grant[] = [];
const everything: readonly Grant[] = [{ role: "viewer" }];

/** A grant that reaches only some rows, or not all of their fields. */
export const isLimited = ({ rows, masks }: Grant): boolean => rows !== undefined || (masks !== undefined && masks.length > 0);

/** The grants that let a principal do this; empty: it may not. */
export function grantsFor(principal: Principal, permission: Permission, tenant = mainTenant): readonly Grant[] {
  if (principal.kind === "source") return none;
  if (principal.kind === "machine") return ofMachines.has(permission) ? everything : none;
  if (principal.kind === "shared" && ofPersons.has(permission)) return none;
  if (principal.scope !== undefined && !principal.scope.includes(permission)) return none;
  return principal.grants.filter((grant) => (grant.tenant ?? mainTenant) === tenant && holds[grant.role]?.has(permission));
}

/** May it, without any limit of rows or fields? */
export const mayFully = (principal: Principal, permission: Permission, tenant?: string): boolean =>
  grantsFor(principal, permission, tenant).some((grant) => !isLimited(grant));

/** Everything a principal may do, limited or not. */
export const permissionsOf = (principal: Principal, tenant?: string): readonly Permission[] =>
  permissions.filter((one) => grantsFor(principal, one, tenant).length > 0);

/** What grants let see; undefined: everything. */
export function viewOf(grants: readonly Grant[]): View | undefined {
  if (grants.some((grant) => !isLimited(grant))) return undefined;
  return { parts: grants.map(({ rows, masks = [] }) => ({ rows: rows === undefined ? always : rowsIn(rows), masks })) };
}

/** Written by administrators, a few to a person. */
const maxRemembered = 1_000;
const remembered = new Map<string, Condition>();

/** Read once. What does not read lets nothing through. */
function rowsIn(text: string): Condition {
  let rows = remembered.get(text);
  if (rows === undefined) {
    const read = readRows(text);
    rows = "rows" in read ? read.rows : never;
    if (remembered.size >= maxRemembered) remembered.clear();
    remembered.set(text, rows);
  }
  return rows;
}

/** The rows of a grant, or what is wrong with them, for whoever writes one. */
export function readRows(text: string): { readonly rows: Condition } | { readonly problem: string } {
  const read = parseQuery(text);
  if (!read.ok) return { problem: `at ${read.position}: ${read.message}` };
  const { where, ...pipes } = read.query;
  if (Object.keys(pipes).length > 0) return { problem: "pipes are for queries; rows take a filter only" };
  const unfit = unfitFor(where);
  if (unfit !== undefined) return { problem: unfit };
  try {
    compile(where);
  } catch (error) {
    return { problem: (error as Error).message };
  }
  return { rows: where };
}

/** Rows are judged on events and on what alerts keep of them, wherever those are: by fields that both have. */
function unfitFor(where: Condition): string | undefined {
  switch (where.op) {
    case "and":
    case "or":
      return where.of.map(unfitFor).find((one) => one !== undefined);
    case "not":
      return unfitFor(where.of);
    case "keyword":
      return `a word without a field (${where.value.slice(0, 40)}): rows name the field that tells them apart`;
    default:
      return where.field === "@timestamp" ? "@timestamp: rows are told apart by fields, not by time" : undefined;
  }
}

/** What is wrong with a mask: it names a field, or the beginning of names. */
export const maskProblem = (mask: string): string | undefined =>
  /^[A-Za-z_@][A-Za-z0-9_.@-]*\*?$|^\*$/.test(mask) && mask.length <= 200 && mask !== "@timestamp"
    ? undefined
    : `${mask.slice(0, 80)}: expected the name of a field, with * at its end for all that begin so`;
