/**
 * Where sources hand their records over: batches them, appends them to the raw topic, and only then says "accepted".
 * Knows no source and no detector.
 */
import { crc32 } from "node:zlib";
import {
  type Accepted,
  type AcceptOptions,
  type Clock,
  defineCounter,
  defineHistogram,
  type FormatSpec,
  type Intake,
  idOf,
  release,
  UnavailableError,
} from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Flaw, Micros, RawRecord } from "@vedette/model";
import { detectFormat } from "@vedette/normalise";
import { type CanaryMark, encodeRecords, type RecordsHeader, type Run } from "../batch.ts";
import { canarySource, reservedPrefix } from "../canary/mark.ts";
import type { Headroom } from "./headroom.ts";
import type { SeenIds } from "./seen_ids.ts";

export interface IntakeOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly formats: ReadonlyMap<string, FormatSpec>;
  /** Hash of the program in force. */
  readonly program: () => string;
  readonly tenant: string;
  /** Records accepted of each source before this start. */
  readonly counts: ReadonlyMap<string, number>;
  readonly seen: SeenIds;
  /** Resolves when `seen` knows what the log holds. */
  readonly known: Promise<void>;
  /** What other processes of the installation took in lately. */
  readonly elsewhere?: SeenElsewhere;
  readonly onAccepted?: (source: string, records: number) => void;
  /** Sources whose events are of the past, beside those whose names say so. */
  readonly historical?: ReadonlySet<string>;
  /** Who brings a position can come back to it: such a source waits while it is too far ahead of analysis. */
  readonly headroom?: Headroom;
  /** Of the raw topic; 1 without it. What comes by one stream goes to one of them. */
  readonly partitions?: number;
  /** Sequence numbers begin here, so that several processes take in records of one source. */
  readonly firstSeq?: number;
  /** Bytes of records waiting to be durable, over all sources, beyond which new ones are refused. */
  readonly maxWaitingBytes?: number;
}

/** Sender ids that were made durable by any process: a sender that heard nothing from one asks another. */
export interface SeenElsewhere {
  /** Must not reject over who does not answer. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  add(ids: readonly string[]): Promise<void>;
}

/** Whatever comes by a source of such a name is of the past. */
const historicalPrefix = "historical.";

/** How one source's records are taken. */
export interface SourceOptions {
  readonly source: string;
  /** Fixed format; detected per stream where absent. */
  readonly format?: string;
  readonly formatConfig?: unknown;
  readonly demo?: boolean;
  /** Its events are of the past: they are judged apart from what happens now. */
  readonly historical?: boolean;
}
type Sign = (header: RecordsHeader, bodies: readonly Uint8Array[]) => CanaryMark;

interface Waiting {
  readonly records: readonly RawRecord[];
  readonly options: AcceptOptions;
  readonly run: Omit<Run, "count">;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (e: unknown) => void;
}

const durable = defineHistogram("intake_duration_seconds", "Time until what a source handed over was durable.", ["source"]);
const backpressure = defineCounter(
  "intake_refused_total",
  "Times that a source was told to come again: too much waited to be made durable.",
);

/** What waits for one partition, and who appends it. */
interface Lane {
  readonly waiting: Waiting[];
  running: Promise<void> | undefined;
}

/** One raw batch holds about so many bytes of records: large enough to compress, small enough to share among workers. */
const maxBatchBytes = 1_048_576;
const noIds: { readonly duplicates: number[]; readonly ids: string[] } = { duplicates: [], ids: [] };
const bytesOf = (records: readonly RawRecord[]): number => records.reduce((n, r) => n + r.body.length, 0);
const nobody: ReadonlySet<string> = new Set();
const maxStreams = 4_096;
const sampleSize = 32;

export interface SourceStatus {
  readonly name: string;
  readonly accepted: number;
  readonly lastReceived: Micros | undefined;
}

/** Every source's intake. */
export class Intakes {
  readonly #options: IntakeOptions;
  readonly #intakes = new Map<string, SourceIntake>();
  readonly headroom: Headroom | undefined;
  waitingBytes = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.headroom = options.headroom;
  }

  open(wanted: SourceOptions): SourceIntake {
    // senders name their sources: what is called like ours is not taken for it
    return this.#of(wanted.source.startsWith(reservedPrefix) ? { ...wanted, source: `client.${wanted.source}` } : wanted);
  }

  #of(source: SourceOptions): SourceIntake {
    let intake = this.#intakes.get(source.source);
    if (!intake) {
      const historical = source.source.startsWith(historicalPrefix) || this.#options.historical?.has(source.source) === true;
      intake = new SourceIntake(this, this.#options, historical ? { ...source, historical } : source);
      this.#intakes.set(source.source, intake);
    }
    return intake;
  }

  /** Of a source that is Vedette itself. */
  own(source: SourceOptions): Intake {
    return this.#of(source);
  }

