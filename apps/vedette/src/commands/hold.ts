/** `vedette hold add|list|release`: events of a case that retention leaves alone. */
import { connect, type ServerOptions } from "../client.ts";
import { formOf, printRows, rangeOf, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly output?: string;
  readonly json?: boolean;
}

export async function add(
  alerts: readonly string[],
  options: Options & {
    readonly reason: string;
    readonly query?: string;
    readonly since?: string;
    readonly from?: string;
    readonly to?: string;
  },
): Promise<void> {
  const { query: q, reason } = options;
  const range = rangeOf(options);
  const until = q === undefined || range.to !== undefined ? {} : { to: new Date().toISOString() };
  const made = await connect(options).post("/holds", {
    body: { alerts: [...alerts], reason, ...(q !== undefined && { q }), ...range, ...until },
  });
  if (formOf(options) !== "table") return printRows([made], ["id", "at", "by", "reason"], formOf(options));
  process.stdout.write(`${made.id}\n`);
  process.stderr.write(`held until: vedette hold release ${made.id} --reason TEXT\n`);
}

export async function list(options: Options & { readonly all?: boolean }): Promise<void> {
  const { holds } = await connect(options).get("/holds");
  const shown = options.all ? holds : holds.filter(({ released }) => released === undefined);
  const form = formOf(options);
  const rows = shown.map((one) => ({
    id: one.id,
    at: one.at,
    by: one.by,
    state: one.released === undefined ? "in force" : `released ${one.released.at} by ${one.released.by}`,
    holds: [...one.alerts, ...(one.q === undefined ? [] : [`${one.q} (${one.from} to ${one.to})`])].join(", "),
    reason: one.reason,
  }));
  printRows(
    form === "json" || form === "ndjson" ? shown.map((one) => ({ ...one })) : rows,
    ["id", "at", "by", "state", "holds", "reason"],
    form,
    "no hold",
  );
}

export async function release(id: string, options: Options & { readonly reason: string }): Promise<void> {
  await connect(options).post("/holds/{id}/release", { path: { id }, body: { reason: options.reason } });
  process.stderr.write(`${safe(id)} is released; retention takes what is due at its next round\n`);
}
