/** Prints rows for people and programs. Everything that came from a log is shown as text: control characters are made visible. */
import { csvCell, jsonText, visible } from "@vedette/kit";

export type Form = "table" | "json" | "ndjson" | "csv";
export type Row = { readonly [column: string]: unknown };

/** Nothing of log content may steer a terminal or hide in it. */
export const safe = visible;

const cell = (value: unknown): string =>
  value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);

export function formOf(options: { readonly output?: string; readonly json?: boolean }): Form {
  return options.json ? "json" : ((options.output ?? "table") as Form);
}

export function printRows(rows: readonly Row[], columns: readonly string[], form: Form, empty = "nothing found"): void {
  if (form === "json") return void process.stdout.write(`${jsonText(rows, 2)}\n`);
  if (form === "ndjson") return void process.stdout.write(rows.map((r) => `${jsonText(r)}\n`).join(""));
  if (form === "csv") {
    process.stdout.write(`${columns.map(csvCell).join(",")}\n`);
    for (const row of rows) process.stdout.write(`${columns.map((c) => csvCell(cell(row[c]))).join(",")}\n`);
    return;
  }
  if (rows.length === 0) return void process.stderr.write(`${empty}\n`);
  const texts = rows.map((r) => columns.map((c) => safe(cell(r[c]))));
  const [head, ...lines] = tableLines(columns, texts, process.stdout.isTTY ? process.stdout.columns || 160 : undefined);
  process.stdout.write(`${bold(head!)}\n${lines.map((line) => `${line}\n`).join("")}`);
}

/** No column but the last is wider. */
const columnMost = 60;
/** The last column is what a reader came for, a title or a text: with less room than this it stands below. */
const lastLeast = 40;

/** A table's lines, its head first. @param width of a terminal, at which lines end; undefined where nobody's eye is the reader */
export function tableLines(columns: readonly string[], rows: readonly (readonly string[])[], width?: number): readonly string[] {
  const last = columns.length - 1;
  const widths = columns.map((c, i) => Math.min(columnMost, Math.max(c.length, ...rows.map((cells) => cells[i]!.length))));
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0);
  const below = width !== undefined && last > 0 && width - before < Math.min(lastLeast, widths[last]!);
  const fitted = (cells: readonly string[]) =>
    cells.map((text, i) => (i === last ? text : text.length > widths[i]! ? `${text.slice(0, widths[i]! - 1)}…` : text.padEnd(widths[i]!)));
  const ended = (line: string) => line.slice(0, width).trimEnd();
  return [columns.map((c) => c.toUpperCase()), ...rows].flatMap((cells) => {
    const texts = fitted(cells);
    if (!below) return [ended(texts.join("  "))];
    return [ended(texts.slice(0, last).join("  ")), ended(`    ${texts[last]}`)];
  });
}

/** `1 file`, `2 files`. */
export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** A size as people read it. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}

const colours = process.stdout.isTTY && !process.env["NO_COLOR"];
export const bold = (text: string): string => (colours ? `\u001b[1m${text}\u001b[0m` : text);
export const paint = (severity: string, text: string): string => {
  const code = { critical: "1;31", high: "31", medium: "33", low: "36" }[severity];
  return colours && code ? `\u001b[${code}m${text}\u001b[0m` : text;
};

/** `1h`, `15m`, `7d`, `30s` → start of the range. */
export function rangeOf(
  options: { readonly since?: string; readonly from?: string; readonly to?: string },
  now = Date.now(),
): { from?: string; to?: string } {
  const range: { from?: string; to?: string } = {};
  if (options.since !== undefined) {
    const match = /^(\d+)\s*([smhdw])$/.exec(options.since);
    if (!match)
      throw Object.assign(new Error(`--since ${options.since}: expected a number and s, m, h, d or w, e.g. 15m`), { permanent: true });
    const seconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }[match[2] as "s"];
    range.from = new Date(now - Number(match[1]) * seconds * 1_000).toISOString();
  }
  if (options.from !== undefined) range.from = options.from;
  if (options.to !== undefined) range.to = options.to;
  return range;
}
