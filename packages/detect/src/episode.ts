/** A run of events that makes one finding: opened once, amended while it goes on. Knows no detector. */
import type { Fields, FieldValue, Micros } from "@vedette/model";

export const second: Micros = 1_000_000;
export const minute: Micros = 60 * second;
export const hour: Micros = 60 * minute;
export const day: Micros = 24 * hour;

/** A claim names at most so many events (the contract of `Claim`). */
const maxEvents = 1_000;

export interface Episode {
  readonly start: Micros;
  readonly end: Micros;
  readonly count: number;
  readonly events: readonly string[];
}

/** Goes on with the episode where it has not been quiet for longer than `quiet`; opens another otherwise. */
export function extend(
  episode: Episode | undefined,
  quiet: Micros,
  more: { readonly time: Micros; readonly events: readonly string[]; readonly count?: number; readonly start?: Micros },
): Episode {
  const { time, events, count = events.length, start = time } = more;
  if (!episode || time - episode.end > quiet) return { start, end: time, count, events: events.slice(0, maxEvents) };
  return { start: episode.start, end: time, count: episode.count + count, events: joined(episode.events, events) };
}

function joined(old: readonly string[], more: readonly string[]): readonly string[] {
  if (old.length >= maxEvents || more.length === 0) return old;
  return [...new Set([...old, ...more])].slice(0, maxEvents);
}

/** The episode while it goes on. */
export const ongoing = <E extends Episode>(episode: E | undefined, time: Micros, quiet: Micros): E | undefined =>
  episode && time - episode.end <= quiet ? episode : undefined;

export const windowOf = (episode: Episode) => ({ start: episode.start, end: episode.end });

/** A field's text, the first where it holds several; undefined where there is nothing. At most 256 characters and no NUL: it goes into keys and states. */
export function textField(fields: Fields, name: string): string | undefined {
  const value: FieldValue | undefined = fields[name];
  const one = Array.isArray(value) ? value[0] : value;
  if (one === undefined || one === null || one === "") return undefined;
  const text = String(one).slice(0, 256);
  return text.includes("\0") ? text.replaceAll("\0", "\ufffd") : text;
}

export function numberField(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

/** `a, b, c and 4 more`. */
export function list(items: readonly string[], most = 5): string {
  return items.length <= most ? items.join(", ") : `${items.slice(0, most).join(", ")} and ${items.length - most} more`;
}

/** `45 s`, `12 min`, `3.5 h`, `2 days`. */
export function span(time: Micros): string {
  if (time < 2 * minute) return `${Math.round(time / second)} s`;
  if (time < 2 * hour) return `${Math.round(time / minute)} min`;
  if (time < 2 * day) return `${Math.round((time / hour) * 10) / 10} h`;
  return `${Math.round(time / day)} days`;
}
