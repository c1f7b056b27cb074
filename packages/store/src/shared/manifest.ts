/**
 * Which files of a shared folder count, in the state database: what is still open, by whom, and up to where; which files are sealed. A change is
 * made by who took a partition over last, or not at all. Knows no file's contents.
 */
import { VedetteError } from "@vedette/kit";
import type { Partition } from "../events/manifest.ts";
import type { FileList } from "../events/partitions.ts";
import type { State, Tables } from "../state/tables.ts";
import type { EventWriter, TimeRange } from "../store.ts";
import type { Awaited } from "./awaited.ts";

/** Numbers of segments that one owner of a partition has to itself: at one a second, thirty years. */
const numbersEach = 1e9;
/** Who else takes the same partition over at this moment does so once. */
const tries = 20;

/** In `setting`: until when nobody removes a file that no row names any more, µs: a backup reads those that rows named when it began. */
export const keptUntilSetting = "events.shared.kept_until";

export async function keptUntil(state: State): Promise<number> {
  const row = await state.selectFrom("setting").select("value").where("name", "=", keptUntilSetting).executeTakeFirst();
  return Number(row?.value ?? 0);
}

/** A segment that an earlier owner left, and how many of its bytes count. */
export interface LeftOpen {
  readonly number: number;
  readonly bytes: number;
}
export interface WriterRow extends Omit<Tables["event_writer"], "left_open"> {
  readonly left_open: readonly LeftOpen[];
}
/** A sealed file and the raw partition whose events it holds. */
export interface SharedFile extends Partition {
  readonly partition: number;
}

const rowOf = (row: Tables["event_writer"]): WriterRow => ({ ...row, left_open: JSON.parse(row.left_open) as LeftOpen[] });
const fileOf = ({ odd, ...row }: Tables["event_file"]): SharedFile => ({ ...row, odd: JSON.parse(odd) as string[] });
const taken = (partition: number) =>
  new VedetteError("conflict", true, `another process has taken over the events of raw partition ${partition}`);

/** Bytes of an open segment that count; undefined where nothing of it does. */
export function countedBytes(row: WriterRow, number: number): number | undefined {
  if (number <= row.sealed_segment) return undefined;
  if (Math.floor(number / numbersEach) === row.takeover) return Number.POSITIVE_INFINITY;
  return row.left_open.find((one) => one.number === number)?.bytes;
}

/** Whether nobody will come to a segment file any more: it is sealed, or was written by somebody who had been replaced. */
export const isSpent = (row: WriterRow, number: number): boolean =>
  countedBytes(row, number) === undefined && Math.floor(number / numbersEach) <= row.takeover;

export const writerRows = async (state: State): Promise<readonly WriterRow[]> =>
  (await state.selectFrom("event_writer").selectAll().orderBy("partition").execute()).map(rowOf);

/** Writers, and the sealed files with events of a time, as of one moment. */
export function picture(
  state: State,
  range: TimeRange | undefined,
): Promise<{ readonly writers: readonly WriterRow[]; readonly files: readonly SharedFile[] }> {
  return state
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (tx) => {
      const files = tx.selectFrom("event_file").selectAll();
      const within =
        range === undefined ? files : files.where("max_time", ">=", Math.trunc(range.from)).where("min_time", "<", Math.ceil(range.to));
      const writers = await writerRows(tx);
      return { writers, files: (await within.execute()).map(fileOf) };
    });
}

/** Sealed files of a class, those received first before; after a file where one is given. */
export async function filesOfClass(
  state: State,
  name: string,
  after: SharedFile | undefined,
  limit: number,
): Promise<readonly SharedFile[]> {
  let files = state.selectFrom("event_file").selectAll().where("class", "=", name);
  if (after !== undefined)
    files = files.where((eb) => eb(eb.refTuple("hour", "partition", "name"), ">", eb.tuple(after.hour, after.partition, after.name)));
  return (await files.orderBy("hour").orderBy("partition").orderBy("name").limit(limit).execute()).map(fileOf);
}

export async function filesWithin(state: State, { from, to }: TimeRange): Promise<readonly SharedFile[]> {
  const files = state.selectFrom("event_file").selectAll().where("max_time", ">=", from).where("min_time", "<", to);
  return (await files.execute()).map(fileOf);
}

export async function filesWithDemo(state: State): Promise<readonly SharedFile[]> {
  return (await state.selectFrom("event_file").selectAll().where("demo", ">", 0).execute()).map(fileOf);
}

export async function namesOf(state: State, partition: number): Promise<ReadonlySet<string>> {
  const rows = await state.selectFrom("event_file").select("name").where("partition", "=", partition).execute();
  return new Set(rows.map(({ name }) => name));
}

/** What is stored in sealed files. */
export async function sumOf(state: State, name?: string) {
  const all = state.selectFrom("event_file");
  const row = await (name === undefined ? all : all.where("class", "=", name))
    .select(({ fn }) => [
      fn.countAll().as("files"),
      fn.sum("rows").as("rows"),
      fn.sum("bytes").as("bytes"),
      fn.sum("original_bytes").as("original"),
      fn.min("min_time").as("oldest"),
      fn.max("max_time").as("newest"),
    ])
    .executeTakeFirstOrThrow();
  // sums are texts on PostgreSQL, and of nothing there is none
  const number = (value: unknown) => Number(value ?? 0);
  return {
    files: number(row.files),
    rows: number(row.rows),
    bytes: number(row.bytes),
    original: number(row.original),
    oldest: row.files ? number(row.oldest) : 0,
    newest: number(row.newest),
  };
}

const removed = async (tx: State, { partition, name }: SharedFile): Promise<boolean> =>
  (await tx.deleteFrom("event_file").where("partition", "=", partition).where("name", "=", name).executeTakeFirst()).numDeletedRows === 1n;

