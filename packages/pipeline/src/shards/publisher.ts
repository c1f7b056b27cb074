/**
 * Pass 1's side of a cluster: what a job of one raw partition has for each shard goes to the shard's partition of the observations topic, once,
 * in order, whatever crashes. Knows no fold.
 */
import { shardCount } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { DetectorLine, Micros } from "@vedette/model";
import type { CheckpointRow } from "@vedette/store";
import { keyedDetectors } from "../analyse.ts";
import type { Analysis } from "../analysis.ts";
import type { Reached } from "../fold.ts";
import type { KeyedStep, KeyRow } from "../keyed.ts";
import type { Pass2, Pass2State, Told } from "../pass2.ts";
import type { Program } from "../program.ts";
import { Watermarks } from "../watermarks.ts";
import { Placement } from "./placement.ts";
import { decodeShardRecord, encodeShardRecord, type Progress, type ShardStep } from "./record.ts";

const topic = "observations";
const readBytes = 4_194_304;
/** Origins far behind that a tick names; more of them hold back only the whole partition. */
const maxFar = 1_000;

export class Publisher implements Pass2 {
  readonly crowded = false;
  readonly #log: Log;
  readonly #partition: number;
  readonly #live = new Watermarks();
  readonly #past = new Watermarks();
  #placement = new Placement(new Map());
  #program = "";
  #epoch = 0;
  /** By shard: the last raw offset that an earlier run told it of. */
  #told: readonly number[] = [];
  /** By shard: where the newest record of this partition lies, or one that comes before it. */
  #at: number[] = Array.from({ length: shardCount }, () => 0);

  readonly #onBusy: (busy: boolean) => void;

  /** @param partition of the raw topic. @param onBusy hears after each job whether more of the log waits */
  constructor(log: Log, partition: number, onBusy: (busy: boolean) => void = () => {}) {
    this.#log = log;
    this.#partition = partition;
    this.#onBusy = onBusy;
  }

  /** After its fence nothing that another engine of this partition still writes counts, so that what lies before it is all there is. */
  async load(saved: Pass2State | undefined, _: readonly CheckpointRow[], __: number, epoch: number): Promise<void> {
    this.#epoch = epoch;
    this.#live.restore(saved?.watermarks ?? []);
    this.#past.restore(saved?.past_watermarks ?? []);
    const fence = encodeShardRecord({ kind: "fence", version: 1, from: this.#partition, epoch });
    this.#told = await Promise.all(
      this.#at.map(async (_, shard) => {
        const end = await this.#log.append(topic, shard, fence);
        const { start } = await this.#log.bounds(topic, shard);
        this.#at[shard] = end;
        return this.#lastTold(shard, Math.max(start, saved?.published?.[shard] ?? start), end);
      }),
    );
  }

  async adopt(program: Program): Promise<void> {
    this.#placement = new Placement(await keyedDetectors(program));
    this.#program = program.hash;
  }

  endsAt(offset: number): boolean {
    return this.#told.includes(offset);
  }

  async take({ keyed, last, program }: Analysis, { busy }: Pick<Reached, "busy">): Promise<Told> {
    this.#onBusy(busy);
    const shards: (ShardStep[] | undefined)[] = [];
    const put = (shard: number, step: ShardStep) => {
      shards[shard] ??= [];
      shards[shard].push(step);
    };
    for (const step of keyed) this.#place(step, put);
    const records = shards.flatMap((steps, shard) => (steps === undefined || last <= (this.#told[shard] ?? -1) ? [] : [{ shard, steps }]));
    if (records.length === 0) return { found: [], late: [] };
    const [from, epoch, judgedBy] = [this.#partition, this.#epoch, program || this.#program];
    const publish = async (stored: Micros) => {
      await Promise.all(
        records.map(async ({ shard, steps }) => {
          const record = encodeShardRecord({ kind: "steps", version: 1, from, epoch, last, program: judgedBy, stored, steps });
          this.#at[shard] = await this.#log.append(topic, shard, record);
        }),
      );
    };
    return { found: [], late: [], publish };
  }

  state(): Pass2State {
    return { watermarks: this.#live.entries(), past_watermarks: this.#past.entries(), published: [...this.#at] };
  }
  drain(): readonly KeyRow[] {
    return [];
  }
  written(): void {}
  lines(): readonly DetectorLine[] {
    return [];
  }

  #place(step: KeyedStep, put: (shard: number, step: ShardStep) => void): void {
    if ("advance" in step) {
      const marks = step.historical ? this.#past : this.#live;
      for (const [from, time, received] of step.advance) marks.advance(from, time, received);
    } else if ("observe" in step) {
      const o = step.observe;
      const mark = (o.historical ? this.#past : this.#live).of(o.source, o.stream, o.host);
      put(this.#placement.of(o.detector, o.key), { observe: mark > o.seen ? { ...o, seen: mark } : o });
    } else if ("capped" in step) put(this.#placement.of(step.capped.detector, ""), step);
    else {
      const tick = { tick: step.tick, live: progress(this.#live, step.tick), past: progress(this.#past, step.tick) };
      for (let shard = 0; shard < shardCount; shard++) put(shard, tick);
    }
  }

  async #lastTold(shard: number, from: number, fence: number): Promise<number> {
    let last = -1;
    for (let at = from; at < fence; ) {
      const entries = await this.#log.read(topic, shard, at, readBytes);
      if (entries.length === 0) break;
      for (const entry of entries) {
        at = entry.offset + 1;
        if (!("bytes" in entry) || entry.offset >= fence) continue;
        const record = decodeShardRecord(entry.bytes);
        if (record.from === this.#partition && record.kind === "steps") last = Math.max(last, record.last);
      }
    }
    return last;
  }
}

function progress(marks: Watermarks, wall: Micros): Progress {
  return { mark: marks.global(wall), far: marks.far(wall, maxFar) };
}
