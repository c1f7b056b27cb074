/** A stored row as the event it was. Knows the columns, no query. */
import { newFields } from "@vedette/kit";
import type { Event, EventClass } from "@vedette/model";
import { addRest, columns, headColumns, hotFields, valueOfCell } from "./columns.ts";
import type { Row } from "./duckdb.ts";

const firstHot = headColumns.length;
const hot = [...hotFields];
const restAt = columns.length - 2;
const originalAt = columns.length - 1;
const text = (value: Row[number] | undefined): string => (typeof value === "string" ? value : "");

/** The inverse of encoding; `row` holds all columns in table order. */
export function eventOf(row: Row): Event {
  const fields = newFields();
  for (const [index, [field, kind]] of hot.entries()) {
    const cell = row[firstHot + index];
    if (typeof cell === "string") fields[field] = valueOfCell(kind, cell);
  }
  const rest = row[restAt];
  if (typeof rest === "string") addRest(fields, rest);
  return {
    id: text(row[3]),
    tenant: text(row[4]),
    source: text(row[6]),
    time: Number(row[0]),
    received: Number(row[1]),
    seq: Number(row[2]),
    class: text(row[5]) as EventClass,
    host: text(row[7]),
    fields,
    original: text(row[originalAt]),
  };
}
