/** `vedette alerts`: list, show, acknowledge, close. */

import type { Verdict } from "@vedette/client";
import { jsonText } from "@vedette/kit";
import { connect, type Server, type ServerOptions } from "../client.ts";
import { bold, counted, formOf, paint, printRows, type Row, rangeOf, safe } from "../output.ts";

interface Options extends ServerOptions {
  readonly state?: string;
  readonly severity?: string;
  readonly shadow?: boolean;
  readonly historical?: boolean;
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: number;
  readonly output?: string;
  readonly json?: boolean;
  readonly note?: string;
  readonly verdict?: string;
}

export async function list(options: Options): Promise<void> {
  const { alerts, total } = await connect(options).get("/alerts", {
    query: {
      state: options.state,
      severity: options.severity,
      shadow: options.shadow ? "true" : undefined,
      historical: options.historical ? "true" : undefined,
      limit: options.limit,
      ...rangeOf(options),
    },
  });
  const form = formOf(options);
  if (form !== "table")
    return printRows(alerts as unknown as Row[], ["id", "severity", "title", "summary", "state", "count", "first_seen", "last_seen"], form);
  printRows(
    alerts.map((a) => ({
      id: a.id,
      severity: a.severity,
      state: a.state,
      count: a.count,
      "last seen": `${a.last_seen.slice(0, 19)}Z`,
      alert: `${a.demo ? "[demo] " : ""}${a.retracted ? "[retracted] " : ""}${a.late ? "[late] " : ""}${a.title} — ${a.summary}`,
    })),
    ["id", "severity", "state", "count", "last seen", "alert"],
    form,
    "no alert matches",
  );
  if (total > alerts.length) process.stderr.write(`${alerts.length} of ${total}; --limit shows more\n`);
}

export async function show(id: string, options: Options): Promise<void> {
  const server = connect(options);
  const a = await server.get("/alerts/{id}", { path: { id } });
  const guidance = await guidanceOf(server, id);
  if (options.json) return void process.stdout.write(`${jsonText({ ...a, guidance }, 2)}\n`);
  const out = (text = "") => process.stdout.write(`${text}\n`);
  out(
    `${paint(a.severity, a.severity.toUpperCase())}  ${bold(safe(a.title))}${a.demo ? "  [demo]" : ""}${a.late ? "  [late: of events that came after their time]" : ""}`,
  );
  out(safe(a.summary));
  out(`state      ${a.state}${a.verdict ? ` (${a.verdict})` : ""}`);
  out(`seen       ${a.first_seen} – ${a.last_seen}, ${a.count} findings, ${a.events} events`);
  out(`entities   ${a.entities.map((e) => `${e.type}=${safe(e.id)}`).join("  ")}`);
  out(`rule       ${safe(a.rule.id)}${a.attack.length > 0 ? `  ATT&CK ${a.attack.join(" ")}` : ""}`);
  tellGuidance(guidance);
  out(`\n${bold("Evidence")}`);
  for (const e of a.evidence) {
    out(`  ${e.time}  ${safe(e.source)}`);
    // a clause that asks two things of one field says it twice
    const why = e.matches.map((m) => `${safe(m.clause)}: ${safe(m.field)} = ${safe(m.value).slice(0, 200)}`);
    for (const line of new Set(why)) out(`    ${line}`);
    out(`    ${safe(e.original).slice(0, 400)}`);
  }
  out(`\n${bold("History")}`);
  for (const h of a.history)
    out(`  ${h.at}  ${safe(h.by)}  ${h.what}${h.verdict ? ` (${h.verdict})` : ""}${h.note ? `  ${safe(h.note)}` : ""}`);
}

type Guidance = Awaited<ReturnType<typeof guidanceOf>>;
const guidanceOf = (server: Server, id: string) => server.get("/alerts/{id}/guidance", { path: { id } });

/** What somebody at three in the morning wants to know besides: what it means, what to do, and how sure it is. */
function tellGuidance({ description, status, response, falsepositives, verdicts }: Guidance): void {
  const part = (title: string, lines: readonly string[]) => {
    if (lines.length > 0) process.stdout.write(`\n${bold(title)}\n${lines.map((line) => `  ${safe(line)}\n`).join("")}`);
  };
  part("What it means", description === "" ? [] : [description.trim().replace(/\s+/g, " ")]);
  part(
    "What to do",
    response.map((step, at) => `${at + 1}. ${step}`),
  );
  part(
    "Harmless when",
    falsepositives.map((one) => `- ${one}`),
  );
  part("How sure", [howSure(status, verdicts)]);
}

function howSure(status: string, { true_positive, benign, false_positive }: Guidance["verdicts"]): string {
  const closed = true_positive + benign + false_positive;
  const so =
    closed === 0
      ? "none of its alerts has been closed with a verdict yet"
      : `of its ${counted(closed, "closed alert")} ${true_positive} true, ${benign} benign, ${false_positive} false`;
  return status === "" ? so : `rule is ${status === "test" ? "in test" : status}; ${so}`;
}

export async function change(id: string, action: "acknowledge" | "close", options: Options): Promise<void> {
  const { note } = options;
  const server = connect(options);
  const alert =
    action === "close"
      ? await server.post("/alerts/{id}/close", { path: { id }, body: { note, verdict: options.verdict as Verdict } })
      : await server.post("/alerts/{id}/acknowledge", { path: { id }, body: { note } });
  process.stderr.write(`${alert.id} is now ${alert.state}${alert.verdict ? ` (${alert.verdict})` : ""}\n`);
}
