/** Strict readers of the time stamps that logs use, to integer microseconds since the epoch. Knows no log format. */
import type { Micros } from "@vedette/model";

const second = 1_000_000;
const day = 86_400 * second;

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil). */
function daysFrom(year: number, month: number, dayOfMonth: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + dayOfMonth - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

let lastDate = Number.NaN;
let lastDay: Micros = 0;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const isLeap = (year: number) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/**
 * A civil time in UTC; undefined where there is no such date or time of day. Second 60 (a leap second) counts as the next minute's 0.
 * @param month 1 to 12
 */
export function civil(year: number, month: number, dayOfMonth: number, hour: number, minute: number, seconds: number): Micros | undefined {
  if (month < 1 || month > 12 || dayOfMonth < 1 || hour > 23 || minute > 59 || seconds > 60) return undefined;
  const length = month === 2 && isLeap(year) ? 29 : monthDays[month - 1]!;
  if (dayOfMonth > length) return undefined;
  // Logs are written day by day.
  const date = (year * 16 + month) * 32 + dayOfMonth;
  if (date !== lastDate) {
    lastDate = date;
    lastDay = daysFrom(year, month, dayOfMonth) * day;
  }
  return lastDay + (hour * 3600 + minute * 60 + seconds) * second;
}

/** `count` digits from `at` as a number; NaN where one is none. */
export function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const d = text.charCodeAt(i) - 48;
    if (!(d >= 0 && d <= 9)) return Number.NaN;
    value = value * 10 + d;
  }
  return value;
}

/** As `digits` for two, as most parts of stamps are. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** The end of a run of digits from `at`. */
export function digitsEnd(text: string, at: number): number {
  let i = at;
  while (i < text.length) {
    const d = text.charCodeAt(i) - 48;
    if (!(d >= 0 && d <= 9)) break;
    i++;
  }
  return i;
}

/** The digits between `at` and `end` as a fraction of a second in microseconds, further ones cut off. */
export function fraction(text: string, at: number, end: number): Micros {
  let value = 0;
  for (let i = at; i < at + 6; i++) value = value * 10 + (i < end ? text.charCodeAt(i) - 48 : 0);
  return value;
}

/** Where the last successful `rfc3339At` or stamp reader stopped. */
let stopped = 0;
/** End of the stamp that was read last in this thread: read it at once after a reader returned a time. */
export const stampEnd = (): number => stopped;

/** RFC 3339 and its usual looser relatives, which must end where the text does: `2024-05-01T10:00:00.123456789Z`, a blank for the T, a comma for the point, `+0200`; without a zone it is UTC. */
export function parseRfc3339(text: string): Micros | undefined {
  const time = rfc3339At(text, 0);
  return time !== undefined && stopped === text.length ? time : undefined;
}

/** As `parseRfc3339`, from `at`; `stampEnd()` then tells where it ended. */
export function rfc3339At(text: string, at: number): Micros | undefined {
  if (text.charCodeAt(at + 4) !== 0x2d || text.charCodeAt(at + 7) !== 0x2d) return undefined;
  const t = text.charCodeAt(at + 10);
  if ((t !== 0x54 && t !== 0x20 && t !== 0x74) || text.charCodeAt(at + 13) !== 0x3a || text.charCodeAt(at + 16) !== 0x3a) return undefined;
  const base = civilAt(text, at, at + 5, at + 8, at + 11);
  if (base === undefined) return undefined;
  let i = at + 19;
  let micros = 0;
  const point = text.charCodeAt(i);
  if (point === 0x2e || point === 0x2c) {
    const end = digitsEnd(text, i + 1);
    if (end === i + 1) return undefined;
    micros = fraction(text, i + 1, end);
    i = end;
  }
  const offset = zoneAt(text, i);
  return offset === undefined ? undefined : base + micros - offset;
}

function civilAt(text: string, year: number, month: number, dayOfMonth: number, clock: number): Micros | undefined {
  const y = digits(text, year, 4);
  const mo = twoDigits(text, month);
  const d = twoDigits(text, dayOfMonth);
  const s = clockAt(text, clock);
  if (!(y >= 0 && mo >= 0 && d >= 0 && s >= 0)) return undefined;
  const date = civil(y, mo, d, 0, 0, 0);
  return date === undefined ? undefined : date + s * second;
}

