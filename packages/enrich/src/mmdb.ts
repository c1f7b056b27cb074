/** Looks addresses up in a MaxMind DB file, whoever made it. Knows the shapes of records, not what they are for. The one importer of the reader. */
import { parseAddress } from "@vedette/condition";
import type { Table } from "@vedette/kit";
import { Reader } from "mmdb-lib";
import { remembered } from "./bounded_cache.ts";
import { bad } from "./inventory.ts";

/** A record as it came: anything may stand in it. */
export type Record = { readonly [key: string]: unknown };

export interface Mmdb {
  /** What the file says it is, e.g. `GeoLite2-City`. */
  readonly type: string;
  find(address: string): Record | undefined;
}

/** @throws BadInputError `bad_table` */
export function readMmdb(bytes: Uint8Array): Table<Mmdb> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let reader: Reader<never>;
  try {
    reader = new Reader<never>(buffer);
    const { searchTreeSize, nodeCount } = reader.metadata;
    if (!(nodeCount > 0) || searchTreeSize >= buffer.length) throw new Error("its search tree is longer than the file");
  } catch (e) {
    throw bad(`it is no MaxMind DB file: ${(e as Error).message}`);
  }
  const find = (text: string): Record | undefined => {
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    try {
      // an IPv4 address written as IPv6 stands in the tree as what it is
      const found: unknown = reader.get(address.v4 ? dotted(address.words[3]) : text.replace(/%.*$/, ""));
      return typeof found === "object" && found !== null ? (found as Record) : undefined;
    } catch {
      // a damaged record, or an IPv6 address asked of a file of IPv4
      return undefined;
    }
  };
  return { value: { type: String(reader.metadata.databaseType), find }, rows: reader.metadata.nodeCount };
}

const dotted = (word: number): string => `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;

/** A function that looks up an address and keeps what `shape` makes of the record. */
export const lookUp = <T>(db: Mmdb, shape: (record: Record) => T | undefined): ((address: string) => T | undefined) =>
  remembered((address) => {
    const record = db.find(address);
    return record === undefined ? undefined : shape(record);
  });

/** The value at a path of keys; list items by number. */
export function at(record: Record, ...path: readonly (string | number)[]): unknown {
  let value: unknown = record;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as { readonly [key: string | number]: unknown })[key];
  }
  return value;
}

/** The first of the values that is text, cut to what a field may hold of it. */
export const firstText = (...values: readonly unknown[]): string | undefined =>
  values.find((one): one is string => typeof one === "string" && one !== "")?.slice(0, 256);
export const firstNumber = (...values: readonly unknown[]): number | undefined => {
  for (const one of values) {
    const number = typeof one === "string" && one !== "" ? Number(one) : one;
    if (typeof number === "number" && Number.isFinite(number)) return number;
  }
  return undefined;
};
