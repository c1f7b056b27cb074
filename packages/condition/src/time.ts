/** Parts of timestamps (hour, ISO week …), always in UTC. Knows no calendar but the Gregorian and no format but ISO 8601 and epoch numbers. */
import type { Readable, Relation, TimePart } from "./condition.ts";
import { numberOf } from "./text.ts";

export const timeParts: readonly TimePart[] = ["minute", "hour", "day", "week", "month", "year"];

/** `2024-05-01T10:00:00.123456Z`, with a blank for the T, an offset for the Z, or without a zone; in words that DuckDB's RE2 takes too. */
export const isoTime =
  "([0-9]{4})-(0[1-9]|1[0-2])-([0-3][0-9])[T ]([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])?";
const iso = new RegExp(`^${isoTime}$`);
/** The unit of an epoch number is told by its size; below 1e8 s (1973) a number is taken for no time at all. */
export const epochUnits: readonly (readonly [from: number, below: number, perSecond: number])[] = [
  [1e8, 1e11, 1],
  [1e11, 1e14, 1e3],
  [1e14, 1e17, 1e6],
];

/** Milliseconds since the epoch, or NaN for what is no time. A time without a zone counts as UTC. */
export function timeOf(value: unknown): number {
  const number = numberOf(value);
  for (const [from, below, perSecond] of epochUnits) if (number >= from && number < below) return Math.floor((number * 1e3) / perSecond);
  if (typeof value !== "string" || value.length > 40) return Number.NaN;
  const found = iso.exec(value);
  if (found === null) return Number.NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [number, number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (year === 0 || date.getUTCDate() !== day) return Number.NaN;
  const zone = found[8] ?? "Z";
  const [zoneHour, zoneMinute] = zone === "Z" ? [0, 0] : [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  const offset = (zone[0] === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute);
  return date.setUTCHours(hour, minute - offset, second, Number(`0${found[7] ?? ""}`) * 1e3);
}

/** The event's own time in milliseconds. */
export const ownTime = (readable: Readable): number => Math.floor((readable.time ?? Number.NaN) / 1e3);

/** One part of a time in UTC; weeks are those of ISO 8601. NaN for NaN. */
export function timePart(part: TimePart, milliseconds: number): number {
  const date = new Date(milliseconds);
  switch (part) {
    case "minute":
      return date.getUTCMinutes();
    case "hour":
      return date.getUTCHours();
    case "day":
      return date.getUTCDate();
    case "month":
      return date.getUTCMonth() + 1;
    case "year":
      return date.getUTCFullYear();
  }
  // The week belongs to the year that its Thursday is in.
  const thursday = new Date(date);
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  return Math.ceil(((thursday.getTime() - Date.UTC(thursday.getUTCFullYear(), 0, 1)) / 86_400_000 + 1) / 7);
}

export function related(relation: Relation, a: number, b: number): boolean {
  if (relation === "eq") return a === b;
  return relation === "lt" ? a < b : relation === "lte" ? a <= b : relation === "gt" ? a > b : a >= b;
}
