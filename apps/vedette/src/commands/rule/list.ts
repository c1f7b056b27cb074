/** `vedette rule list | show`: the rules of a running server, with state, counts, and who decided. */

import type { Rule } from "@vedette/client";
import { jsonText } from "@vedette/kit";
import { connect, type ServerOptions } from "../../client.ts";
import { bold, formOf, paint, printRows, type Row, safe } from "../../output.ts";

interface Options extends ServerOptions {
  readonly state?: string;
  readonly proposed?: boolean;
  readonly unknownFields?: boolean;
  readonly output?: string;
  readonly json?: boolean;
}

export async function list(options: Options): Promise<void> {
  const { rules: all, version } = await connect(options).get("/rules", {
    query: { state: options.state, proposed: options.proposed ? "true" : undefined },
  });
  const rules = options.unknownFields ? all.filter((r) => r.unknown_fields !== undefined) : all;
  const form = formOf(options);
  const rows = rules.map((r) => ({
    id: r.id,
    state: r.state,
    level: r.level,
    seen: r.seen ?? "",
    matched: r.matched ?? "",
    "cost ms": r.cost_ms ?? "",
    by: r.decision?.by ?? "configuration",
    rule: [r.title, ...remarks(r)].join(" — "),
  }));
  printRows(
    form === "table" ? rows : (rules as unknown as Row[]),
    form === "table"
      ? Object.keys(rows[0] ?? {})
      : ["id", "state", "level", "title", "file", "seen", "matched", "capped", "cost_ms", "reason", "unknown_fields"],
    form,
    "no rule is like that",
  );
  const counts = new Map<string, number>();
  for (const { state } of rules) counts.set(state, (counts.get(state) ?? 0) + 1);
  process.stderr.write(`version ${version}: ${[...counts].map(([state, n]) => `${n} ${state}`).join(", ") || "none shown"}\n`);
}

function remarks({ reason, missing, unknown_fields }: Rule): string[] {
  return [
    ...(reason === undefined ? [] : [reason]),
    ...(unknown_fields === undefined ? [] : [`no event is known to carry ${unknown_fields.join(", ")}`]),
    ...(missing === undefined ? [] : [missing.length === 0 ? "promotion proposed" : `missing: ${missing.join("; ")}`]),
  ];
}

export async function show(id: string, options: Options): Promise<void> {
  const r = await connect(options).get("/rules/{id}", { path: { id } });
  if (options.json) return void process.stdout.write(`${jsonText(r, 2)}\n`);
  const out = (text = "") => process.stdout.write(`${text}\n`);
  out(`${paint(r.level, r.level.toUpperCase())}  ${bold(safe(r.title))}  ${r.state}`);
  if (r.description) out(safe(r.description));
  out(`id         ${safe(r.id)}  content ${r.hash}`);
  out(`file       ${safe(r.file)}`);
  if (r.author) out(`author     ${safe(r.author)}`);
  if (r.attack.length > 0) out(`ATT&CK     ${r.attack.join(" ")}`);
  if (r.matched !== undefined)
    out(
      `counted    ${r.matched} of ${r.seen} events matched${r.capped ? `, ${r.capped} of them beyond what one rule may tell` : ""}; ${r.cost_ms} ms`,
    );
  if (r.unknown_fields) out(`blind      no event is known to carry ${safe(r.unknown_fields.join(", "))}`);
  const d = r.decision;
  if (d) out(`decided    ${d.at.slice(0, 19)} by ${safe(d.by)}: ${safe(d.reason)}${d.changed ? "  (its content changed since)" : ""}`);
  if (d?.owner) out(`owner      ${safe(d.owner)}${d.review ? `, to be reviewed by ${d.review}` : ""}`);
  if (r.missing) out(r.missing.length === 0 ? "promotion  proposed" : `promotion  missing: ${safe(r.missing.join("; "))}`);
  if (r.history.length > 0) out(`\n${bold("History")}`);
  for (const h of r.history) out(`  version ${h.version}  ${h.at.slice(0, 19)}  ${safe(h.by)}  ${h.what} → ${h.state}  ${safe(h.reason)}`);
}
