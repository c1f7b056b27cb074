/** Writes Parquet files: a segment's rows per class, several files as one, and a file again without some of its rows. Knows no manifest. */
import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncDirectory } from "@vedette/kit";
import { bigintColumns, columns } from "./columns.ts";
import type { Duck } from "./duck.ts";
import { byClass, columnOf, summaryOf } from "./gather.ts";
import type { Partition } from "./manifest.ts";
import { encodeRowGroup, joinParquet, writeParquet } from "./parquet/file.ts";
import type { Segment } from "./segment.ts";

/** Raised when the columns or their meaning change. */
export const segmentFormat = 1;
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const columnList = columns.map((name) => `"${name}"`).join(", ");
const columnSpecs = columns.map((name) => ({ name, number: bigintColumns.has(name) }));
/** Event marked as demo; the text test spares most rows the JSON. */
export const isDemo = `coalesce(contains(rest, '"vedette.demo":true'), false)`;

/** Gives a finished, durable temporary file its name for good. */
export async function install(temporary: string, path: string): Promise<void> {
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

/** Folders of the event store. */
export interface Folders {
  readonly open: string;
  readonly sealed: string;
  readonly temporary: string;
  /** File of names that a restore will bring to `sealed`, one a line. */
  readonly awaited: string;
  /** Part of the names of files made here, where others who had the folder before may still be making some. */
  readonly mark?: string;
}
export async function makeFolders(directory: string): Promise<Folders> {
  const folders = { open: join(directory, "open"), sealed: join(directory, "sealed"), temporary: join(directory, "tmp") };
  for (const folder of Object.values(folders)) await mkdir(folder, { recursive: true, mode: 0o700 });
  return { ...folders, awaited: join(directory, "awaited") };
}

const numberText = (segment: number): string => String(segment).padStart(10, "0");

/** Writes a segment's files, one a class, each of one row group, in order of arrival. */
export async function writeSegment(segment: Segment, folders: Folders): Promise<readonly Partition[]> {
  const partitions: Partition[] = [];
  for (const rows of byClass([...segment.batches()].filter((batch) => batch.header.count > 0))) {
    const name = `${numberText(segment.number)}${folders.mark ?? ""}-${rows.class}.parquet`;
    const group = await encodeRowGroup(columnSpecs, rows.count, (column) => columnOf(rows, column, bigintColumns.has(column)));
    const temporary = join(folders.temporary, name);
    await rm(temporary, { force: true });
    const bytes = await writeParquet(temporary, columnSpecs, group);
    await install(temporary, join(folders.sealed, name));
    const { demo, original, min, max } = summaryOf(rows);
    partitions.push({
      name,
      segment: segment.number,
      hour: segment.hour,
      class: rows.class,
      rows: rows.count,
      bytes,
      original_bytes: original,
      demo,
      odd: [...segment.odd].sort(),
      min_time: min,
      max_time: max,
      format: segmentFormat,
    });
  }
  return partitions;
}

/** Joins partitions of one hour and class into one, row groups as they are. */
export async function writeJoined(partitions: readonly Partition[], folders: Folders): Promise<Partition> {
  const first = partitions[0] as Partition;
  const last = partitions.at(-1) as Partition;
  const name = `${numberText(first.segment)}-${numberText(last.segment)}${folders.mark ?? ""}-${first.class}.parquet`;
  const temporary = join(folders.temporary, name);
  await rm(temporary, { force: true });
  const sources = partitions.map((one) => join(folders.sealed, one.name));
  const bytes = await joinParquet(temporary, columnSpecs, sources);
  await install(temporary, join(folders.sealed, name));
  const sum = (key: "rows" | "original_bytes" | "demo") => partitions.reduce((total, one) => total + one[key], 0);
  return {
    ...first,
    name,
    rows: sum("rows"),
    bytes,
    original_bytes: sum("original_bytes"),
    demo: sum("demo"),
    odd: [...new Set(partitions.flatMap((one) => one.odd))].sort(),
    min_time: Math.min(...partitions.map((one) => one.min_time)),
    max_time: Math.max(...partitions.map((one) => one.max_time)),
  };
}

/** Writes a partition's rows but those of which `gone`, in SQL, is true to a new file; undefined when none is left. */
export async function writeWithout(duck: Duck, partition: Partition, folders: Folders, gone: string): Promise<Partition | undefined> {
  const from = `FROM read_parquet(${literal(join(folders.sealed, partition.name))}) WHERE (${gone}) IS NOT TRUE`;
  const [row] = await duck.query(`SELECT count(*), min(time), max(time), sum(strlen(original)), count_if(${isDemo}) ${from}`, []);
  const [count, min, max, original, demo] = row ?? [0];
  if (Number(count) === 0) return undefined;
  const stem = partition.name.replace(/(\.\d+)?\.parquet$/, "");
  const generation = Number(/\.(\d+)\.parquet$/.exec(partition.name)?.[1] ?? 0) + 1;
  const name = `${stem}.${generation}.parquet`;
  const temporary = join(folders.temporary, name);
  const options = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3, ROW_GROUP_SIZE 30720";
  await duck.query(`COPY (SELECT ${columnList} ${from}) TO ${literal(temporary)} (${options})`, []);
  const file = await open(temporary, "r+");
  await file.datasync();
  const { size: bytes } = await file.stat();
  await file.close();
  await install(temporary, join(folders.sealed, name));
  const kept = { rows: Number(count), original_bytes: Number(original), min_time: Number(min), max_time: Number(max) };
  return { ...partition, ...kept, name, bytes, demo: Number(demo) };
}
