/** Pass 1 of the keyed detectors: which events concern which detector, by what keys, and what they come to per bucket. Knows no state of a key. */
import { type Condition, parseQuery } from "@vedette/condition";
import { ConfigError, contentHash, type DetectorSpec, newFields } from "@vedette/kit";
import type { Event, Fields, Micros, Observation, Tally } from "@vedette/model";
import { Questions } from "./questions.ts";
import { detectors } from "./registry.ts";
import { Bucket, maxOriginal, placeOf } from "./tally.ts";

/** A detector with its settings, ready for both passes. */
export interface PreparedDetector {
  readonly spec: DetectorSpec;
  readonly config: unknown;
  /** Content hash of name and configuration: part of every finding id. */
  readonly hash: string;
  /** Disorder it allows, µs. */
  readonly lateness: Micros;
  /** What its findings are shown as; "detector" where absent. */
  readonly kind?: "sigma";
  /** Its findings are on trial, kept apart from those that people work on. */
  readonly shadow?: true;
  /** Raises no finding of its own: its claims are only seen by those that follow it. */
  readonly silent?: true;
  /** Its observations of stored events, for what comes too late; absent: events that come too late for it are lost to it, and counted. */
  readonly again?: {
    /** Holds for every event that concerns it: what the store is asked for. */
    readonly where: Condition;
    observe(events: readonly Event[]): readonly Observation[];
  };
}

export interface DetectStage {
  readonly detectors: ReadonlyMap<string, PreparedDetector>;
  /**
   * What one event shows to the detectors that do not tally; what the others see is kept until `flush`.
   * @param seen watermark of the event's (source, stream, host) before it
   * @param stream by which it came; "" for what is judged from the store
   */
  observe(event: Event, seen: Micros, demo: boolean, stream?: string): readonly Observation[];
  /** The tallies since the last call, oldest bucket first; before each tick and at the end of a job, so that jobs share nothing. */
  flush(): Flushed;
}
export interface Flushed {
  readonly observations: readonly Observation[];
  /** Per detector: keys of single events beyond the bound, left out. */
  readonly capped: ReadonlyMap<string, number>;
}

const defaultLateness: Micros = 30_000_000;
const none: readonly Observation[] = [];
/** Keys of one event for one detector that asks for no more: a crafted event with a thousand addresses must not cost a thousand folds. */
const maxKeys = 16;

/** `where` is absent for a detector that only follows others. */
type Concerned = PreparedDetector & { readonly where?: Condition };

/**
 * Makes every detector ready with its settings (defaults where `settings` has none; false turns one off).
 * @param lateness the program's, µs; a detector may ask for more
 */
export async function prepareDetectors(
  settings: { readonly [name: string]: unknown },
  lateness: Micros = defaultLateness,
): Promise<DetectStage> {
  const prepared: Concerned[] = [];
  for (const [name, spec] of await detectors())
    if (settings[name] !== false) prepared.push(...prepareSteps(spec, settings[name] ?? {}, lateness));
  return stageOf(prepared);
}

/** Of a detector of two steps both: the findings are the second's, which has the name. */
function prepareSteps(spec: DetectorSpec, settings: unknown, lateness: Micros): readonly Concerned[] {
  const { second, tally: _, asks: _asks, ...rest } = spec;
  if (!second) return [prepareDetector(spec, settings, lateness)];
  const first = firstStep(spec.name);
  const { hash, ...prepared } = prepareDetector({ ...rest, ...second, where: "", follows: [first] }, settings, lateness);
  return [
    { ...prepareDetector({ ...spec, name: first }, settings, lateness), silent: true },
    { ...prepared, hash: contentHash(JSON.stringify([hash, first])) },
  ];
}
/** The name of the first step of a detector of two. */
export const firstStep = (name: string): string => `${name}/first`;

/** @throws ConfigError `query_invalid` where its `where` does not parse */
export function prepareDetector(spec: DetectorSpec, settings: unknown, lateness: Micros = defaultLateness): Concerned {
  const config = spec.config.parse(settings);
  const where = spec.where === "" && spec.follows ? undefined : whereOf(spec, config);
  const prepared: Concerned = {
    spec,
    config,
    hash: contentHash(JSON.stringify([spec.name, config])),
    lateness: Math.max(lateness, spec.lateness?.(config) ?? 0),
    ...(where && { where }),
  };
  return where && !spec.unstored ? { ...prepared, again: { where, observe: (events) => observeAll(prepared, events) } } : prepared;
}

function whereOf(spec: DetectorSpec, config: unknown): Condition {
  const parse = (text: string): Condition => {
    const query = parseQuery(text);
    if (!query.ok) throw new ConfigError("query_invalid", `detector ${spec.name}: ${query.message}`);
    return query.query.where;
  };
  const asks = spec.asks?.(config);
  return asks ? { op: "and", of: [parse(spec.where), { op: "or", of: asks.map(parse) }] } : parse(spec.where);
}

