/** `vedette simulate score`: the truth of a simulation against alerts of a server, or against a file of alerts or of a scan's findings. */
import { readFileSync } from "node:fs";
import { BadInputError, jsonText } from "@vedette/kit";
import { type Claim, type IncidentTruth, type SimulationTruth, score } from "@vedette/simulate";
import { connect, type ServerOptions } from "../../client.ts";
import { bold, formOf, printRows, safe } from "../../output.ts";

interface Options extends ServerOptions {
  readonly truth: string;
  readonly alerts?: string;
  readonly json?: boolean;
}

export async function scoreSimulation(options: Options): Promise<void> {
  const [head, ...incidents] = readTruth(options.truth);
  const claims = options.alerts === undefined ? await alertsOf(options, head) : claimsIn(options.alerts);
  const result = score(head, incidents, claims);
  if (formOf(options) === "json") return void process.stdout.write(`${jsonText(result, 2)}\n`);
  const out = (text: string) => process.stdout.write(`${text}\n`);
  const share = (n: number) => `${(n * 100).toFixed(1)} %`;
  const round = (n: number) => Number(n.toPrecision(3));
  out(bold(`Simulated: ${round(result.days)} days, ${head.nodes} nodes, ${result.jobs} jobs, seed ${head.seed}`));
  out(`recall          ${share(result.recall)} of ${incidents.length} simulated attacks`);
  out(`alerts a day    ${round(result.alerts_per_day)} (${result.true_alerts} true, ${result.false_alerts} false in all)`);
  out(`false alarms    ${round(result.false_per_day)} a day, ${round(result.false_per_10000_jobs)} per 10,000 jobs\n`);
  printRows(
    result.scenarios.map((s) => ({
      scenario: s.scenario,
      played: s.played,
      found: s.found,
      recall: share(s.recall),
      "first alert": s.first_alert_s === undefined ? "" : `${s.first_alert_s} s`,
      rules: s.rules.length,
    })),
    ["scenario", "played", "found", "recall", "first alert", "rules"],
    "table",
    "no attack was simulated",
  );
  out("");
  printRows(
    result.rules.map((r) => ({
      true: r.true,
      false: r.false,
      "false a day": round(r.false_per_day),
      severity: r.severity,
      rule: safe(r.title),
    })),
    ["true", "false", "false a day", "severity", "rule"],
    "table",
    "no alert was raised",
  );
}

function readTruth(file: string): [SimulationTruth, ...IncidentTruth[]] {
  const lines = readFileSync(file, "utf8").split("\n");
  const all = lines.flatMap((line, i): (SimulationTruth | IncidentTruth)[] =>
    line === "" ? [] : [parseLine(file, i, line) as unknown as SimulationTruth | IncidentTruth],
  );
  const [head, ...rest] = all;
  if (head?.kind !== "simulation" || rest.some((one) => one.kind !== "incident"))
    throw new BadInputError(
      "bad_request",
      `${file}:1: expected the truth.ndjson of a simulation: a line of kind simulation, then lines of kind incident`,
    );
  return [head, ...(rest as IncidentTruth[])];
}

function parseLine(file: string, i: number, line: string): { readonly [key: string]: unknown } {
  try {
    return JSON.parse(line) as { readonly [key: string]: unknown };
  } catch {
    throw new BadInputError("bad_request", `${file}:${i + 1}: expected a JSON document a line`);
  }
}

/** `alerts -o json|ndjson` or `scan -o ndjson`. */
function claimsIn(file: string): Claim[] {
  const text = readFileSync(file, "utf8").trim();
  const rows = text.startsWith("[")
    ? (JSON.parse(text) as { readonly [key: string]: unknown }[])
    : text.split("\n").flatMap((line, i) => (line === "" ? [] : [parseLine(file, i, line)]));
  return rows.map((row, i) => {
    const claim = "rule.id" in row ? findingClaim(row) : alertClaim(row as unknown as AlertRow);
    if (claim !== undefined) return claim;
    throw new BadInputError("bad_request", `${file}:${i + 1}: expected an alert, or a finding as scan -o ndjson prints it`);
  });
}

/** What a scan says of a detector's finding besides its entities. */
const notEntities = new Set(["summary", "events"]);

function findingClaim(row: { readonly [key: string]: unknown }): Claim | undefined {
  const time = Date.parse(String(row["time"]));
  if (Number.isNaN(time)) return undefined;
  const fields = Object.entries((row["fields"] as { readonly [name: string]: unknown } | undefined) ?? {});
  return {
    rule: String(row["rule.id"]),
    title: String(row["rule.title"]),
    severity: String(row["rule.level"]),
    first: time,
    last: time,
    entities: fields.filter(([name]) => !notEntities.has(name)).map(([type, id]) => ({ type, id: String(id) })),
    file: String(row["file"]),
    record: Number(row["record"]),
  };
}

interface AlertRow {
  readonly title: string;
  readonly severity: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly rule: { readonly id: string };
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}
function alertClaim(alert: AlertRow): Claim | undefined {
  if (alert.rule === undefined || !Array.isArray(alert.entities)) return undefined;
  return {
    rule: alert.rule.id,
    title: alert.title,
    severity: alert.severity,
    first: Date.parse(alert.first_seen),
    last: Date.parse(alert.last_seen),
    entities: alert.entities,
  };
}

/** Alerts of the simulated time, page by page. */
async function alertsOf(options: Options, head: SimulationTruth): Promise<Claim[]> {
  const server = connect(options);
  const claims: Claim[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await server.get("/alerts", { query: { limit: 500, from: head.start, ...(cursor === undefined ? {} : { cursor }) } });
    claims.push(...page.alerts.flatMap((alert) => alertClaim(alert) ?? []));
    cursor = page.cursor;
    if (cursor === undefined) return claims;
  }
}
