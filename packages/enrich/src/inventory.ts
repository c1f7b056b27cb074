/** Reads an inventory, CSV with a header line or a JSON array of objects, into rows of columns. Knows no meaning of a column but its form. */
import { closest } from "@vedette/condition";
import { BadInputError } from "@vedette/kit";
import { csvRows } from "./csv.ts";

export type Cell = string | number | boolean | readonly string[];
export interface InventoryRow {
  /** Of CSV the line, of JSON the number of the object; from 1. */
  readonly place: string;
  readonly columns: ReadonlyMap<string, Cell>;
}

/** A large site has some 100,000 hosts at 200 bytes each. */
const maxBytes = 64 << 20;
const maxRows = 500_000;
/** Every column may become a field of an event. */
const maxColumns = 24;
const maxCell = 1_024;
const columnName = /^[a-z][a-z0-9_]{0,31}$/;

/**
 * @param keys columns of which each row needs one
 * @param known further columns that have a meaning: what a misspelt key is held against
 * @throws BadInputError `bad_table` with the place
 */
export function readInventory(bytes: Uint8Array, keys: readonly string[], known: readonly string[]): readonly InventoryRow[] {
  if (bytes.length > maxBytes) throw bad(`${bytes.length} bytes; an inventory has at most ${maxBytes}`);
  // a copy: a table's bytes are shared between threads, and those a decoder does not take
  const text = Buffer.from(bytes).toString("utf8");
  const start = text.slice(0, 1_000).trimStart();
  const rows = start.startsWith("[") || start.startsWith("{") ? fromJson(text) : fromCsv(text, keys, known);
  if (rows.length > maxRows) throw bad(`${rows.length} rows; an inventory has at most ${maxRows}`);
  for (const { place, columns } of rows) {
    if (columns.size > maxColumns) throw bad(`${place}: ${columns.size} columns; at most ${maxColumns}`);
    if (!keys.some((key) => columns.has(key))) throw bad(`${place}: expected ${keys.join(" or ")}${near([...columns.keys()], keys)}`);
  }
  return rows;
}

function fromCsv(text: string, keys: readonly string[], known: readonly string[]): InventoryRow[] {
  let header: readonly string[] | undefined;
  const rows: InventoryRow[] = [];
  for (const { line, cells } of csvRows(text)) {
    if (header === undefined) {
      header = cells.map((one) => one.toLowerCase());
      checkHeader(header, line, keys, known);
      continue;
    }
    if (cells.length > header.length) throw bad(`line ${line}: ${cells.length} cells under ${header.length} columns`);
    const columns = new Map<string, Cell>();
    cells.forEach((cell, i) => {
      if (cell !== "") columns.set(header![i]!, checked(cell, `line ${line}`));
    });
    if (columns.size > 0) rows.push({ place: `line ${line}`, columns });
    if (rows.length > maxRows) break;
  }
  if (header === undefined) throw bad(`it is empty; expected a header line, for example ${[...keys, ...known].join(",")}`);
  return rows;
}

function checkHeader(header: readonly string[], line: number, keys: readonly string[], known: readonly string[]): void {
  if (!keys.some((key) => header.includes(key)))
    throw bad(`line ${line}: expected a header line with a column ${keys.join(" or ")}${near(header, keys)}`);
  for (const name of header) {
    if (!columnName.test(name))
      throw bad(`line ${line}: column "${name.slice(0, 40)}": expected lower-case letters, digits and _, at most 32 characters`);
    if (header.indexOf(name) !== header.lastIndexOf(name)) throw bad(`line ${line}: column "${name}" is there twice`);
    const meant = closest(name, [...keys, ...known]);
    if (meant !== undefined && meant !== name) throw bad(`line ${line}: column "${name}"; did you mean "${meant}"?`);
  }
}

function fromJson(text: string): InventoryRow[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (e) {
    throw bad(`it begins like JSON but is none: ${(e as Error).message}`);
  }
  if (!Array.isArray(parsed)) throw bad("expected a JSON array of objects");
  return parsed.slice(0, maxRows + 1).map((one: unknown, i): InventoryRow => {
    const place = `object ${i + 1}`;
    if (typeof one !== "object" || one === null || Array.isArray(one)) throw bad(`${place}: expected an object`);
    const columns = new Map<string, Cell>();
    for (const [name, value] of Object.entries(one)) {
      if (!columnName.test(name)) throw bad(`${place}: "${name.slice(0, 40)}": expected lower-case letters, digits and _`);
      if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) continue;
      columns.set(name, checked(value, `${place}, ${name}`));
    }
    return { place, columns };
  });
}

function checked(value: unknown, place: string): Cell {
  if (typeof value === "string") {
    if (value.length > maxCell) throw bad(`${place}: a value of ${value.length} characters; at most ${maxCell}`);
    return value;
  }
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value) && value.length <= maxCell && value.every((one) => typeof one === "string" && one.length <= maxCell))
    return value as readonly string[];
  throw bad(`${place}: expected text, a number, true or false, or a list of texts`);
}

const near = (names: readonly string[], keys: readonly string[]): string => {
  for (const name of names) {
    const meant = closest(name, keys);
    if (meant !== undefined) return `; is "${name.slice(0, 40)}" meant to be "${meant}"?`;
  }
  return "";
};

export const bad = (message: string): BadInputError => new BadInputError("bad_table", message);

/** A cell that may name several: a list, or texts between semicolons or blanks. */
export function several(cell: Cell | undefined): readonly string[] {
  if (cell === undefined) return [];
  if (typeof cell === "object") return cell;
  return String(cell)
    .split(/[;\s]+/)
    .filter((one) => one !== "");
}

/** `yes`, `true`, `1` and their opposites. @throws BadInputError */
export function truth(cell: Cell, place: string): boolean {
  const text = String(cell).toLowerCase();
  if (text === "true" || text === "yes" || text === "1") return true;
  if (text === "false" || text === "no" || text === "0") return false;
  throw bad(`${place}: expected true or false, found "${text.slice(0, 40)}"`);
}
