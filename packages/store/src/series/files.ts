/** The open segment of samples and the sealed files of roll-ups: adds, seals, joins, drops, and gives queries their rows. Knows no query language. */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompressSync } from "node:zlib";
import { UnavailableError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Duck } from "../events/duck.ts";
import { FrameFile } from "../events/frames.ts";
import type { SeriesRetention } from "../series.ts";
import type { State } from "../state/tables.ts";
import { KnownSeries, type KnownState } from "./known.ts";
import { coarse, fine, type Point, type RollUp, rollUp, widened } from "./roll_up.ts";
import { type EncodedSamples, encodeSamples, openSamples, type SeriesName, seriesKey } from "./samples.ts";
import { joinRows, rowsIn, type SealedFile, type SeriesRows, seriesIn, writeRows } from "./sealed.ts";

export interface SeriesLimits {
  /** Series of one source. */
  readonly perSource: number;
  /** Samples of the open segment after which it is sealed. */
  readonly samples: number;
}
export interface Span {
  readonly tenant: string;
  readonly from: Micros;
  readonly to: Micros;
}

const compress = promisify(zstdCompress) as (bytes: Uint8Array) => Promise<Uint8Array>;
/** A segment with anything in it is sealed after so long: what a query reads of it is bounded by time as well as by size. */
const sealAfter: Micros = 600_000_000;
/** Files of one width and level that are joined into one of the next, and the last level. */
const joinedFiles = 12;
const maxLevel = 3;
const appliedName = "series.applied";
const segmentName = "series.segment";
const pad = (number: number) => String(number).padStart(10, "0");