const inserted = (tx: State, partition: number, file: Partition) =>
  tx
    .insertInto("event_file")
    .values({ ...file, partition, odd: JSON.stringify(file.odd) })
    .execute();

/** Replaces files, by nothing to drop them; those that are gone already are left out of it. @returns how many were there */
export function replaceFiles(state: State, old: SharedFile, by: readonly Partition[]): Promise<boolean> {
  return state.transaction().execute(async (tx) => {
    if (!(await removed(tx, old))) return false;
    for (const one of by) await inserted(tx, old.partition, one);
    return true;
  });
}

/**
 * Makes `writer` the one who writes, if nobody has a newer epoch.
 * @param left what lies open by an earlier owner's row, which may be none; asked again where that owner sealed something meanwhile
 * @throws VedetteError `conflict`
 */
export async function takeOver(
  state: State,
  writer: EventWriter,
  left: (row: WriterRow | undefined) => { readonly open: readonly LeftOpen[]; readonly applied: number },
): Promise<WriterRow> {
  const { partition, epoch } = writer;
  for (let n = 0; n < tries; n++) {
    const before = await state.selectFrom("event_writer").selectAll().where("partition", "=", partition).executeTakeFirst();
    if (before !== undefined && before.epoch > epoch) throw taken(partition);
    const { open, applied } = left(before && rowOf(before));
    const last = await state
      .selectFrom("event_file")
      .select(({ fn }) => fn.max("segment").as("segment"))
      .where("partition", "=", partition)
      .executeTakeFirstOrThrow();
    const highest = Math.max(Number(last.segment ?? 0), ...open.map(({ number }) => number));
    const takeover = Math.max(before?.takeover ?? 0, Math.floor(highest / numbersEach)) + 1;
    const row = { partition, epoch, takeover, applied, sealed_segment: before?.sealed_segment ?? -1, left_open: JSON.stringify(open) };
    const done =
      before === undefined
        ? await state
            .insertInto("event_writer")
            .values(row)
            .onConflict((conflict) => conflict.doNothing())
            .executeTakeFirst()
        : await state
            .updateTable("event_writer")
            .set(row)
            .where("partition", "=", partition)
            .where("takeover", "=", before.takeover)
            .where("sealed_segment", "=", before.sealed_segment)
            .executeTakeFirst();
    const changed = "numUpdatedRows" in done ? done.numUpdatedRows : done.numInsertedOrUpdatedRows;
    if (changed === 1n) return rowOf(row);
  }
  throw taken(partition);
}

/** Numbers of an owner's own segments begin here. */
export const firstNumber = ({ takeover }: WriterRow): number => takeover * numbersEach;

/** The files of one raw partition, for who has taken it over; every change tells that he still is the one. */
export class WriterFiles implements FileList {
  readonly #state: State;
  readonly #recent: number;
  readonly #awaited: Awaited;
  #row: WriterRow;
  #list: readonly SharedFile[] = [];

  private constructor(state: State, row: WriterRow, recent: number, awaited: Awaited) {
    this.#state = state;
    this.#row = row;
    this.#recent = recent;
    this.#awaited = awaited;
  }

  /** @param recent hour from which files may still be joined */
  static async open(state: State, row: WriterRow, recent: number, awaited: Awaited): Promise<WriterFiles> {
    const files = new WriterFiles(state, row, recent, awaited);
    await files.#read();
    return files;
  }

  async #read(): Promise<void> {
    const rows = await this.#state
      .selectFrom("event_file")
      .selectAll()
      .where("partition", "=", this.#row.partition)
      .where("hour", ">=", this.#recent)
      .orderBy("segment")
      .execute();
    const files = rows.map(fileOf);
    const missing = this.#awaited.of(files);
    this.#list = files.filter((one) => !missing.has(one));
  }

  get partitions(): readonly Partition[] {
    return this.#list;
  }
  get awaited(): readonly Partition[] {
    return [];
  }
  async admit(): Promise<void> {}
  get applied(): number {
    return this.#row.applied;
  }
  get sealedSegment(): number {
    return this.#row.sealed_segment;
  }

  async #fenced(tx: State, change: Partial<WriterRow>): Promise<void> {
    const { partition, takeover } = this.#row;
    const { left_open, ...rest } = change;
    const done = await tx
      .updateTable("event_writer")
      .set({ partition, ...rest, ...(left_open && { left_open: JSON.stringify(left_open) }) })
      .where("partition", "=", partition)
      .where("takeover", "=", takeover)
      .executeTakeFirst();
    if (done.numUpdatedRows !== 1n) throw taken(partition);
  }

  async add(segment: number, applied: number, partitions: readonly Partition[]): Promise<void> {
    const left_open = this.#row.left_open.filter(({ number }) => number !== segment);
    const change = { applied, sealed_segment: segment, left_open };
    await this.#state.transaction().execute(async (tx) => {
      await this.#fenced(tx, change);
      for (const one of partitions) await inserted(tx, this.#row.partition, one);
    });
    this.#row = { ...this.#row, ...change };
    this.#list = [...this.#list, ...partitions.map((one) => ({ ...one, partition: this.#row.partition }))];
  }

  /** What retention took meanwhile is no more in what would replace it: then nothing is replaced. */
  async replace(old: readonly Partition[], added: readonly Partition[]): Promise<void> {
    const { partition } = this.#row;
    const dropped = new Error("dropped meanwhile");
    try {
      await this.#state.transaction().execute(async (tx) => {
        await this.#fenced(tx, {});
        for (const one of old) if (!(await removed(tx, { ...one, partition }))) throw dropped;
        for (const one of added) await inserted(tx, partition, one);
      });
    } catch (error) {
      if (error !== dropped) throw error;
    }
    await this.#read();
  }
}
