/** Rows of text and integers to a Parquet file of one row group, for whoever writes files for others. Knows no event. */
import type { WriteTable } from "@vedette/kit";
import type { ChunkInput } from "./chunk.ts";
import { encodeRowGroup, writeParquet } from "./file.ts";

/** An empty text is written as NULL, as everywhere in these files. */
export const writeTable: WriteTable = async (path, columns, rows) => {
  const specs = columns.map(({ name, type }) => ({ name, number: type === "number" }));
  const group = await encodeRowGroup(specs, rows.length, (name): ChunkInput => {
    const at = columns.findIndex((one) => one.name === name);
    if (columns[at]!.type === "number") return { numbers: Float64Array.from(rows, (row) => Number(row[at] ?? 0)) };
    const cells = rows.map((row) => Buffer.from(String(row[at] ?? "")));
    // a buffer of its own: the encoder gives it back
    const bytes = new Uint8Array(cells.reduce((sum, one) => sum + one.length, 0));
    let end = 0;
    for (const one of cells) {
      bytes.set(one, end);
      end += one.length;
    }
    return { lengths: Uint32Array.from(cells, (one) => one.length), bytes, unique: false };
  });
  return writeParquet(path, specs, group);
};
