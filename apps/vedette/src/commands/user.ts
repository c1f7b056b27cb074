/** `vedette user list|add|set|disable|enable|remove|reset|sessions|revoke`: people, through the running server. */
import { ConfigError, VedetteError } from "@vedette/kit";
import { connect, type Server, type ServerOptions } from "../client.ts";
import { formOf, printRows, safe } from "../output.ts";

export interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

interface Given extends Options {
  readonly role?: readonly string[];
  readonly rows?: string;
  readonly mask?: readonly string[];
  readonly displayName?: string;
  readonly email?: string;
}
type User = Awaited<ReturnType<typeof find>>;

const columns = ["name", "roles", "state", "totp", "sessions", "last_sign_in", "id"];

export async function list(options: Options): Promise<void> {
  const { users } = await connect(options).get("/users");
  const form = formOf(options);
  printRows(
    form === "json" || form === "ndjson" ? users : users.map(row),
    columns,
    form,
    "nobody; add somebody with: vedette user add NAME --role admin",
  );
}

export async function add(name: string, options: Given): Promise<void> {
  const body = { name, grants: grantsOf(options) ?? [], ...profileOf(options) };
  const made = await connect(options).post("/users", { body });
  shown(`${made.user.name} is ${rolesOf(made.user) || "without a role"}`, made, options);
}

export async function set(name: string, options: Given & { readonly name?: string }): Promise<void> {
  const grants = grantsOf(options);
  const body = { ...(grants && { grants }), ...(options.name !== undefined && { name: options.name }), ...profileOf(options) };
  if (Object.keys(body).length === 0)
    throw new ConfigError("config_invalid", "say what to set: --role (with --rows and --mask), --name, --display-name or --email");
  await change(name, options, body);
}

export const disable = (name: string, options: Options) => change(name, options, { disabled: true });
export const enable = (name: string, options: Options) => change(name, options, { disabled: false });

export async function remove(name: string, options: Options): Promise<void> {
  const server = connect(options);
  const { id } = await find(server, name);
  await server.delete("/users/{id}", { path: { id } });
  process.stderr.write(`${safe(name)} is removed; what was done stays in the audit trail\n`);
}

export async function reset(name: string, options: Options & { readonly keepTotp?: boolean }): Promise<void> {
  const server = connect(options);
  const { id } = await find(server, name);
  const made = await server.post("/users/{id}/reset", { path: { id }, body: { keep_totp: options.keepTotp === true } });
  shown(`${made.user.name} is signed out everywhere`, made, options);
}

export async function sessions(name: string | undefined, options: Options): Promise<void> {
  const server = connect(options);
  const found =
    name === undefined
      ? await server.get("/sessions")
      : await server.get("/users/{id}/sessions", { path: { id: (await find(server, name)).id } });
  printRows(found.sessions, ["user", "kind", "by", "created", "used", "expires", "ip", "agent", "id"], formOf(options), "no session");
}

export async function revoke(name: string | undefined, options: Options & { readonly session?: string }): Promise<void> {
  const server = connect(options);
  if ((name === undefined) === (options.session === undefined))
    throw new ConfigError("config_invalid", "say whose sessions to end: NAME, or --session ID for one");
  if (options.session !== undefined) await server.delete("/sessions/{id}", { path: { id: options.session } });
  else await server.delete("/users/{id}/sessions", { path: { id: (await find(server, name!)).id } });
  process.stderr.write("ended\n");
}

async function change(name: string, options: Options, body: object): Promise<void> {
  const server = connect(options);
  const { id } = await find(server, name);
  const after = await server.patch("/users/{id}", { path: { id }, body });
  if (formOf(options) === "table")
    process.stderr.write(`${safe(after.name)}: ${safe(rolesOf(after)) || "no role"}${after.disabled ? ", disabled" : ""}\n`);
  else printRows([after], columns, formOf(options));
}

/** People are named on the command line, ids are the API's. @throws VedetteError `not_found` */
async function find(server: Server, name: string) {
  const { users } = await server.get("/users");
  const found = users.find((one) => one.name === name.toLowerCase());
  if (found === undefined)
    throw new VedetteError("not_found", true, `there is nobody named ${safe(name)}; vedette user list shows who there is`);
  return found;
}

/** One grant a role, each with the rows and masks; undefined where no role is named. */
function grantsOf({ role = [], rows, mask = [] }: Given) {
  if (role.length === 0) {
    if (rows !== undefined || mask.length > 0)
      throw new ConfigError("config_invalid", "--rows and --mask are of a role: name it with --role");
    return undefined;
  }
  // which roles there are the server knows, and says
  return role.map((one) => ({ role: one as never, ...(rows !== undefined && { rows }), ...(mask.length > 0 && { masks: [...mask] }) }));
}

const profileOf = ({ displayName, email }: Given) => ({
  ...(displayName !== undefined && { display_name: displayName }),
  ...(email !== undefined && { email }),
});

const rolesOf = ({ grants }: User): string => grants.map(({ role, rows }) => (rows === undefined ? role : `${role}(${rows})`)).join(" ");

const row = (user: User) => ({
  ...user,
  roles: rolesOf(user),
  state: user.disabled ? "disabled" : user.password === "initial" ? "invited" : "active",
  totp: user.totp ? "yes" : "no",
});

/** A first password goes to stdout alone, so that a script can hand it over. */
function shown(done: string, made: { readonly user: User; readonly initial_password?: string }, options: Options): void {
  const form = formOf(options);
  if (form !== "table") {
    printRows([made], ["user", "initial_password"], form);
    return;
  }
  process.stderr.write(`${safe(done)}; the first password is good for three days, and to be changed at the first sign-in\n`);
  process.stdout.write(`${made.initial_password ?? ""}\n`);
}
