/** Writes a scan's findings as they come, for people and programs. Knows no rule and no file format. */
import { csvCell } from "@vedette/kit";
import type { Finding } from "@vedette/model";
import { groupOf } from "@vedette/triage";
import { type Form, paint, type Row, safe } from "../output.ts";

const csvColumns = ["rule.level", "rule.title", "file", "record", "time", "fields"] as const;

/** A table shows this many of each rule, and so many of what it says of one host, user or address; the rest is counted there and listed in every other form. */
const perRule = 20;
const perGroup = 3;
/** Whom a rule's findings are about, as many as are named at the end. */
const named = 3;

/** What one rule found, and about whom. */
export interface Found {
  readonly title: string;
  readonly level: string;
  readonly count: number;
  /** The first few of them. */
  readonly about: readonly string[];
  /** How many different ones. */
  readonly groups: number;
}

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
  readonly #found = new Map<string, { finding: Finding; count: number; shown: number; about: Set<string>; groups: Map<string, number> }>();
  #rows = 0;

  constructor(form: Form) {
    this.#form = form;
    if (form === "csv") process.stdout.write(`${csvColumns.join(",")}\n`);
    if (form === "json") process.stdout.write("[");
  }

  add(finding: Finding): void {
    const row = rowOf(finding);
    const rule = this.#found.get(finding.rule.id) ?? { finding, count: 0, shown: 0, about: new Set(), groups: new Map() };
    const group = groupOf(finding);
    const before = rule.groups.get(group) ?? 0;
    rule.count++;
    rule.groups.set(group, before + 1);
    const entity = finding.entities.find(({ type }) => type !== "rule.id");
    if (entity !== undefined && rule.about.size < named) rule.about.add(entity.id);
    this.#found.set(finding.rule.id, rule);
    this.#rows++;
    // control and bidirectional characters become escapes, which inside JSON's strings mean the same
    if (this.#form === "ndjson") process.stdout.write(`${safe(JSON.stringify(row))}\n`);
    else if (this.#form === "json") process.stdout.write(`${this.#rows > 1 ? ",\n " : "\n "}${safe(JSON.stringify(row))}`);
    else if (this.#form === "csv") process.stdout.write(`${csvColumns.map((c) => csvCell(text(row[c]))).join(",")}\n`);
    else if (before < perGroup && rule.shown < perRule) {
      rule.shown++;
      process.stdout.write(`${line(row)}\n`);
    }
  }

  /** @returns rules that matched, the most severe and frequent first */
  end(): readonly Found[] {
    if (this.#form === "json") process.stdout.write(this.#rows > 0 ? "\n]\n" : "]\n");
    const order = ["critical", "high", "medium", "low", "informational"];
    if (this.#form === "table") {
      for (const { finding, count, shown } of this.#found.values())
        if (count > shown) process.stdout.write(`${safe(finding.rule.title)}: ${count - shown} more (-o ndjson lists them)\n`);
    }
    return [...this.#found.values()]
      .map(({ finding, count, about, groups }) => ({
        title: finding.rule.title,
        level: finding.severity,
        count,
        about: [...about],
        groups: groups.size,
      }))
      .sort((a, b) => order.indexOf(a.level) - order.indexOf(b.level) || b.count - a.count);
  }
}

const text = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

function line(row: Row): string {
  const fields = Object.entries(row["fields"] as Row)
    .map(([name, value]) => `${name}=${text(value)}`)
    .join(" ");
  const level = String(row["rule.level"]);
  // what was put together from many files is in none of them
  const where = row["file"] === "" ? "" : `${safe(`${row["file"]}:${row["record"]}`)}  `;
  const shown = fields.length > 240 ? `${fields.slice(0, 239)}…` : fields;
  return `${paint(level, level.padEnd(8))} ${safe(String(row["time"]))} ${where}${safe(String(row["rule.title"]))}  ${safe(shown)}`;
}
