/** RFC 3339 with microseconds, both ways. */
import type { Micros } from "@vedette/model";

export { formatTime } from "@vedette/kit";

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/** Microseconds since the epoch; undefined where the text is not RFC 3339. A date alone is its midnight in UTC. */
export function parseTime(text: string): Micros | undefined {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return parseTime(`${text}T00:00:00Z`);
  const found = rfc3339.exec(text);
  if (found === null) return undefined;
  const [, day, clock, fraction = "", zone] = found;
  const ms = Date.parse(`${day}T${clock}${zone!.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}
