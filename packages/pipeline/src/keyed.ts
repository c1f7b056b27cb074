/**
 * Pass 2: keyed folds. A function of the log alone: no I/O, clock or randomness. Each observation is evaluated on arrival; an earlier one that
 * comes within the lateness has the key's short history folded again, a later one goes to the catch-up lane. Knows no detector's meaning.
 */
import { inputOf, type PreparedDetector } from "@vedette/detect";
import { shardOf } from "@vedette/kit";
import type { DetectorLine, Finding, Micros, Observation } from "@vedette/model";
import { type Around, catchUp } from "./keyed/catch_up.ts";
import { Chain, observationsOf } from "./keyed/chain.ts";
import { Counters, type KeyedCounts, type SavedCounters } from "./keyed/counters.ts";
import { Forgotten } from "./keyed/forgotten.ts";
import { Key } from "./keyed/key.ts";
import { type KeyedBounds, type KeyRow, Keys, shardOfId } from "./keyed/keys.ts";
import { Lane, type LateItem } from "./keyed/lane.ts";
import { type Held, settlesAt, widthOf } from "./keyed/order.ts";
import { migrated } from "./keyed/saved.ts";
import { type Marks, type Origin, Watermarks } from "./watermarks.ts";

export type KeyedDetector = PreparedDetector;
export { bytesInMemory, type KeyedBounds, type KeyRow, keysInMemory } from "./keyed/keys.ts";
export type { Around, KeyedCounts, LateItem, SavedCounters };

/** What pass 1 hands to pass 2, in log order. */
export type KeyedStep =
  | { readonly observe: Observation }
  | { readonly tick: Micros }
  /** Keys of single events beyond the bound on fan-out, left out in pass 1. */
  | { readonly capped: { readonly detector: string; readonly keys: number } }
  /** How far each host's streams have come in event time. */
  | { readonly advance: readonly (readonly [from: Origin, time: Micros, received: Micros])[]; readonly historical?: true };

/** What several engines count, by detector. */
export function summed(lines: Iterable<DetectorLine>): readonly DetectorLine[] {
  const sums = new Map<string, DetectorLine>();
  for (const line of lines) {
    const known: { readonly [count: string]: unknown } = { ...sums.get(line.name) };
    const sum = Object.entries(line).map(([name, n]) => [name, typeof n === "number" ? n + Number(known[name] ?? 0) : n]);
    sums.set(line.name, Object.fromEntries(sum) as DetectorLine);
  }
  return [...sums.values()];
}

/** Rows of the catch-up lane among the keys: no detector's name begins with a control character. */
const lanePrefix = "\u0001late\0";
/** Above every revision a window is shown with while its key lives: those go up by doublings, severities and quiet spells. */
const lateRevision = 1_000;
/** More rounds of the lane than there are between two checkpoints. */
const roundsOfRun = 1_000_000;

export class KeyedEngine {
  readonly watermarks: Marks;
  readonly counters = new Counters();
  readonly lane = new Lane();
  #detectors: ReadonlyMap<string, KeyedDetector>;
  #chain: Chain;
  readonly #keys: Keys;
  /** Keys to be folded again, see `Key.observe`. */
  readonly #anew = new Map<string, Key>();
  readonly #forgotten = new Forgotten();
  /** The furthest the watermark was at any tick: it falls back when a slow stream begins. */
  #passed: Micros = Number.NEGATIVE_INFINITY;
  /** Rounds of the catch-up lane. */
  #rounds = 0;
  readonly #run: number;
  /** By detector: the longest that an observation has mattered. */
  readonly #reaches = new Map<string, Micros>();

  /** @param run number of this run: what it comes to late outdoes what an earlier one told and did not checkpoint */
  constructor(
    detectors: ReadonlyMap<string, KeyedDetector>,
    watermarks: Marks = new Watermarks(),
    bounds: Partial<KeyedBounds> = {},
    run = 0,
  ) {
    this.#run = run;
    this.#detectors = detectors;
    this.#chain = new Chain(detectors);
    this.watermarks = watermarks;
    this.#keys = new Keys(bounds);
  }