  /** For one canary alone, by the path that sources take; its batch bears the mark and counts as nothing that a source sent. */
  canary(format: string, sign: Sign): Intake {
    return new SourceIntake(this, this.#options, { source: canarySource, format }, sign);
  }

  status(): readonly SourceStatus[] {
    return [...this.#intakes.values()].map((i) => ({ name: i.name, accepted: i.accepted, lastReceived: i.lastReceived }));
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#intakes.values()].map((i) => i.settled()));
  }
}

class SourceIntake implements Intake {
  readonly name: string;
  accepted: number;
  lastReceived: Micros | undefined;
  readonly #all: Intakes;
  readonly #options: IntakeOptions;
  readonly #source: SourceOptions;
  readonly #sign: Sign | undefined;
  readonly #formats = new Map<string, string>();
  /** By partition of the raw topic. */
  readonly #lanes = new Map<number, Lane>();
  /** Sequence number of the next record. */
  #seq: number;

  constructor(all: Intakes, options: IntakeOptions, source: SourceOptions, sign?: Sign) {
    this.#all = all;
    this.#options = options;
    this.#source = source;
    this.#sign = sign;
    this.name = source.source;
    this.accepted = options.counts.get(`in/${source.source}`) ?? 0;
    this.#seq = (options.firstSeq ?? 0) + this.accepted;
  }

  async accept(records: readonly RawRecord[], options: AcceptOptions = {}): Promise<Accepted> {
    if (records.length === 0 && options.position === undefined && options.lost === undefined) return { duplicates: [] };
    const entered = this.#source.historical ? await this.#all.headroom?.past(bytesOf(records)) : undefined;
    try {
      return await this.#take(records, options);
    } finally {
      entered?.();
    }
  }

  async #take(records: readonly RawRecord[], options: AcceptOptions): Promise<Accepted> {
    if (options.position !== undefined) await this.#all.headroom?.room();
    const limit = this.#options.maxWaitingBytes ?? 64 * maxBatchBytes;
    if (this.#all.waitingBytes > limit) {
      backpressure.add(1);
      throw new UnavailableError("backpressure", `${limit} bytes are waiting to be made durable; try again`);
    }
    const hasIds = records.some((r) => r.id !== undefined);
    if (hasIds) await this.#options.known;
    const claimed = hasIds ? this.#claimIds(records, await this.#toldElsewhere(records)) : noIds;
    const kept = claimed.duplicates.length === 0 ? records : records.filter((_, i) => !claimed.duplicates.includes(i));
    if (claimed.duplicates.length > 0) await this.#confirm(records, claimed.duplicates);
    if (kept.length === 0 && options.position === undefined && options.lost === undefined) return { duplicates: claimed.duplicates };
    const bytes = bytesOf(kept);
    try {
      await durable.time(
        () =>
          new Promise<void>((resolve, reject) => {
            const partition = this.#partitionOf(kept, options);
            const lane = this.#lanes.get(partition) ?? { waiting: [], running: undefined };
            this.#lanes.set(partition, lane);
            lane.waiting.push({ records: kept, options, run: this.#runOf(kept, options), bytes, resolve, reject });
            this.#all.waitingBytes += bytes;
            lane.running ??= this.#drain(partition, lane);
          }),
        this.name,
      );
    } catch (e) {
      for (const id of claimed.ids) this.#options.seen.delete(id);
      throw e;
    }
    // only now, so that nobody takes for there what is not; that it is lost means a repeat at worst
    if (claimed.ids.length > 0) void this.#options.elsewhere?.add(claimed.ids).catch(() => {});
    return { duplicates: claimed.duplicates };
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map(({ running }) => running));
  }

  /** One sender's records of a stream stay in order: they lie in one partition. */
  #partitionOf(records: readonly RawRecord[], { stream = "" }: AcceptOptions): number {
    const { partitions = 1 } = this.#options;
    return partitions === 1 ? 0 : crc32(`${this.name}\0${stream}\0${records[0]?.peer ?? ""}`) % partitions;
  }

  /** Ids of records that this process does not know and another has made durable. */
  async #toldElsewhere(records: readonly RawRecord[]): Promise<ReadonlySet<string>> {
    const { elsewhere, seen } = this.#options;
    if (elsewhere === undefined) return nobody;
    const ids = records.flatMap(({ id }) => (id === undefined ? [] : [this.#idOf(id)])).filter((id) => !seen.has(id));
    return ids.length === 0 ? nobody : await elsewhere.known(ids);
  }

  /** In one step with what hands the records on: whoever comes by the same id meanwhile waits for that. */
  #claimIds(records: readonly RawRecord[], told: ReadonlySet<string>): { readonly duplicates: number[]; readonly ids: string[] } {
    const duplicates: number[] = [];
    const ids: string[] = [];
    records.forEach((r, i) => {
      if (r.id === undefined) return;
      const id = this.#idOf(r.id);
      if (!this.#options.seen.add(id) || told.has(id)) duplicates.push(i);
      else ids.push(id);
    });
    return { duplicates, ids };
  }
  #idOf(id: string): string {
    return idOf(this.#options.tenant, this.name, "id", id);
  }

  /** A duplicate is only one if the first was made durable: what is still under way is waited for. */
  async #confirm(records: readonly RawRecord[], duplicates: readonly number[]): Promise<void> {
    await this.settled();
    for (const i of duplicates) {
      if (!this.#options.seen.has(this.#idOf(records[i]!.id!)))
        throw new UnavailableError("backpressure", "the same document was under way and failed; try again");
    }
  }

  #runOf(records: readonly RawRecord[], options: AcceptOptions): Omit<Run, "count"> {
    const stream = options.stream ?? "";
    const common = { stream, ...(options.preamble === undefined ? {} : { preamble: options.preamble }) };
    if (this.#source.format !== undefined) return { ...common, format: this.#source.format, config: this.#source.formatConfig };
    const sample: string[] = [];
    for (const r of records) {
      if (r.flaw || r.body.length === 0) continue;
      sample.push(Buffer.from(r.body.buffer, r.body.byteOffset, Math.min(r.body.length, 4_096)).toString("utf8"));
      if (sample.length === sampleSize) break;
    }
    const known = this.#formats.get(stream);
    const still =
      known !== undefined &&
      known !== "text" &&
      (sample.length === 0 || this.#options.formats.get(known)!.detect(sample.slice(0, 4), options.preamble, stream) >= 0.5);
    const format = still ? known : detectFormat(this.#options.formats, sample, options.preamble, stream);
    if (this.#formats.size >= maxStreams) this.#formats.clear();
    this.#formats.set(stream, format);
    return { ...common, format };
  }

  /** While one append is under way the next batch gathers: the slower the disk, the larger the groups. */
  async #drain(partition: number, lane: Lane): Promise<void> {
    const { waiting } = lane;
    while (waiting.length > 0) {
      let n = 0;
      let bytes = 0;
      while (n < waiting.length && (n === 0 || bytes + waiting[n]!.bytes <= maxBatchBytes)) bytes += waiting[n++]!.bytes;
      const group = waiting.splice(0, n);
      try {
        await this.#append(partition, group);
        for (const w of group) w.resolve();
      } catch (e) {
        for (const w of group) w.reject(e);
      } finally {
        this.#all.waitingBytes -= bytes;
      }
    }
    lane.running = undefined;
  }

  async #append(partition: number, group: readonly Waiting[]): Promise<void> {
    const received = this.#options.clock.now();
    const runs: Run[] = [];
    const positions: string[] = [];
    const bodies: Uint8Array[] = [];
    const ids: { [index: number]: string } = {};
    const flaws: { [index: number]: Flaw } = {};
    const resume = new Map<string, string>();
    const lost: { [reason: string]: number } = {};
    for (const { records, options, run } of group) {
      if (options.position !== undefined) resume.set(`${this.name}/${options.stream ?? ""}`, options.position);
      for (const [reason, n] of Object.entries(options.lost ?? {})) lost[reason] = (lost[reason] ?? 0) + n;
      for (const r of records) {
        const last = runs.at(-1);
        const same =
          last && last.stream === run.stream && last.format === run.format && last.preamble === run.preamble && last.peer === r.peer;
        if (same) (last as { count: number }).count++;
        else runs.push({ ...run, ...(r.peer === undefined ? {} : { peer: r.peer }), count: 1 });
        if (r.id !== undefined) ids[bodies.length] = r.id;
        if (r.flaw !== undefined) flaws[bodies.length] = r.flaw;
        positions.push(r.position);
        bodies.push(r.body);
      }
    }
    const taken = Object.values(lost).reduce((sum, n) => sum + n, bodies.length);
    const seq = this.#seq;
    this.#seq += taken;
    const { kind, version, program, ...rest }: RecordsHeader = {
      kind: "records",
      version: 1,
      program: this.#options.program(),
      tenant: this.#options.tenant,
      source: this.name,
      received,
      demo: this.#source.demo ?? false,
      ...(this.#source.historical ? { historical: true as const } : {}),
      seq,
      runs,
      positions,
      ...(Object.keys(ids).length > 0 ? { ids } : {}),
      ...(Object.keys(flaws).length > 0 ? { flaws } : {}),
      ...(Object.keys(lost).length > 0 ? { lost } : {}),
    };
    if (this.#sign) {
      const canary = this.#sign({ kind, version, program, ...rest }, bodies);
      await this.#options.log.append("raw", partition, encodeRecords({ kind, version, program, canary, ...rest }, bodies));
      return;
    }
    const bytes = encodeRecords({ kind, version, program, ...rest }, bodies);
    const offset = await this.#options.log
      .append("raw", partition, bytes, {
        positions: [...resume].map(([stream, value]) => ({ stream, value })),
        counts: { [`in/${this.name}`]: taken, ...(Object.keys(ids).length > 0 ? { ids: Object.keys(ids).length } : {}) },
      })
      .catch((e: unknown) => {
        if (this.#seq === seq + taken) this.#seq = seq;
        throw e;
      });
    this.#all.headroom?.appended(offset, bytes.length);
    release(bytes);
    this.accepted += taken;
    this.lastReceived = received;
    this.#options.onAccepted?.(this.name, bodies.length);
  }
}
