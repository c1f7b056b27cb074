/** Correlations run over matches that come in the order of time: for scans, tests and users of the library. Knows no lateness and no store. */
import type { Readable } from "@vedette/condition";
import type { CorrelationState, Episode } from "./episode.ts";
import { type Correlation, type CorrelationSet, groupValues } from "./link.ts";
import type { Progress } from "./measure.ts";

/** An event as correlations need it. */
export interface CorrelatedEvent extends Pick<Readable, "fields"> {
  /** Its identity; a second event of the same id is ignored while the first still counts. */
  readonly id: string;
  /** µs since the epoch, never less than the one before. */
  readonly time: number;
}

/** An episode as it stands now; a later one of the same correlation, key and start replaces it. */
export interface CorrelationFinding extends Episode {
  readonly correlation: Correlation;
  readonly key: string;
  /** The group-by fields as the correlation writes them, with their values. */
  readonly group: { readonly [field: string]: string };
  /** Whether it only feeds other correlations. */
  readonly silent: boolean;
}

export interface CorrelatorOptions {
  /** Keys remembered at once; beyond it the ones seen longest ago are forgotten and counted. 100,000 if not given. */
  readonly maxKeys?: number;
  /** Told of each step of a key, whether anything holds or not. */
  readonly watch?: (correlation: Correlation, key: string, progress: Progress, event: CorrelatedEvent) => void;
}

interface Known {
  readonly state: CorrelationState;
  readonly correlation: Correlation;
  /** Ids of events that still count, with the time until which they do. */
  readonly events: ReadonlyMap<string, number>;
}

export class Correlator {
  /** Keys forgotten although they still mattered. */
  forgotten = 0;
  readonly #set: CorrelationSet;
  readonly #maxKeys: number;
  readonly #watch: CorrelatorOptions["watch"];
  /** By correlation and key, the one seen longest ago first. */
  readonly #states = new Map<string, Known>();
  /** Of windows that are asked at their end: no one's end comes before. */
  #firstEnd = Number.POSITIVE_INFINITY;

  constructor(set: CorrelationSet, options: CorrelatorOptions = {}) {
    this.#set = set;
    this.#maxKeys = options.maxKeys ?? 100_000;
    this.#watch = options.watch;
  }

  /** Takes an event with the ids of the rules it matched; gives the episodes that began or went on with it, silent ones included. */
  add(event: CorrelatedEvent, matched: readonly string[]): readonly CorrelationFinding[] {
    const found: CorrelationFinding[] = [];
    this.#close(event.time, found);
    this.#feed(event, matched, found);
    return found;
  }

  /** No more events: what the windows came to that are asked at their end. */
  finish(): readonly CorrelationFinding[] {
    const found: CorrelationFinding[] = [];
    this.#close(Number.POSITIVE_INFINITY, found);
    return found;
  }

  /** Windows that are over before `time`, in the order of their ends: what one came to may belong into another. */
  #close(time: number, found: CorrelationFinding[]): void {
    while (this.#firstEnd < time) {
      let first: readonly [id: string, known: Known, end: number] | undefined;
      this.#firstEnd = Number.POSITIVE_INFINITY;
      for (const [id, known] of this.#states) {
        const end = known.correlation.closes?.(known.state);
        if (end === undefined) continue;
        if (first === undefined || end < first[2]) first = [id, known, end];
      }
      if (first === undefined || first[2] >= time) {
        this.#firstEnd = first?.[2] ?? Number.POSITIVE_INFINITY;
        return;
      }
      const [id, { correlation, state }, end] = first;
      this.#firstEnd = end;
      this.#states.delete(id);
      const episode = correlation.close!(state);
      if (episode) this.#tell(correlation, id.slice(id.indexOf("\0") + 1), episode, id, true, found);
    }
  }

  #feed(event: CorrelatedEvent, matched: readonly string[], found: CorrelationFinding[]): void {
    for (const correlation of new Set(matched.flatMap((id) => this.#set.taking(id))))
      for (const { key, rules, values } of correlation.contributions(matched, event.fields)) {
        const id = `${correlation.rule.id}\0${key}`;
        const known = this.#states.get(id);
        if ((known?.events.get(event.id) ?? Number.NEGATIVE_INFINITY) >= event.time) continue;
        const { state, episode } = correlation.fold({ time: event.time, event: event.id, rules, values }, known?.state);
        this.#remember(id, { state, correlation, events: stillCounting(known, event, correlation.expires(state)) }, event.time);
        this.#watch?.(correlation, key, correlation.progress(state), event);
        this.#firstEnd = Math.min(this.#firstEnd, correlation.closes?.(state) ?? Number.POSITIVE_INFINITY);
        if (episode === undefined) continue;
        this.#tell(correlation, key, episode, id, known?.state.episode?.start !== episode.start, found);
      }
  }

  #tell(correlation: Correlation, key: string, episode: Episode, id: string, began: boolean, found: CorrelationFinding[]): void {
    const finding = this.#finding(correlation, key, episode);
    found.push(finding);
    if (began) this.#feed(chained(finding, id), [correlation.rule.id], found);
  }

  #finding(correlation: Correlation, key: string, episode: Episode): CorrelationFinding {
    const values = groupValues(correlation, key);
    const group: { [field: string]: string } = Object.create(null);
    for (const [i, field] of correlation.rule.groupBy.entries()) group[field] = values[i]!;
    return { ...episode, correlation, key, group, silent: this.#set.silent.has(correlation.rule.id) };
  }

  #remember(id: string, known: Known, time: number): void {
    this.#states.delete(id);
    this.#states.set(id, known);
    if (this.#states.size <= this.#maxKeys) return;
    for (const [oldest, { state, correlation }] of this.#states) {
      if (this.#states.size <= this.#maxKeys) break;
      this.#states.delete(oldest);
      if (correlation.expires(state) >= time) this.forgotten++;
    }
  }
}

/** Ids remembered for each key: a sender repeats itself within seconds, not after a thousand others. */
const maxRemembered = 1_000;

function stillCounting(known: Known | undefined, event: CorrelatedEvent, until: number): ReadonlyMap<string, number> {
  const events = new Map(known?.events);
  events.set(event.id, until);
  if (events.size > maxRemembered) events.delete(events.keys().next().value!);
  return events;
}

/** What an episode is to the correlations that take it: one event, at the moment when its condition first held. */
function chained(finding: CorrelationFinding, id: string): CorrelatedEvent {
  return { id: `${id}\0${finding.start}`, time: finding.end, fields: finding.group };
}