export class SeriesFiles {
  readonly known: KnownSeries;
  readonly #duck: Duck;
  readonly #state: State;
  readonly #folder: string;
  readonly #limits: SeriesLimits;
  readonly #now: () => Micros;
  #files: readonly SealedFile[] = [];
  /** Named by the manifest and not there: a restore may bring them. */
  #absent: readonly SealedFile[] = [];
  #holds = 0;
  /** What nobody needs but whoever holds the files. */
  #doomed: readonly string[] = [];
  #frames!: FrameFile;
  /** Number of the open segment. */
  #segment = 0;
  #applied = -1;
  #samples = 0;
  /** Receive time of the open segment's first batch. */
  #since: Micros | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(duck: Duck, state: State, folder: string, limits: SeriesLimits, now: () => Micros) {
    this.#duck = duck;
    this.#state = state;
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
    this.known = new KnownSeries(limits.perSource);
  }

  static async open(duck: Duck, state: State, folder: string, limits: SeriesLimits, now: () => Micros): Promise<SeriesFiles> {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const all = new SeriesFiles(duck, state, folder, limits, now);
    await all.#recover();
    return all;
  }

  /** Brings the folder in line with the manifest, whatever a crash left, and learns what the files know. */
  async #recover(): Promise<void> {
    const rows = await this.#state.selectFrom("series_file").selectAll().orderBy("name").execute();
    for (const { name, value } of await this.#state.selectFrom("progress").selectAll().execute()) {
      if (name === appliedName) this.#applied = value;
      if (name === segmentName) this.#segment = value;
    }
    const found = new Set(readdirSync(this.#folder));
    this.#files = rows.filter((one) => found.has(one.name));
    this.#absent = rows.filter((one) => !found.has(one.name));
    const kept = new Set([...this.#files.map((one) => one.name), this.#framesName(), this.#knownName()]);
    for (const name of found) if (!kept.has(name)) rmSync(join(this.#folder, name));
    if (found.has(this.#knownName())) {
      const bytes = zstdDecompressSync(readFileSync(join(this.#folder, this.#knownName())));
      this.known.restore(JSON.parse(bytes.toString("utf8")) as KnownState);
    }
    this.#frames = new FrameFile(join(this.#folder, this.#framesName()));
    this.#frames.recover();
    for (const { offset, received, batch } of this.#frames.read(0)) {
      const opened = openSamples(batch);
      this.known.replay(opened);
      this.#applied = offset;
      this.#samples += opened.which.length;
      this.#since ??= received;
    }
  }
  #framesName(): string {
    return `${pad(this.#segment)}.frames`;
  }
  #knownName(): string {
    return `${pad(this.#segment)}.known`;
  }

  get applied(): number {
    return this.#applied;
  }
  get bytes(): { readonly open: number; readonly sealed: number; readonly files: number } {
    return { open: this.#frames.bytes, sealed: this.#files.reduce((n, one) => n + one.bytes, 0), files: this.#files.length };
  }

  /** One after the other, in the order they were asked for. */
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => {});
    return done;
  }

  /** Keeps a job's samples: durable when it resolves; one at or below what is applied changes nothing. */
  put(offset: number, received: Micros, { bytes }: EncodedSamples): Promise<void> {
    return this.#inOrder(async () => {
      if (offset <= this.#applied) return;
      try {
        if (this.#samples >= this.#limits.samples) await this.#seal();
        const admission = this.known.admit(openSamples(bytes));
        const before = this.#frames.bytes;
        this.#frames.append({ offset, received, batch: encodeSamples(admission.kept).bytes });
        try {
          await this.#frames.sync();
        } catch (error) {
          this.#frames.cut(before);
          throw error;
        }
        this.known.commit(admission);
        this.#applied = offset;
        this.#samples += admission.kept.which.length;
        this.#since ??= received;
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new UnavailableError("store_unavailable", `the series store took nothing of the batch: ${why}`, { cause });
      }
    });
  }

  /** Seals the open segment if it is due, or in any case. */
  seal(all: boolean): Promise<void> {
    return this.#inOrder(async () => {
      const due = this.#since !== undefined && this.#now() - this.#since >= sealAfter;
      if (this.#samples > 0 && (all || due)) await this.#seal();
    });
  }

  async #seal(): Promise<void> {
    const segment = this.#segment;
    const rolled = this.#rolled();
    const added = [
      await writeRows(this.#folder, `${pad(segment)}-10s.parquet`, fine, rolled),
      await writeRows(
        this.#folder,
        `${pad(segment)}-1m.parquet`,
        coarse,
        rolled.map(({ series, rows }) => ({ series, rows: widened(rows, coarse) })),
      ),
    ];
    this.known.turn();
    await this.#writeKnown(segment + 1);
    await this.#state.transaction().execute(async (tx) => {
      await tx.insertInto("series_file").values(added).execute();
      for (const row of [
        { name: appliedName, value: this.#applied },
        { name: segmentName, value: segment + 1 },
      ])
        await tx
          .insertInto("progress")
          .values(row)
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: row.value }))
          .execute();
    });
    const [frames, known] = [this.#frames, join(this.#folder, this.#knownName())];
    this.#files = [...this.#files, ...added];
    this.#segment = segment + 1;
    this.#frames = new FrameFile(join(this.#folder, this.#framesName()));
    this.#samples = 0;
    this.#since = undefined;
    frames.close();
    this.#remove([frames.path, known]);
    await this.#join(fine);
    await this.#join(coarse);
  }

  async #writeKnown(segment: number): Promise<void> {
    const path = join(this.#folder, `${pad(segment)}.known`);
    const file = await open(`${path}.tmp`, "w", 0o600);
    try {
      await file.writeFile(await compress(Buffer.from(JSON.stringify(this.known.state()))));
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
  }

  /** Small files become larger ones, level by level, so that their number grows with the logarithm of time. */
  async #join(width: Micros): Promise<void> {
    for (let level = 0; level < maxLevel; level++) {
      const some = this.#files.filter((one) => one.width === width && one.level === level).slice(0, joinedFiles);
      if (some.length < joinedFiles) continue;
      const stem = some[0]!.name.replace(/(?:\.\d+)?\.parquet$/, "");
      await this.#replace(some, [await joinRows(this.#folder, `${stem}.${level + 1}.parquet`, some)]);
    }
  }

  async #replace(removed: readonly SealedFile[], added: readonly SealedFile[]): Promise<void> {
    const names = removed.map((one) => one.name);
    await this.#state.transaction().execute(async (tx) => {
      await tx.deleteFrom("series_file").where("name", "in", names).execute();
      if (added.length > 0) await tx.insertInto("series_file").values(added).execute();
    });
    const gone = new Set(removed);
    this.#files = [...this.#files.filter((one) => !gone.has(one)), ...added];
    this.#remove(names.map((name) => join(this.#folder, name)));
  }

  #remove(paths: readonly string[]): void {
    if (this.#holds > 0) this.#doomed = [...this.#doomed, ...paths];
    else for (const path of paths) rmSync(path, { force: true });
  }

  /** Keeps every file that is there, or comes, until it is let go. */
  hold(): () => void {
    this.#holds++;
    return () => {
      if (--this.#holds > 0) return;
      const paths = this.#doomed;
      this.#doomed = [];
      this.#remove(paths);
    };
  }

  #admit(): void {
    if (this.#absent.length === 0) return;
    const found = new Set(readdirSync(this.#folder));
    const arrived = this.#absent.filter(({ name }) => found.has(name));
    if (arrived.length === 0) return;
    this.#absent = this.#absent.filter(({ name }) => !found.has(name));
    this.#files = [...this.#files, ...arrived].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Drops files of which everything is older than may be kept. */
  retain(retention: SeriesRetention): Promise<number> {
    return this.#inOrder(async () => {
      const old = this.#files.filter((one) => one.max_time < this.#now() - (one.width === fine ? retention.fine : retention.coarse));
      if (old.length > 0) await this.#replace(old, []);
      return old.length;
    });
  }

  /** The open segment's roll-ups of ten seconds, of the series that are wanted. */
  #rolled(wanted: (series: SeriesName) => boolean = () => true): readonly SeriesRows[] {
    const points = new Map<string, { readonly series: SeriesName; readonly points: Point[] }>();
    for (const { batch } of this.#frames.read(0)) {
      const { series, which, times, values } = openSamples(batch);
      const here = series.map((one) => {
        if (!wanted(one)) return undefined;
        const key = seriesKey(one);
        let all = points.get(key);
        if (all === undefined) {
          all = { series: one, points: [] };
          points.set(key, all);
        }
        return all.points;
      });
      for (let i = 0; i < which.length; i++) here[which[i]!]?.push({ time: times[i]!, value: values[i]! });
    }
    return [...points].map(([key, { series, points: all }]) => {
      all.sort((a, b) => a.time - b.time);
      return { series, rows: rollUp(series.kind, all, fine, this.known.all.get(key)?.sealed) };
    });
  }

  /** Runs a question beside everything else; asks again where files came or went meanwhile, which is rare. */
  async read<T>(work: (reader: SeriesReader) => Promise<T>): Promise<T> {
    this.#admit();
    for (let again = 2; ; again--) {
      const files = this.#files;
      const stands = () => this.#files === files || again === 0;
      try {
        const answer = await work(new SeriesReader(this.#duck, this.#folder, files, (wanted) => this.#rolled(wanted)));
        if (stands()) return answer;
      } catch (error) {
        if (stands()) throw error;
      }
    }
  }
}

/** A still view of all there is. */
export class SeriesReader {
  readonly #duck: Duck;
  readonly #folder: string;
  readonly #files: readonly SealedFile[];
  readonly #open: (wanted: (series: SeriesName) => boolean) => readonly SeriesRows[];

  constructor(duck: Duck, folder: string, files: readonly SealedFile[], open: SeriesReader["openRows"]) {
    this.#duck = duck;
    this.#folder = folder;
    this.#files = files;
    this.#open = open;
  }
  get openRows(): (wanted: (series: SeriesName) => boolean) => readonly SeriesRows[] {
    return this.#open;
  }

  #sealed({ from, to }: Span, width: Micros): readonly SealedFile[] {
    return this.#files.filter((one) => one.width === width && one.min_time < to && one.max_time > from);
  }

  async series(span: Span, width: Micros, wanted: (series: SeriesName) => boolean, signal?: AbortSignal): Promise<readonly SeriesName[]> {
    const found = new Map<string, SeriesName>();
    for (const one of await seriesIn(this.#duck, this.#folder, this.#sealed(span, width), span, signal))
      if (wanted(one)) found.set(seriesKey(one), one);
    for (const { series, rows } of this.#open((one) => one.tenant === span.tenant && wanted(one)))
      if (rows.some(({ start }) => start >= span.from && start < span.to)) found.set(seriesKey(series), series);
    return [...found.values()].sort((a, b) => (seriesKey(a) < seriesKey(b) ? -1 : 1));
  }

  /** Rows of each of these series, in order of time, in buckets of `step`. */
  async rows(span: Span, width: Micros, step: Micros, series: readonly SeriesName[], signal?: AbortSignal): Promise<readonly RollUp[][]> {
    const all: RollUp[][] = series.map(() => []);
    for (const [place, row] of await rowsIn(this.#duck, this.#folder, this.#sealed(span, width), span, series, signal))
      all[place]!.push(row);
    const places = new Map(series.map((one, i) => [seriesKey(one), i]));
    for (const { series: one, rows } of this.#open((each) => places.has(seriesKey(each))))
      all[places.get(seriesKey(one))!]!.push(...rows.filter(({ start }) => start >= span.from && start < span.to));
    return all.map((rows) => widened(rows, step));
  }
}
