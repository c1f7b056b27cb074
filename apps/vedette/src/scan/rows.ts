/** Writes a scan's findings as they come, for people and programs. Knows no rule and no file format. */
import { csvCell } from "@vedette/kit";
import type { Finding } from "@vedette/model";
import { type Form, paint, type Row, safe } from "../output.ts";

const csvColumns = ["rule.level", "rule.title", "file", "record", "time", "fields"] as const;

/** A table shows this many of each rule; the rest is counted there and listed in every other form. */
const perRule = 20;

/** The keys of the contract, in order. */
function rowOf(finding: Finding): Row {
  const [first] = finding.evidence;
  const last = finding.evidence.at(-1);
  const one = finding.count === 1 && (first?.matches.length ?? 0) > 0;
  const at = one ? first : last;
  return {
    "rule.id": finding.rule.id,
    "rule.title": finding.rule.title,
    "rule.level": finding.severity,
    file: at?.source ?? "",
    record: (at?.seq ?? -1) + 1,
    time: new Date(finding.time / 1_000).toISOString(),
    fields: one
      ? Object.fromEntries(first!.matches.map((m) => [m.field, m.value]))
      : { summary: finding.summary, events: finding.count, ...Object.fromEntries(finding.entities.map((e) => [e.type, e.id])) },
  };
}

export class Rows {
  readonly #form: Form;
  readonly #shown = new Map<string, { readonly title: string; readonly level: string; count: number }>();
  #rows = 0;

  constructor(form: Form) {
    this.#form = form;
    if (form === "csv") process.stdout.write(`${csvColumns.join(",")}\n`);
    if (form === "json") process.stdout.write("[");
  }

  add(finding: Finding): void {
    const row = rowOf(finding);
    const key = finding.rule.id;
    const rule = this.#shown.get(key) ?? { title: finding.rule.title, level: finding.severity, count: 0 };
    rule.count++;
    this.#shown.set(key, rule);
    this.#rows++;
    // control and bidirectional characters become escapes, which inside JSON's strings mean the same
    if (this.#form === "ndjson") process.stdout.write(`${safe(JSON.stringify(row))}\n`);
    else if (this.#form === "json") process.stdout.write(`${this.#rows > 1 ? ",\n " : "\n "}${safe(JSON.stringify(row))}`);
    else if (this.#form === "csv") process.stdout.write(`${csvColumns.map((c) => csvCell(text(row[c]))).join(",")}\n`);
    else if (rule.count <= perRule) process.stdout.write(`${line(row)}\n`);
  }

  /** @returns rules that matched, the most severe and frequent first */
  end(): readonly { readonly title: string; readonly level: string; readonly count: number }[] {
    if (this.#form === "json") process.stdout.write(this.#rows > 0 ? "\n]\n" : "]\n");
    const order = ["critical", "high", "medium", "low", "informational"];
    const rules = [...this.#shown.values()].sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level) || b.count - a.count);
    if (this.#form === "table") {
      for (const { title, count } of rules)
        if (count > perRule) process.stdout.write(`${safe(title)}: ${count - perRule} more (-o ndjson lists them)\n`);
    }
    return rules;
  }
}

const text = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

function line(row: Row): string {
  const fields = Object.entries(row["fields"] as Row)
    .map(([name, value]) => `${name}=${text(value)}`)
    .join(" ");
  const level = String(row["rule.level"]);
  const shown = fields.length > 240 ? `${fields.slice(0, 239)}…` : fields;
  return `${paint(level, level.padEnd(8))} ${safe(String(row["time"]))} ${safe(`${row["file"]}:${row["record"]}`)}  ${safe(String(row["rule.title"]))}  ${safe(shown)}`;
}
