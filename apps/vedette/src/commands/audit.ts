/** `vedette audit list | head | erase`: reading the audit trail of a running server; taking content out of that of a stopped one. */
import { resolve } from "node:path";
import { type AuditRecord, AuditTrail } from "@vedette/audit";
import { ConfigError, jsonText, systemClock } from "@vedette/kit";
import { openDataDirectory } from "@vedette/pipeline";
import { operator } from "../audit.ts";
import { connect, type ServerOptions } from "../client.ts";
import { loadConfig } from "../config/load.ts";
import { formOf, printRows, rangeOf } from "../output.ts";
import { openVault } from "../vault.ts";

interface Options extends ServerOptions {
  readonly limit: number;
  readonly user?: string;
  readonly action?: string;
  readonly outcome?: "success" | "failure" | "unknown";
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly output?: string;
  readonly json?: boolean;
}
interface Row {
  readonly n: number;
  readonly time: string;
  readonly hash: string;
  readonly fields?: { readonly [name: string]: unknown };
  readonly erased?: { readonly by: string; readonly reason: string };
}

/** The server's own bound of a page. */
const pageSize = 500;
const columns = ["n", "time", "user", "from", "action", "outcome", "about"];

export async function list(options: Options): Promise<void> {
  const client = connect(options);
  const wanted = options.limit;
  const found: Row[] = [];
  const filter = { ...rangeOf(options), user: options.user, action: options.action, outcome: options.outcome };
  for (let cursor: string | undefined; found.length < wanted; ) {
    const page = await client.get("/audit", { query: { ...filter, limit: Math.min(pageSize, wanted - found.length), cursor } });
    found.push(...page.records);
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  const form = formOf(options);
  printRows(form === "json" || form === "ndjson" ? found.map((one) => ({ ...one })) : found.map(row), columns, form, "no record");
}

function row({ n, time, fields, erased }: Row) {
  if (fields === undefined)
    return { n, time, user: "", from: "", action: "(erased)", outcome: "", about: `by ${erased?.by}: ${erased?.reason}` };
  const known = new Set(["event.action", "event.outcome", "user.name", "source.ip", "http.request.method", "http.response.status_code"]);
  const about = Object.entries(fields)
    .filter(([name]) => !known.has(name) && name !== "vedette.audit.session")
    .map(([name, value]) => `${name.replace("vedette.audit.", "")}=${String(value)}`)
    .join(" ");
  return {
    n,
    time,
    user: fields["user.name"],
    from: fields["source.ip"],
    action: fields["event.action"],
    outcome: fields["event.outcome"],
    about,
  };
}

/** Prints the newest signed head: one line to append to a file elsewhere. */
export async function head(options: ServerOptions): Promise<void> {
  process.stdout.write(`${jsonText(await connect(options).get("/audit/head"))}\n`);
}

interface EraseOptions {
  readonly dataDir?: string;
  readonly before?: string;
  readonly user?: string;
  readonly reason: string;
  readonly yes?: boolean;
}

/** Takes the content of records away for good, on the record; without --yes it says how many that would be. */
export async function erase({ dataDir, before, user, reason, yes }: EraseOptions): Promise<void> {
  const until = before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before) * 1_000;
  if (Number.isNaN(until)) throw new ConfigError("config_invalid", `--before ${before}: expected a time, e.g. 2026-01-31T00:00:00Z`);
  if (before === undefined && user === undefined)
    throw new ConfigError("config_invalid", "say what to erase: --before TIME, --user NAME or both");
  const wanted = ({ time, fields }: AuditRecord) =>
    fields !== undefined && time < until && (user === undefined || fields["user.name"] === user);
  const directory = openDataDirectory(resolve(dataDir ?? process.env["VEDETTE_DATA"] ?? "./data"));
  try {
    const say = (_: string, message: string | undefined) => void (message && process.stderr.write(`${message}\n`));
    const secrets = await openVault(loadConfig(undefined, process.env).config, directory.path);
    const trail = await AuditTrail.open({ directory: directory.path, clock: systemClock, secrets, heads: [], onProblem: say });
    const count = yes ? await trail.erase(wanted, { reason, by: operator() }) : await trail.count(wanted);
    await trail.close();
    process.stdout.write(
      yes
        ? `${count} records erased; who did it and why stands in their place.\n`
        : `${count} records would lose their content; add --yes.\n`,
    );
  } finally {
    directory.release();
  }
}
