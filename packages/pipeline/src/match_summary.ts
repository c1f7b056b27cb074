/** One line about an event that a rule matched, from what matched in it. Knows no rule. */
import type { Match } from "@vedette/model";

const characters = 160;

/** What a reader wants first: the longest of the matched values tells most (a command line rather than `tcp`). */
export function summaryOfMatches(title: string, matches: readonly Match[]): string {
  const told = matches.filter(({ clause, value }) => clause !== "logsource" && value !== "").map((m) => ({ ...m, value: shownOf(m) }));
  const most = told.reduce<Match | undefined>((a, b) => (a && a.value.length >= b.value.length ? a : b), undefined);
  return most ? `${most.field} = ${most.value.slice(0, characters)}` : title;
}

/** ECS counts `event.duration` in nanoseconds, which nobody reads: the thirteen digits of an hour would stand before every address. */
function shownOf({ field, value }: Match): string {
  if (field !== "event.duration" || !/^\d{1,19}$/.test(value)) return value;
  const seconds = Number(value) / 1e9;
  if (seconds < 1) return `${Math.round(seconds * 1e3)} ms`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 2 * 3_600 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 360) / 10} h`;
}
