/** Which fields have a column of their own, and how a value becomes a cell. Knows no driver. */
import type { Fields, FieldValue } from "@vedette/model";

/** `text`: a plain cell is that string. `number`: a plain cell is that number's decimal text. Any other value is marked, see `cellOf`. */
export type CellKind = "text" | "number";

/**
 * Fields with a column of their own: what people search by and group by, taken from the fields the SigmaHQ rules and the Zeek,
 * Windows, web and authentication formats use most. Adding one is compatible (old files lack the column and are read from `rest`
 * only if `segmentFormat` is raised as well), so raise it.
 */
export const hotFields: ReadonlyMap<string, CellKind> = new Map<string, CellKind>([
  ["event.dataset", "text"],
  ["event.module", "text"],
  ["event.provider", "text"],
  ["event.code", "text"],
  ["event.action", "text"],
  ["event.category", "text"],
  ["event.type", "text"],
  ["event.outcome", "text"],
  ["host.name", "text"],
  ["source.ip", "text"],
  ["source.port", "number"],
  ["source.bytes", "number"],
  ["destination.ip", "text"],
  ["destination.port", "number"],
  ["destination.bytes", "number"],
  ["network.transport", "text"],
  ["network.protocol", "text"],
  ["user.name", "text"],
  ["user.domain", "text"],
  ["user.target.name", "text"],
  ["process.name", "text"],
  ["process.pid", "number"],
  ["process.executable", "text"],
  ["process.command_line", "text"],
  ["process.parent.name", "text"],
  ["process.parent.executable", "text"],
  ["process.parent.command_line", "text"],
  ["file.path", "text"],
  ["registry.path", "text"],
  ["url.path", "text"],
  ["url.query", "text"],
  ["url.domain", "text"],
  ["http.request.method", "text"],
  ["http.response.status_code", "number"],
  ["user_agent.original", "text"],
  ["dns.question.name", "text"],
  ["dns.question.type", "text"],
  ["tls.client.server_name", "text"],
  ["cloud.service.name", "text"],
  ["winlog.channel", "text"],
  ["message", "text"],
]);

/** Columns of every event that are not fields, in table order; `time`, `received`, `seq` are BIGINT, the rest VARCHAR. */
export const headColumns = ["time", "received", "seq", "id", "tenant", "class", "source", "host"] as const;
export const bigintColumns: ReadonlySet<string> = new Set(["time", "received", "seq"]);
/** All columns in table order. */
export const columns: readonly string[] = [...headColumns, ...hotFields.keys(), "rest", "original"];

/** First character of a cell that is not plain: JSON follows. */
export const mark = "\u0001";

/** A field's value as a cell; the empty string stands for an absent field (and is stored as SQL NULL). */
export function cellOf(kind: CellKind, value: FieldValue | undefined): string {
  if (typeof value === "string") {
    if (kind === "text" && value.length > 0 && value.charCodeAt(0) !== 1) return value;
  } else if (typeof value === "number") {
    if (kind === "number" && Number.isFinite(value)) return String(value);
  } else if (value === undefined) return "";
  return mark + JSON.stringify(value);
}

/** The inverse of `cellOf`. */
export function valueOfCell(kind: CellKind, cell: string): FieldValue {
  if (cell.charCodeAt(0) === 1) return JSON.parse(cell.slice(1)) as FieldValue;
  return kind === "number" ? Number(cell) : cell;
}

/** Fields that have no column, as one flat JSON object; the inverse is `addRest`. */
export function addRest(fields: Fields, rest: string): void {
  const parsed = JSON.parse(rest) as { readonly [field: string]: FieldValue };
  for (const key of Object.keys(parsed)) fields[key] = parsed[key];
}

/** Whether a `rest` cell belongs to a demo event; the same test in SQL is `isDemo` of sealed.ts. */
export const isDemoBatchRow = (rest: string): boolean => rest.includes('"vedette.demo":true');