function observeAll(detector: Concerned, events: readonly Event[]): readonly Observation[] {
  const { observe, flush } = stageOf([detector]);
  const found = events.flatMap((event) => observe(event, Number.NEGATIVE_INFINITY, event.fields["vedette.demo"] === true));
  return [...found, ...flush().observations];
}

export function stageOf(all: readonly Concerned[]): DetectStage {
  const tallies = new Tallies();
  let capped = new Map<string, number>();
  const questions = new Questions(all.flatMap((who) => (who.where ? [{ where: who.where, who }] : [])));
  const take = (detector: Concerned, event: Event, seen: Micros, demo: boolean, stream: string, found: Observation[] | undefined) => {
    const key = detector.spec.key(event.fields, detector.config);
    if (key === undefined) return found;
    const keys = typeof key === "string" ? [key] : key;
    const most = detector.spec.fan ?? maxKeys;
    if (keys.length > most) capped.set(detector.spec.name, (capped.get(detector.spec.name) ?? 0) + keys.length - most);
    const counted = detector.spec.at ? countedAt(event, detector.spec.at(event.fields, event.time, event.received)) : event;
    for (const one of keys.length === 1 ? keys : new Set(keys.slice(0, most))) {
      if (detector.spec.tally) tallies.add(detector, one, counted, seen, demo, stream);
      else {
        found ??= [];
        found.push(observation(detector.spec, one, counted, seen, demo, stream));
      }
    }
    return found;
  };
  return {
    detectors: new Map(all.map((detector) => [detector.spec.name, detector])),
    observe(event, seen, demo, stream = "") {
      let found: Observation[] | undefined;
      questions.ask(event, (detector) => {
        found = take(detector, event, seen, demo, stream, found);
      });
      return found ?? none;
    },
    flush() {
      const flushed = { observations: tallies.take(), capped };
      if (capped.size > 0) capped = new Map();
      return flushed;
    },
  };
}

/** The event at another time: no earlier than it happened, no later than it was received. */
function countedAt(event: Event, at: Micros | undefined): Event {
  if (at === undefined || !(at > event.time) || event.received <= event.time) return event;
  return { ...event, time: Math.min(Math.round(at), event.received) };
}

/** What pass 2 is told of one event under one key. */
export function observation(spec: DetectorSpec, key: string, event: Event, seen: Micros, demo: boolean, stream: string): Observation {
  const found: Observation & { historical?: true } = {
    detector: spec.name,
    key: `${event.tenant}\0${key}`,
    time: event.time,
    source: event.source,
    seq: event.seq,
    stream,
    host: event.host,
    event: event.id,
    received: event.received,
    demo,
    seen,
    fields: projected(spec, event),
    original: event.original.slice(0, maxOriginal),
  };
  if (event.fields["vedette.historical"] === true) found.historical = true;
  return found;
}

function projected(spec: DetectorSpec, event: Event): Fields {
  const fields = newFields();
  for (const name of spec.fields) if (event.fields[name] !== undefined) fields[name] = event.fields[name];
  return fields;
}

/**
 * Tallies of one job, apart by (source, host) and, where the events of several streams alternate, by stretches of one stream: whether a bucket
 * comes too late is judged in a stream's own order, here by what the job itself has seen and in pass 2 by what came before it; a bucket is late
 * as a whole, so that no batch border can split it.
 */
class Tallies {
  #all: Bucket[] = [];
  /** The newest stretch of each bucket. */
  readonly #open = new Map<string, { readonly stream: string; readonly late: boolean; readonly bucket: Bucket }>();

  add({ spec, config, lateness }: PreparedDetector, key: string, event: Event, seen: Micros, demo: boolean, stream: string): void {
    const tally = spec.tally!;
    const width = tally.bucket(config);
    const start = Math.floor(event.time / width) * width;
    const late = start + width < seen - lateness;
    const id = `${spec.name}\0${start}\0${event.source}\0${event.host}\0${event.tenant}\0${key}`;
    const open = this.#open.get(id);
    if (open && open.stream === stream && open.late === late) {
      open.bucket.add(event, demo, tally, config, () => projected(spec, event));
      return;
    }
    const first: Tally = {
      start,
      count: 1,
      value: tally.of(event.fields, event.time, config, event.id),
      sample: [placeOf(event, tally)],
      seq: event.seq,
      last: event.seq,
    };
    const bucket = new Bucket({ ...observation(spec, key, event, seen, demo, stream), tally: first });
    this.#open.set(id, { stream, late, bucket });
    this.#all.push(bucket);
  }

  take(): readonly Observation[] {
    if (this.#all.length === 0) return none;
    const all = this.#all.sort((a, b) => a.start - b.start).map((b) => b.observation());
    this.#all = [];
    this.#open.clear();
    return all;
  }
}
