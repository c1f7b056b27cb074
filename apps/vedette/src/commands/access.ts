/** `vedette access roles|explain`: what may be permitted, and why somebody may or may not do something. */
import { permissions, type Role, roles } from "@vedette/access";
import { ConfigError } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { nearest } from "../config/nearest.ts";
import { formOf, printRows, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/** Needs no server: the roles are the program's. */
export function printRoles(options: Options): void {
  const names = Object.keys(roles) as Role[];
  const rows = permissions.map((permission) => {
    const marks = names.map((role) => [role, (roles[role] as readonly string[]).includes(permission) ? "yes" : ""] as const);
    return { permission, ...Object.fromEntries(marks) };
  });
  printRows(rows, ["permission", ...names], formOf(options));
}

/** Exit code 1: it may not. */
export async function explain(user: string, action: string, resource: string | undefined, options: Options): Promise<void> {
  const known = permissions.find((one) => one === action);
  if (known === undefined) {
    const closest = nearest(action, permissions);
    throw new ConfigError("config_invalid", `there is no action ${action}${closest === undefined ? "" : `; did you mean ${closest}?`}`);
  }
  const { allowed, because, ...rest } = await connect(options).get("/access/explain", {
    query: { user, action: known, ...(resource === undefined ? {} : { resource }) },
  });
  if (formOf(options) !== "table") printRows([{ ...rest, allowed, because }], ["user", "action", "allowed", "because"], formOf(options));
  else process.stdout.write(`${allowed ? "yes" : "no"}\n${because.map((one) => `  ${safe(one)}\n`).join("")}`);
  if (!allowed) process.exitCode = 1;
}
