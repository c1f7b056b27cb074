/** Roll-ups as Parquet: writes, joins and reads the files. Knows no manifest. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Micros } from "@vedette/model";
import type { Duck } from "../events/duck.ts";
import type { Parameter } from "../events/duckdb.ts";
import type { ChunkInput } from "../events/parquet/chunk.ts";
import { type ColumnSpec, encodeRowGroup, joinParquet, writeParquet } from "../events/parquet/file.ts";
import { install } from "../events/sealed.ts";
import type { RollUp } from "./roll_up.ts";
import type { SeriesName } from "./samples.ts";

const texts = ["tenant", "source", "name", "kind", "labels"] as const;
const whole = ["start", "count", "last_time"] as const;
const doubles = ["sum", "min", "max", "last", "increase"] as const;
const columns: readonly ColumnSpec[] = [
  ...texts.map((name) => ({ name, number: false })),
  ...whole.map((name) => ({ name, number: true })),
  ...doubles.map((name) => ({ name, number: "double" as const })),
];

/** Rows of one series, in order of time. */
export interface SeriesRows {
  readonly series: SeriesName;
  readonly rows: readonly RollUp[];
}
export interface SealedFile {
  readonly name: string;
  readonly width: Micros;
  /** How often it was joined from smaller ones. */
  readonly level: number;
  readonly rows: number;
  readonly bytes: number;
  readonly min_time: Micros;
  readonly max_time: Micros;
}

function textColumn(all: readonly SeriesRows[], count: number, cell: (series: SeriesName) => string): ChunkInput {
  const cells = all.map(({ series }) => Buffer.from(cell(series)));
  const lengths = new Uint32Array(count);
  const bytes = new Uint8Array(all.reduce((n, { rows }, i) => n + rows.length * cells[i]!.length, 0));
  let [row, at] = [0, 0];
  for (const [i, { rows }] of all.entries()) {
    const text = cells[i]!;
    for (let k = 0; k < rows.length; k++) {
      lengths[row++] = text.length;
      bytes.set(text, at);
      at += text.length;
    }
  }
  return { lengths, bytes, unique: false };
}

function numberColumn(all: readonly SeriesRows[], count: number, cell: (row: RollUp) => number): Float64Array {
  const numbers = new Float64Array(count);
  let at = 0;
  for (const { rows } of all) for (const row of rows) numbers[at++] = cell(row);
  return numbers;
}

/** Writes one durable file. */
export async function writeRows(folder: string, name: string, width: Micros, all: readonly SeriesRows[]): Promise<SealedFile> {
  const count = all.reduce((n, { rows }) => n + rows.length, 0);
  const group = await encodeRowGroup(columns, count, (column) => {
    const text = texts.find((one) => one === column);
    if (text !== undefined) return textColumn(all, count, (series) => series[text]);
    const number = whole.find((one) => one === column);
    if (number !== undefined) return { numbers: numberColumn(all, count, (row) => row[number]) };
    return { doubles: numberColumn(all, count, (row) => row[column as (typeof doubles)[number]]) };
  });
  const temporary = join(folder, `${name}.tmp`);
  await rm(temporary, { force: true });
  const bytes = await writeParquet(temporary, columns, group);
  await install(temporary, join(folder, name));
  let [min_time, max_time] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { rows } of all) {
    min_time = Math.min(min_time, rows[0]!.start);
    max_time = Math.max(max_time, rows.at(-1)!.start + width);
  }
  return { name, width, level: 0, rows: count, bytes, min_time, max_time };
}

/** Copies the row groups of several files of one width into one. */
export async function joinRows(folder: string, name: string, files: readonly SealedFile[]): Promise<SealedFile> {
  const temporary = join(folder, `${name}.tmp`);
  await rm(temporary, { force: true });
  const bytes = await joinParquet(
    temporary,
    columns,
    files.map((one) => join(folder, one.name)),
  );
  await install(temporary, join(folder, name));
  const first = files[0]!;
  return {
    name,
    width: first.width,
    level: first.level + 1,
    rows: files.reduce((n, one) => n + one.rows, 0),
    bytes,
    min_time: Math.min(...files.map((one) => one.min_time)),
    max_time: Math.max(...files.map((one) => one.max_time)),
  };
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const relation = (folder: string, files: readonly SealedFile[]): string =>
  `read_parquet([${files.map((one) => literal(join(folder, one.name))).join(", ")}])`;

interface Asked {
  readonly tenant: string;
  readonly from: Micros;
  readonly to: Micros;
}

/** The series that have rows in the time asked for. */
export async function seriesIn(
  duck: Duck,
  folder: string,
  files: readonly SealedFile[],
  { tenant, from, to }: Asked,
  signal?: AbortSignal,
): Promise<readonly SeriesName[]> {
  if (files.length === 0) return [];
  const sql = `SELECT "source", "name", any_value("kind"), "labels" FROM ${relation(folder, files)} WHERE "tenant" = ? AND "start" >= ? AND "start" < ? GROUP BY "source", "name", "labels"`;
  const rows = await duck.query(sql, [tenant, BigInt(from), BigInt(to)], signal);
  return rows.map(([source, name, kind, labels]) => ({ tenant, source, name, kind, labels }) as SeriesName);
}

/** Rows of these series in the time asked for, by place in `series`. */
export async function rowsIn(
  duck: Duck,
  folder: string,
  files: readonly SealedFile[],
  { tenant, from, to }: Asked,
  series: readonly SeriesName[],
  signal?: AbortSignal,
): Promise<readonly (readonly [place: number, row: RollUp])[]> {
  if (files.length === 0 || series.length === 0) return [];
  const wanted = series.map((_, i) => `(${i}, ?, ?, ?)`).join(", ");
  const values: Parameter[] = series.flatMap(({ source, name, labels }) => [source, name, labels]);
  const sql =
    `SELECT w.place, r."start", r."count", r."last_time", r."sum", r."min", r."max", r."last", r."increase" FROM ${relation(folder, files)} r ` +
    `JOIN (VALUES ${wanted}) w(place, source, name, labels) ON r."source" = w.source AND r."name" = w.name AND r."labels" = w.labels ` +
    `WHERE r."tenant" = ? AND r."start" >= ? AND r."start" < ?`;
  const found = await duck.query(sql, [...values, tenant, BigInt(from), BigInt(to)], signal);
  return found.map((cells) => {
    const [place, start, count, last_time, sum, min, max, last, increase] = cells.map(Number) as [number, ...number[]];
    return [place, { start, count, last_time, sum, min, max, last, increase } as RollUp] as const;
  });
}
