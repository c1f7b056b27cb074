/** The bytes of one batch of events and how its columns are read. Knows the layout; refuses to know what a cell means. Written by encode.ts. */
import { bigintColumns } from "./columns.ts";

/** What a batch says about itself: the manifest's and the log's view of it, without reading a cell. */
export interface BatchHeader {
  readonly format: 1;
  readonly count: number;
  /** Names of the columns present, in order of their bytes; a column that is not named is all absent. */
  readonly columns: readonly string[];
  /** Bytes of each column: 8 per event for a number column; for text, its UTF-8 length (after 4 bytes of cell length per event). */
  readonly sizes: readonly number[];
  /** Hot fields of which some cell is marked. */
  readonly odd: readonly string[];
  readonly demo: number;
  readonly originalBytes: number;
  /** Distinct classes. */
  readonly classes: readonly string[];
  /** Rows of each class, which then stand together in the order of `classes`; not in batches of earlier versions, where they are mixed. */
  readonly rows?: readonly number[];
  readonly minTime: number;
  readonly maxTime: number;
}
/** One column of a decoded batch: a view of its bytes. */
export type BatchColumn = { readonly lengths: Uint32Array; readonly bytes: Uint8Array } | { readonly numbers: BigInt64Array };

const decoder = new TextDecoder();
export const align = (n: number) => (n + 7) & ~7;

/** Where a column lies in its batch. */
export interface ColumnPlace {
  readonly at: number;
  /** Cell lengths of a text column, then its text; or numbers. */
  readonly kind: "text" | "numbers";
  readonly rows: number;
  /** Of the text, in bytes. */
  readonly size: number;
}

/** Where the text of a column begins, behind its cell lengths. */
export const textAt = ({ at, rows }: ColumnPlace): number => at + align(rows * 4);

/** Where each column lies, by the header alone: `start` is the header's length with what comes before it. */
function placesOf(header: BatchHeader, start: number): ReadonlyMap<string, ColumnPlace> {
  const places = new Map<string, ColumnPlace>();
  let at = align(start);
  for (const [index, name] of header.columns.entries()) {
    const size = header.sizes[index] as number;
    const kind = bigintColumns.has(name) ? "numbers" : "text";
    places.set(name, { at, kind, rows: header.count, size });
    at += align(size) + (kind === "text" ? align(header.count * 4) : 0);
  }
  return places;
}

/** Bytes before the header, of which the first four are its length. */
const beforeHeader = 8;

/** Reads the header and where each column lies. @param fill gives bytes of the batch from a place in it on */
export function layoutOf(fill: (at: number, into: Uint8Array) => void): {
  readonly header: BatchHeader;
  readonly places: ReadonlyMap<string, ColumnPlace>;
} {
  const length = new Uint32Array(1);
  fill(0, new Uint8Array(length.buffer));
  const text = new Uint8Array(length[0] as number);
  fill(beforeHeader, text);
  const header = JSON.parse(decoder.decode(text)) as BatchHeader;
  return { header, places: placesOf(header, beforeHeader + text.length) };
}

function columnAt(bytes: Uint8Array, place: ColumnPlace): BatchColumn {
  const { at, kind, rows, size } = place;
  if (kind === "numbers") return { numbers: new BigInt64Array(bytes.buffer, bytes.byteOffset + at, rows) };
  const lengths = new Uint32Array(bytes.buffer, bytes.byteOffset + at, rows);
  let sum = 0;
  for (let row = 0; row < rows; row++) sum += lengths[row] as number;
  const text = bytes.subarray(textAt(place), textAt(place) + size);
  if (sum !== size || text.length < size) throw new RangeError("a column's lengths do not add up");
  return { lengths, bytes: text };
}

/** Reads the header and the views of each column. @throws RangeError on bytes that encode.ts did not write */
export function openBatch(batch: Uint8Array): { readonly header: BatchHeader; readonly columns: ReadonlyMap<string, BatchColumn> } {
  const bytes = batch.byteOffset % 8 === 0 ? batch : new Uint8Array(batch);
  const { header, places } = layoutOf(within(bytes));
  return { header, columns: new Map([...places].map(([name, place]) => [name, columnAt(bytes, place)])) };
}

/** The header alone. */
export const headerOf = (batch: Uint8Array): BatchHeader => layoutOf(within(batch)).header;

const within = (bytes: Uint8Array) => (at: number, into: Uint8Array) => into.set(bytes.subarray(at, at + into.length));