  /** Keys known, in memory or not. */
  get keys(): number {
    return this.#keys.size + this.#keys.spilled;
  }
  get keysInMemory(): number {
    return this.#keys.size;
  }
  get spilled(): number {
    return this.#keys.spilled;
  }
  /** True when memory holds more than it should until the next checkpoint. */
  get crowded(): boolean {
    return this.#keys.crowded;
  }
  /** Every detector's counters and the keys it has in memory. */
  lines(): readonly DetectorLine[] {
    const keys = new Map<string, number>();
    for (const { detector } of this.#keys.values()) keys.set(detector.spec.name, (keys.get(detector.spec.name) ?? 0) + 1);
    const names = new Set([...this.#detectors.keys(), ...this.counters.entries().map(([name]) => name)]);
    return [...names].sort().map((name) => ({ name, keys: keys.get(name) ?? 0, ...this.counters.of(name) }));
  }
  /** Over all detectors. */
  get counts(): KeyedCounts {
    return this.counters.total;
  }
  detector(name: string): KeyedDetector | undefined {
    return this.#detectors.get(name);
  }

  /** Goes over to another program: keys of detectors that changed start afresh. */
  adopt(detectors: ReadonlyMap<string, KeyedDetector>): void {
    const chain = new Chain(detectors);
    const kept = this.#keys.clear().filter(([, key]) => detectors.get(key.detector.spec.name)?.hash === key.detector.hash);
    this.#detectors = detectors;
    this.#chain = chain;
    for (const [id, key] of kept) this.#enter(id, new Key(detectors.get(key.detector.spec.name)!, key.key, key.saved()));
  }

  /** Takes pass 1's steps in log order; returns what became visible or canonical by them. */
  take(steps: readonly KeyedStep[]): Finding[] {
    const findings: Finding[] = [];
    for (const step of steps) {
      if ("observe" in step) for (const f of this.observe(step.observe)) findings.push(f);
      else if ("advance" in step) for (const [from, time, received] of step.advance) this.watermarks.advance(from, time, received);
      else if ("capped" in step) this.counters.of(step.capped.detector).capped += step.capped.keys;
      else for (const f of this.finalise(step.tick)) findings.push(f);
    }
    for (const f of this.#review()) findings.push(f);
    return findings;
  }

  /** Takes one observation, in log order; returns what became visible by it. */
  observe(o: Observation): readonly Finding[] {
    const detector = this.#detectors.get(o.detector);
    if (!detector) return none;
    const id = idOf(o);
    const key = this.#keys.get(id);
    const mark = Math.max(o.seen, this.watermarks.of(o.source, o.stream, o.host));
    const settles = settlesAt(o, widthOf(detector));
    const late = settles < mark - detector.lateness || this.#wasForgotten(id, key, detector, settles);
    if (!late) return this.#observe(id, key, o, detector);
    const counts = this.counters.of(o.detector);
    counts.observations += o.tally?.count ?? 1;
    this.#late(o, detector);
    return none;
  }

  /** What was forgotten of its key would matter to it, or lies after it: only the store can tell. */
  #wasForgotten(id: string, key: Key | undefined, { again }: KeyedDetector, settles: Micros): boolean {
    return again !== undefined && !key?.history.frontier && settles <= this.#forgotten.until(id);
  }

  #observe(id: string, known: Key | undefined, o: Held, detector: KeyedDetector): readonly Finding[] {
    const counts = this.counters.of(o.detector);
    counts.observations += o.tally?.count ?? 1;
    const key = known ?? this.#enter(id, new Key(detector, o.key));
    const found = key.observe(o);
    if (found === "late") {
      this.#late(o, detector);
      return none;
    }
    this.lane.inTime(id);
    if (found === "anew") {
      this.#anew.set(id, key);
      return none;
    }
    if (found === "repeated") {
      counts.repeated++;
      return none;
    }
    if (key.crowd()) counts.crowded++;
    this.#keys.observed(id, key);
    return this.#after(id, key, found);
  }

  /** What long histories come to in which something came between. */
  #review(): readonly Finding[] {
    const findings: Finding[] = [];
    // followers that are told of it may be among them
    for (const [id, key] of this.#anew) {
      this.#anew.delete(id);
      if (this.#keys.get(id) !== key) continue;
      if (key.crowd()) this.counters.of(key.detector.spec.name).crowded++;
      for (const f of this.#after(id, key, key.review())) findings.push(f);
    }
    return findings;
  }

  /** Makes canonical what the watermark has passed; `wall` is a tick's, or Infinity at the end of a replay. */
  finalise(wall: Micros): readonly Finding[] {
    const passed = this.passed(wall);
    this.#passed = Math.max(this.#passed, passed);
    const findings: Finding[] = [...this.#review()];
    // claims are final before what follows them settles
    let waiting: readonly string[] = [];
    const again: Key[] = [];
    for (let level = 0; level <= this.#chain.depth; level++) {
      const due = [...waiting.map((id) => this.#keys.get(id)).filter((key) => key !== undefined), ...this.#keys.takeDue(passed)];
      waiting = due.filter((key) => this.#levelOf(key) > level).map(idOfKey);
      again.push(...due.filter((key) => this.#levelOf(key) < level));
      for (const key of due)
        if (this.#levelOf(key) === level)
          for (const f of this.#finalise(idOfKey(key), key, Math.min(passed, this.#held(key, wall)))) findings.push(f);
    }
    for (const key of again) if (this.#keys.get(idOfKey(key)) !== undefined) this.#schedule(idOfKey(key), key);
    return findings;
  }

  /** How far event time has come, by a tick's wall time. */
  passed(wall: Micros): Micros {
    return wall === Number.POSITIVE_INFINITY ? wall : this.watermarks.global(wall);
  }

  #held({ from }: Key, wall: Micros): Micros {
    return from && wall !== Number.POSITIVE_INFINITY ? this.watermarks.held(from, wall) : Number.POSITIVE_INFINITY;
  }
  #levelOf(key: Key): number {
    return this.#chain.level(key.detector.spec.name);
  }

  #finalise(id: string, key: Key, passed: Micros): readonly Finding[] {
    const mark = passed - this.#chain.lag(key.detector);
    key.settle(mark);
    // whoever follows hears of what settled before the last word on it, after which nothing is told any more
    const told = this.#chain.followers.has(key.detector.spec.name) ? this.#after(id, key, none) : none;
    const expires = key.expires();
    const forgotten = expires !== undefined && expires < mark;
    const findings = [...told, ...this.#after(id, key, key.conclude(mark, forgotten))];
    if (forgotten) {
      // at the end of a replay nothing follows
      if (mark !== Number.POSITIVE_INFINITY)
        this.#forgotten.note(id, Math.max(expires, (key.history.frontier?.[0] ?? expires) + widthOf(key.detector)));
      this.#keys.forget(id, key);
    }
    return findings;
  }

  /** After any change of a key: it is written, looked at again in time, and those that follow its detector are told. */
  #after(id: string, key: Key, found: readonly Finding[]): readonly Finding[] {
    this.#keys.change(id, key);
    const followers = this.#chain.followers.get(key.detector.spec.name);
    const told = followers ? this.#tell(key, followers) : none;
    this.#schedule(id, key);
    const own = key.detector.silent ? none : found;
    return told.length === 0 ? own : [...own, ...told];
  }

  #schedule(id: string, key: Key): void {
    const { detector } = key;
    const first = key.history.pending[0];
    const expires = key.expires();
    const next = first ? settlesAt(first, widthOf(detector)) : (expires ?? 0);
    const reach = key.history.reach;
    if (reach > (this.#reaches.get(detector.spec.name) ?? 0)) this.#reaches.set(detector.spec.name, reach);
    const time = Math.min(next, key.concludes() ?? next);
    this.#keys.schedule(id, key, time + this.#chain.lag(detector));
  }

  /** Claims as observations of the detectors that follow: sent, confirmed when they are final, taken back when they are not so. */
  #tell(key: Key, followers: readonly KeyedDetector[]): readonly Finding[] {
    const findings: Finding[] = [];
    for (const { id, told } of key.gone.splice(0)) findings.push(...this.#takeBack(id, told.keys));
    for (const start of Object.keys(key.shown)) {
      const shown = key.shown[start]!;
      const { told } = shown;
      if (shown.orphan) {
        if (told && !told.final) findings.push(...this.#takeBack(shown.id, told.keys));
        if (told && !told.final) shown.told = undefined;
        continue;
      }
      const final = shown.first !== undefined;
      const first = shown.first ?? key.history.claims.get(Number(start))?.first;
      if (first === undefined || !(shown.latest ?? shown.settled) || (told?.first === first && told.final === final) || told?.final)
        continue;
      if (told?.first === first) {
        for (const [name, k] of told.keys) this.#confirm(`${name}\0${k}`, shown.id);
        shown.told = { ...told, final };
        continue;
      }
      if (told) findings.push(...this.#takeBack(shown.id, told.keys));
      const sent = followers.flatMap((f) => observationsOf(key, shown, first, final, f).map((o) => ({ o, f })));
      shown.told = { first, final, keys: sent.map(({ o }) => [o.detector, o.key] as const) };
      for (const { o, f } of sent) findings.push(...this.#observe(idOf(o), this.#keys.get(idOf(o)), o, f));
    }
    return findings;
  }

  #takeBack(event: string, keys: readonly (readonly [detector: string, key: string])[]): readonly Finding[] {
    return keys.flatMap(([name, k]) => {
      const key = this.#keys.get(`${name}\0${k}`);
      if (!key?.history.remove(event)) return [];
      return this.#after(`${name}\0${k}`, key, key.review());
    });
  }
  #confirm(id: string, event: string): void {
    this.#keys.get(id)?.history.confirm(event);
    this.#keys.change(id);
  }

  /** How long such an observation matters: until the detector would forget a key that saw nothing else, or saw what others saw. */
  #reachOf(o: Observation, { spec, config, lateness }: KeyedDetector): Micros {
    const { state } = spec.fold(inputOf(o), undefined, config);
    const own = state === undefined ? 0 : spec.expires(state, config) - o.time;
    return Math.max(own, this.#reaches.get(spec.name) ?? 0, lateness);
  }

  #late(o: Held, detector: KeyedDetector): void {
    const counts = this.counters.of(o.detector);
    const n = o.tally?.count ?? 1;
    counts.late += n;
    // claims have no place in the event store
    const kept = o.source !== "" && this.lane.add(o, () => ({ reach: this.#reachOf(o, detector), by: sharedFields(o, detector) }));
    if (!kept) counts.skipped += n;
  }

  /** Folds a key again around events that came too late for it. */
  catchUp(item: LateItem, around: Around): readonly Finding[] {
    const detector = this.#detectors.get(item.detector);
    if (!detector) return none;
    const id = `${item.detector}\0${item.key}`;
    const key = this.#keys.get(id) ?? this.#enter(id, new Key(detector, item.key));
    this.counters.of(item.detector).caught_up += around.missed.reduce((n, o) => n + (o.tally?.count ?? 1), 0);
    const revision = lateRevision * (this.#run * roundsOfRun + ++this.#rounds);
    return this.#after(id, key, catchUp(key, around, this.#passed - this.#chain.lag(detector), revision));
  }

  /** Keys changed since the last call, serialised. */
  drain(): readonly KeyRow[] {
    const rows = this.#keys.drain();
    for (const { id, item } of this.lane.drain()) {
      rows.push({ shard: shardOfId(id), key: `${lanePrefix}${id}`, value: item && JSON.stringify(item) });
    }
    return rows;
  }

  /** Once everything drained is durable: lets go of the least recently observed keys beyond the bounds; the store has them. */
  spill(): void {
    // what follows others is told without notice, and is no more than there are findings
    for (const { detector } of this.#keys.spill((key) => this.#levelOf(key) > 0)) this.counters.of(detector.spec.name).spilled++;
  }

  /** Beginnings of the rows that are always in memory. */
  get residents(): readonly string[] {
    const followers = [...this.#detectors.keys()].filter((name) => this.#chain.level(name) > 0);
    return [lanePrefix, ...followers.map((name) => `${name}\0`)];
  }

  /** Which of the keys may be in the checkpoint store alone. */
  missing(
    wanted: Iterable<{ readonly detector: string; readonly key: string }>,
  ): readonly { readonly shard: number; readonly key: string }[] {
    if (this.#keys.spilled === 0) return [];
    const missing = new Map<string, number>();
    for (const { detector, key } of wanted) {
      const id = `${detector}\0${key}`;
      if (!this.#keys.knows(id) && !missing.has(id)) missing.set(id, shardOf(detector, key));
    }
    return [...missing].map(([key, shard]) => ({ shard, key }));
  }

  /** Takes keys from the checkpoint; `spilled`: those that it let go itself. */
  restore(rows: readonly { readonly key: string; readonly value: string }[], spilled = false): void {
    for (const { key: id, value } of rows) {
      if (id.startsWith(lanePrefix)) {
        if (!spilled) this.#restoreLate(JSON.parse(value) as LateItem);
        continue;
      }
      // what is in memory, or was forgotten since the last checkpoint, is newer
      if (this.#keys.knows(id)) continue;
      if (spilled) this.#keys.unspill();
      const at = id.indexOf("\0");
      const detector = this.#detectors.get(id.slice(0, at));
      const saved = detector && migrated(value, detector);
      if (!saved) {
        this.#keys.change(id);
        continue;
      }
      const key = new Key(detector, id.slice(at + 1), saved);
      this.#keys.restored(key, value.length);
      this.#enter(id, key);
    }
  }

  /** What an earlier version wrote tells its late events apart in another way: it is given up, and counted. */
  #restoreLate(item: LateItem): void {
    if (item.spans) this.lane.restore(item);
    else {
      this.counters.of(item.detector).skipped += item.count;
      this.lane.forget(item);
    }
  }

  state(): KeyedState {
    const passed = Number.isFinite(this.#passed) ? { passed: this.#passed } : {};
    return { counters: this.counters.saved(), rounds: this.#rounds, reaches: Object.fromEntries(this.#reaches), ...passed };
  }
  /** @param spilled keys that were left in the checkpoint store */
  resume(state: KeyedState | undefined, spilled: number): void {
    if (state) this.counters.restore(state.counters);
    this.#rounds = state?.rounds ?? 0;
    if (state?.passed !== undefined) this.#forgotten.assume(state.passed);
    for (const [name, reach] of Object.entries(state?.reaches ?? {})) this.#reaches.set(name, reach);
    this.#keys.resume(spilled);
  }

  #enter(id: string, key: Key): Key {
    this.#keys.set(id, key);
    this.#schedule(id, key);
    return key;
  }
}

/** What of the engine is not a key's. */
export interface KeyedState {
  readonly counters: SavedCounters;
  readonly rounds: number;
  readonly reaches: { readonly [detector: string]: Micros };
  /** The watermark at the last tick: up to there keys may have been forgotten. */
  readonly passed?: Micros;
}

const none: readonly Finding[] = [];
const idOfKey = ({ detector, key }: Key): string => `${detector.spec.name}\0${key}`;
const idOf = (o: Observation): string => `${o.detector}\0${o.key}`;

function sharedFields(o: Observation, { spec }: KeyedDetector): LateItem["by"] {
  const by: { [field: string]: string | number | boolean } = {};
  for (const field of spec.by ?? []) {
    const value = o.fields[field];
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") by[field] = value;
  }
  return by;
}
