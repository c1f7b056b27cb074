/**
 * A correlation's fold over one key's events in the order of time: windows, and the episodes in which its condition holds. Pure; knows no
 * other key and no reading of events.
 */
import type { SigmaCorrelation } from "./correlation.ts";
import { type Hit, type Measure, measureOf, type Progress, type Verdict } from "./measure.ts";

/** From the first to the newest event of the window in which the condition holds, and on for as long as it does. */
export interface Episode {
  readonly start: number;
  readonly end: number;
  /** All contributing events; `events` holds the first thousand's ids. */
  readonly count: number;
  readonly events: readonly string[];
  readonly figure: string;
}

/** JSON; small: see the bounds in measure.ts. */
export interface CorrelationState {
  readonly measure: unknown;
  /** Start of the tumbling or session window, and of any that is asked at its end. */
  readonly opened: number;
  readonly last: number;
  readonly episode?: Episode | undefined;
}

export interface Fold {
  /** `episode` is that of a window that is over where `closes` is there, and then the hit is none of it. */
  fold(hit: Hit, state: CorrelationState | undefined): { readonly state: CorrelationState; readonly episode?: Episode | undefined };
  /** Only where the condition may turn false again: when the window is over, and with it the state. */
  closes?(state: CorrelationState): number;
  /** What the window came to, once it is over. */
  close?(state: CorrelationState): Episode | undefined;
  /** The oldest time that still matters. */
  expires(state: CorrelationState): number;
  /** How far a key has come as of its newest hit. */
  progress(state: CorrelationState): Progress;
}

const maxEvents = 1_000;

export function foldOf(correlation: SigmaCorrelation): Fold {
  const { timespan, window, gap, bounds } = correlation;
  const measure = measureOf(correlation);
  // of a bound from above nothing is known before the window is over
  if (bounds.some(({ op }) => op !== "gt" && op !== "gte")) return askedAtTheEnd(correlation, measure);
  return {
    fold(hit, before) {
      const opened = openedAt(correlation, hit.time, before);
      const same = before !== undefined && opened === before.opened;
      const from = window === "sliding" ? hit.time - timespan : opened;
      const state = measure.add(same ? before.measure : measure.empty, hit, from);
      const verdict = measure.verdict(state, from);
      const ongoing =
        same && before.episode && (window !== "sliding" || hit.time - before.episode.end <= timespan) ? before.episode : undefined;
      const kept = { opened, last: hit.time };
      if (verdict === undefined) return { state: lapsed(measure, correlation, state, hit, kept, ongoing) };
      const episode = ongoing
        ? longer(correlation, ongoing, hit, verdict.figure)
        : begun(window === "tumbling" ? opened : verdict.start, hit, verdict);
      return { state: { ...kept, measure: state, episode }, episode };
    },
    progress: (state) => measure.progress(state.measure),
    expires: (state) => (window === "tumbling" ? state.opened + timespan : state.last + (window === "session" ? gap : timespan)),
  };
}

/** Windows that do not overlap, each asked once, when it is over: a sliding one begins with the first event that belongs to none before. */
function askedAtTheEnd({ timespan, window, gap }: SigmaCorrelation, measure: Measure<unknown>): Fold {
  const closes = ({ opened, last }: CorrelationState): number =>
    // a tumbling window's end is the next one's beginning
    window === "tumbling"
      ? opened + timespan - 1
      : Math.min(opened + timespan, window === "session" ? last + gap : Number.POSITIVE_INFINITY);
  const close = (state: CorrelationState): Episode | undefined => {
    const verdict = measure.verdict(state.measure, state.opened);
    const end = window === "tumbling" ? state.opened + timespan : closes(state);
    return verdict && { start: state.opened, end, ...verdict.evidence(), figure: verdict.figure };
  };
  return {
    fold(hit, before) {
      const open = before !== undefined && hit.time <= closes(before) ? before : undefined;
      const opened = open?.opened ?? (window === "tumbling" ? Math.floor(hit.time / timespan) * timespan : hit.time);
      const state = { opened, last: hit.time, measure: measure.add(open?.measure ?? measure.empty, hit, opened) };
      return { state, episode: before !== undefined && open === undefined ? close(before) : undefined };
    },
    closes,
    close,
    progress: (state) => measure.progress(state.measure),
    expires: closes,
  };
}

function begun(start: number, hit: Hit, { figure, evidence }: Verdict): Episode {
  return { start, end: hit.time, ...evidence(), figure };
}

function longer({ type }: SigmaCorrelation, episode: Episode, { time, event }: Hit, figure: string): Episode {
  const count = episode.count + 1;
  const events = episode.events.length < maxEvents ? [...episode.events, event] : episode.events;
  // a count goes on growing with the episode, whatever its newest window holds
  return { start: episode.start, end: time, count, events, figure: type === "event_count" ? `${count} events` : figure };
}

/** Sliding windows have no start of their own. */
function openedAt({ window, timespan, gap }: SigmaCorrelation, time: number, before: CorrelationState | undefined): number {
  if (window === "sliding") return 0;
  if (window === "tumbling") return Math.floor(time / timespan) * timespan;
  return before !== undefined && time - before.last <= gap && time - before.opened <= timespan ? before.opened : time;
}

/**
 * The condition does not hold. A sliding window's episode is over, and its events are used up: what comes next is counted afresh, so that
 * episodes do not overlap. In other windows it may hold again, which continues the episode.
 */
function lapsed(
  measure: Measure<unknown>,
  { window, timespan }: SigmaCorrelation,
  state: unknown,
  hit: Hit,
  kept: { readonly opened: number; readonly last: number },
  ongoing: Episode | undefined,
): CorrelationState {
  if (ongoing === undefined) return { ...kept, measure: state };
  if (window !== "sliding") return { ...kept, measure: state, episode: ongoing };
  return { ...kept, measure: measure.add(measure.empty, hit, hit.time - timespan) };
}
