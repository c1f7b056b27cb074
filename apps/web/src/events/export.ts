/** Rows → CSV and NDJSON text. CSV cells that a spreadsheet would run as a formula are defused. */
import type { EventRow, FieldValue } from "../api/types.ts";
import { escapeHidden } from "../format/text.ts";

/** One CSV cell (RFC 4180). What a spreadsheet would run gets an apostrophe in front (OWASP, "CSV injection"), numbers excepted; blanks before it do not keep one from running it. */
export function csvCell(value: FieldValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return String(value);
  const text = Array.isArray(value) ? value.join("; ") : String(value);
  const safe = escapeHidden(/^[\t\r]|^[\s\0]*[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text);
  return /[",\n\r]/.test(safe) || safe !== text ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Header and rows, CRLF as the RFC has it. */
export function toCsv(columns: readonly string[], rows: readonly (readonly (FieldValue | undefined)[])[]): string {
  return `${[columns, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

/** Events with their own columns first and then every field any of them has, in alphabetical order. */
export function eventsToCsv(events: readonly EventRow[]): string {
  const fields = new Set<string>();
  for (const event of events) for (const field of Object.keys(event.fields)) fields.add(field);
  const sorted = [...fields].sort();
  const rows = events.map((event) => [
    event.time,
    event.id,
    event.source,
    event.class,
    event.host,
    ...sorted.map((field) => event.fields[field]),
    event.original,
  ]);
  return toCsv(["time", "id", "source", "class", "host", ...sorted, "original"], rows);
}

export function eventsToNdjson(events: readonly EventRow[]): string {
  return events.map((event) => `${escapeHidden(JSON.stringify(event))}\n`).join("");
}

/** Hands text to the browser as a file. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
