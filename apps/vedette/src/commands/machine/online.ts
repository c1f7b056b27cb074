/** `vedette machine token | list | revoke | ca`: machines of a running server. */
import { resolve } from "node:path";
import { jsonText, systemClock, VedetteError } from "@vedette/kit";
import { MachineNode } from "@vedette/machines";
import { connect, type ServerOptions } from "../../client.ts";
import { formOf, printRows } from "../../output.ts";

interface TokenOptions extends ServerOptions {
  readonly command?: string;
  readonly json?: boolean;
}

export async function token(role: string, name: string, options: TokenOptions): Promise<void> {
  const client = connect(options);
  const { listening } = await client.get("/machines/authority");
  if (listening === undefined && options.command !== undefined)
    throw new VedetteError("conflict", true, "no port for machines is open: set machines.listen");
  if (listening === undefined) process.stderr.write("No port for machines is open: set machines.listen.\n");
  const made = await client.post("/machines/tokens", { body: { role, name } });
  process.stderr.write(`One machine may enrol as ${made.id} with it, once, until ${made.expires}. It is shown only now.\n`);
  if (options.json) process.stdout.write(`${jsonText(made)}\n`);
  else if (options.command === undefined) process.stdout.write(`${made.token}\n`);
  else {
    const quoted = `'${options.command.replaceAll("'", "'\\''")}'`;
    process.stdout.write(`VEDETTE_MACHINE_TOKEN=${made.token} vedette machine enrol --url ${listening} --dir ${quoted}\n`);
  }
}

interface ListOptions extends ServerOptions {
  readonly dir?: string;
  readonly output?: string;
  readonly json?: boolean;
}
interface Line {
  readonly id: string;
  readonly state: string;
  readonly expires?: string;
  readonly report?: {
    readonly health: string;
    readonly address?: string;
    readonly version?: string;
    readonly roles?: readonly string[];
    readonly at: string;
    readonly detail?: string;
  };
}

export async function list(options: ListOptions): Promise<void> {
  const { machines }: { readonly machines: readonly Line[] } =
    options.dir === undefined
      ? await connect(options).get("/machines")
      : await (await MachineNode.open({ directory: resolve(options.dir), clock: systemClock, ...apiPrefix() })).ask("GET", "/machines");
  const form = formOf(options);
  if (form === "json" || form === "ndjson")
    return printRows(
      machines.map((one) => ({ ...one })),
      [],
      form,
    );
  const rows = machines.map(({ id, state, expires, report }) => ({
    id,
    state,
    health: report?.health,
    address: report?.address,
    roles: report?.roles?.join(" "),
    version: report?.version,
    reported: report?.at,
    certificate_until: expires,
    detail: report?.detail,
  }));
  printRows(rows, ["id", "state", "health", "roles", "address", "version", "reported", "certificate_until", "detail"], form, "no machine");
}

/** Where the API is, if it is elsewhere. */
export const apiPrefix = (): { readonly prefix?: string } => {
  const prefix = process.env["API_V1_STR"];
  return prefix === undefined ? {} : { prefix };
};

export async function revoke(id: string, options: ServerOptions & { readonly reason: string }): Promise<void> {
  const { revoked } = await connect(options).delete("/machines/{id}", { path: { id }, query: { reason: options.reason } });
  process.stdout.write(`${id} is revoked: ${revoked} certificates and tokens.\n`);
}

export async function authority(options: ServerOptions & { readonly crl?: boolean }): Promise<void> {
  const found = await connect(options).get("/machines/authority");
  process.stderr.write(`Trust domain ${found.trust_domain}, SHA-256 ${found.fingerprint}\n`);
  process.stdout.write(options.crl ? found.revocation_list : found.certificate);
}