/** `hh:mm:ss` as seconds of the day; NaN where it is none. */
export function clockAt(text: string, at: number): number {
  const h = twoDigits(text, at);
  const m = twoDigits(text, at + 3);
  const s = twoDigits(text, at + 6);
  if (text.charCodeAt(at + 2) !== 0x3a || text.charCodeAt(at + 5) !== 0x3a || !(h <= 23 && m <= 59 && s <= 60)) return Number.NaN;
  return h * 3600 + m * 60 + s;
}

/** Reads `Z`, `±hh:mm`, `±hhmm`, `±hh` or nothing (UTC) and sets where it stopped; the offset in microseconds. */
function zoneAt(text: string, at: number): Micros | undefined {
  const sign = text.charCodeAt(at);
  stopped = at;
  if (sign === 0x5a || sign === 0x7a) {
    stopped = at + 1;
    return 0;
  }
  if (sign !== 0x2b && sign !== 0x2d) return 0;
  const h = twoDigits(text, at + 1);
  if (!(h <= 23)) return undefined;
  const colon = text.charCodeAt(at + 3) === 0x3a ? 1 : 0;
  let m = twoDigits(text, at + 3 + colon);
  stopped = at + 5 + colon;
  if (Number.isNaN(m)) {
    if (colon === 1) return undefined;
    m = 0;
    stopped = at + 3;
  }
  return m <= 59 ? (sign === 0x2d ? -1 : 1) * (h * 60 + m) * 60 * second : undefined;
}

/**
 * Seconds since the epoch with up to six decimals, exactly (`1521911720.600725`); further decimals are cut off.
 * At most 11 digits before the point: later times are no longer whole microseconds in a double.
 */
export function parseEpochSeconds(text: string): Micros | undefined {
  const negative = text.charCodeAt(0) === 0x2d;
  const start = negative ? 1 : 0;
  const point = digitsEnd(text, start);
  if (point === start || point - start > 11) return undefined;
  let micros = digits(text, start, point - start) * second;
  if (point < text.length) {
    const end = digitsEnd(text, point + 1);
    if (text.charCodeAt(point) !== 0x2e || end !== text.length) return undefined;
    micros += fraction(text, point + 1, end);
  }
  return negative ? -micros : micros;
}

/** A number of seconds as JSON gives it. Exact for six decimals until 2106: below 2^32 the double is within 0.24 µs of what was written, the product within 0.25 more. */
export const epochSeconds = (seconds: number): Micros | undefined => (Number.isFinite(seconds) ? Math.round(seconds * second) : undefined);

/** A number since the epoch in an unknown unit, told by its size: seconds until 1e11 (year 5138), then milliseconds, microseconds, nanoseconds. */
export function epochOfAnyUnit(value: number): Micros | undefined {
  const size = Math.abs(value);
  if (!(size < 1e20)) return undefined;
  const micros = size < 1e11 ? value * second : size < 1e14 ? value * 1000 : size < 1e17 ? value : value / 1000;
  return Number.isSafeInteger(Math.round(micros)) ? Math.round(micros) : undefined;
}

/** What a JSON document gives as its time: RFC 3339 text, or a number (or its text) since the epoch in any unit. */
export function parseAnyTime(value: unknown): Micros | undefined {
  if (typeof value === "number") return epochOfAnyUnit(value);
  if (typeof value !== "string" || value === "") return undefined;
  const stamp = parseRfc3339(value);
  if (stamp !== undefined) return stamp;
  const point = digitsEnd(value, 0);
  if (point > 0 && point <= 11) return parseEpochSeconds(value);
  return point === value.length && point <= 19 ? epochOfAnyUnit(Number(value)) : undefined;
}

/** RFC 3339 in UTC with microseconds. */
export function formatTime(time: Micros): string {
  const ms = Math.floor(time / 1000);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return String(time);
  return `${date.toISOString().slice(0, -1)}${String(time - ms * 1000).padStart(3, "0")}Z`;
}
