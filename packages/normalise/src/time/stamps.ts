/** Readers of the stamps that syslog and web servers write. Knows no log format beyond its stamp. */
import type { Micros } from "@vedette/model";
import { civil, clockAt, digits, digitsEnd, fraction } from "./parse.ts";

const day = 86_400_000_000;
const second = 1_000_000;

/** 1 to 12 for `Jan` to `Dec` at `at`; 0 where it is none. */
function monthAt(text: string, at: number): number {
  switch ((text.charCodeAt(at) << 16) | (text.charCodeAt(at + 1) << 8) | text.charCodeAt(at + 2)) {
    case 0x4a616e:
      return 1;
    case 0x466562:
      return 2;
    case 0x4d6172:
      return 3;
    case 0x417072:
      return 4;
    case 0x4d6179:
      return 5;
    case 0x4a756e:
      return 6;
    case 0x4a756c:
      return 7;
    case 0x417567:
      return 8;
    case 0x536570:
      return 9;
    case 0x4f6374:
      return 10;
    case 0x4e6f76:
      return 11;
    case 0x446563:
      return 12;
    default:
      return 0;
  }
}

let cachedDay = Number.NaN;
let cachedYear = 0;
function yearOf(time: Micros): number {
  const today = Math.floor(time / day);
  if (today !== cachedDay) {
    cachedDay = today;
    cachedYear = new Date(time / 1000).getUTCFullYear();
  }
  return cachedYear;
}

/**
 * A month, day and time of day without a year: of the years that put it at most one day after `received`, the one nearest to it. So a line
 * written in December and read in January is of the old year, and a clock that is a little fast does not throw an event a year back. The 29th of
 * February is looked for in up to eight earlier years.
 */
function yearless(month: number, dayOfMonth: number, secondsOfDay: number, received: Micros): Micros | undefined {
  const latest = received + day;
  const year = yearOf(received);
  for (let y = year + 1; y >= year - 8; y--) {
    const date = civil(y, month, dayOfMonth, 0, 0, 0);
    if (date === undefined) continue;
    const time = date + secondsOfDay * second;
    if (time <= latest) return time;
  }
  return undefined;
}

/** Where the stamp that was read last ended. */
let stopped = 0;
export const stampStop = (): number => stopped;

/**
 * RFC 3164's `Mmm dd hh:mm:ss` from `at` (the day padded with a blank or a zero or not at all), with the variants that relays write: a year
 * before or behind the time of day, a fraction of a second. Its zone is the sender's and unknown: it counts as UTC.
 */
export function syslogStampAt(text: string, at: number, received: Micros): Micros | undefined {
  const month = monthAt(text, at);
  if (month === 0 || text.charCodeAt(at + 3) !== 0x20) return undefined;
  let i = at + 4;
  if (text.charCodeAt(i) === 0x20) i++;
  let end = digitsEnd(text, i);
  if (end - i < 1 || end - i > 2 || text.charCodeAt(end) !== 0x20) return undefined;
  const dayOfMonth = digits(text, i, end - i);
  i = end + 1;
  let year = 0;
  end = digitsEnd(text, i);
  if (end - i === 4 && text.charCodeAt(end) === 0x20) {
    year = digits(text, i, 4);
    i = end + 1;
  }
  const clock = clockAt(text, i);
  if (Number.isNaN(clock)) return undefined;
  i += 8;
  let micros = 0;
  if (text.charCodeAt(i) === 0x2e) {
    end = digitsEnd(text, i + 1);
    if (end > i + 1) {
      micros = fraction(text, i + 1, end);
      i = end;
    }
  }
  if (year === 0 && text.charCodeAt(i) === 0x20 && yearAt(text, i + 1)) {
    year = digits(text, i + 1, 4);
    i += 5;
  }
  stopped = i;
  const base = year === 0 ? yearless(month, dayOfMonth, clock, received) : dated(year, month, dayOfMonth, clock);
  return base === undefined ? undefined : base + micros;
}

/** BIND's `23-Aug-2013 18:41:28.090` from `at`, in the server's zone, counted as UTC; `stampStop()` then tells where it ended. */
export function bindStampAt(text: string, at: number): Micros | undefined {
  const month = monthAt(text, at + 3);
  const year = digits(text, at + 7, 4);
  const clock = clockAt(text, at + 12);
  if (month === 0 || text.charCodeAt(at + 2) !== 0x2d || text.charCodeAt(at + 6) !== 0x2d || text.charCodeAt(at + 11) !== 0x20)
    return undefined;
  const end = text.charCodeAt(at + 20) === 0x2e ? digitsEnd(text, at + 21) : at + 20;
  const dayOfMonth = digits(text, at, 2);
  if (!(dayOfMonth >= 0 && year >= 0 && clock >= 0)) return undefined;
  const base = dated(year, month, dayOfMonth, clock);
  stopped = end;
  return base === undefined || end === at + 20 ? base : base + fraction(text, at + 21, end);
}

/** What libtai's label of 1970 begins with: 2^62, of which daemontools and runit count ten seconds to UTC. */
const tai64Epoch = 0x4000_0000n * 0x1_0000_0000n + 10n;
const tai64 = /^@([0-9a-f]{16})([0-9a-f]{8}) /;

/** TAI64N as multilog, s6-log and svlogd write it: `@` and 24 hexadecimal digits, seconds and nanoseconds. */
export function tai64At(text: string, at: number): Micros | undefined {
  if (text.charCodeAt(at) !== 0x40) return undefined;
  const found = tai64.exec(text.slice(at, at + 26));
  if (found === null) return undefined;
  const seconds = Number(BigInt(`0x${found[1]!}`) - tai64Epoch);
  const nanos = Number.parseInt(found[2]!, 16);
  // nothing was logged before 1970, and RFC 3339 cannot write years past 9999
  if (seconds < 0 || seconds > 253_402_300_799 || nanos >= 1_000_000_000) return undefined;
  stopped = at + 25;
  return seconds * second + Math.floor(nanos / 1_000);
}

/** Unix seconds with ten digits, as in every log since 2001 until 2286, with or without a fraction, before a blank. */
export function epochStampAt(text: string, at: number): Micros | undefined {
  const end = digitsEnd(text, at);
  if (end - at !== 10) return undefined;
  const point = text.charCodeAt(end) === 0x2e;
  const stop = point ? digitsEnd(text, end + 1) : end;
  if (text.charCodeAt(stop) !== 0x20 || (point && stop === end + 1)) return undefined;
  stopped = stop;
  return digits(text, at, 10) * second + (point ? fraction(text, end + 1, stop) : 0);
}

function dated(year: number, month: number, dayOfMonth: number, secondsOfDay: number): Micros | undefined {
  const date = civil(year, month, dayOfMonth, 0, 0, 0);
  return date === undefined ? undefined : date + secondsOfDay * second;
}

/** Whether a word from `at` is a year of this century: no host is called so. */
const yearAt = (text: string, at: number): boolean =>
  text.charCodeAt(at) === 0x32 && text.charCodeAt(at + 1) === 0x30 && digitsEnd(text, at) === at + 4 && /[ :]/.test(text.charAt(at + 4));

/** The common log format's `10/Oct/2000:13:55:36 -0700` (Apache's `%t`, nginx's `$time_local`), which must end at `end`. */
export function clfDate(text: string, at: number, end: number): Micros | undefined {
  const slash = text.indexOf("/", at);
  const dayOfMonth = digits(text, at, slash - at);
  const month = monthAt(text, slash + 1);
  if (slash - at < 1 || slash - at > 2 || month === 0 || text.charCodeAt(slash + 4) !== 0x2f) return undefined;
  const year = digits(text, slash + 5, 4);
  const clock = clockAt(text, slash + 10);
  const sign = text.charCodeAt(slash + 19);
  const zone = digits(text, slash + 20, 4);
  if (!(dayOfMonth >= 0 && year >= 0 && clock >= 0 && zone >= 0) || end !== slash + 24 || text.charCodeAt(slash + 9) !== 0x3a)
    return undefined;
  if (text.charCodeAt(slash + 18) !== 0x20 || (sign !== 0x2b && sign !== 0x2d)) return undefined;
  const local = dated(year, month, dayOfMonth, clock);
  const minutes = Math.floor(zone / 100) * 60 + (zone % 100);
  return local === undefined ? undefined : local - (sign === 0x2d ? -1 : 1) * minutes * 60 * second;
}

/** HAProxy's `06/Feb/2009:12:14:14.655`, in the server's zone, counted as UTC; it must end at `end`. */
export function haproxyDate(text: string, at: number, end: number): Micros | undefined {
  const month = monthAt(text, at + 3);
  const year = digits(text, at + 7, 4);
  const clock = clockAt(text, at + 12);
  if (text.charCodeAt(at + 2) !== 0x2f || month === 0 || !(year >= 0 && clock >= 0) || text.charCodeAt(at + 11) !== 0x3a) return undefined;
  const base = dated(year, month, digits(text, at, 2), clock);
  const point = at + 20;
  if (base === undefined || point === end) return base;
  return text.charCodeAt(point) === 0x2e && digitsEnd(text, point + 1) === end ? base + fraction(text, point + 1, end) : undefined;
}

/** Suricata's `07/11/2022-10:29:01.860293`, month first, in the sensor's zone, counted as UTC. */
export function usDate(text: string): Micros | undefined {
  const year = digits(text, 6, 4);
  const clock = clockAt(text, 11);
  const end = text.length === 19 ? 19 : digitsEnd(text, 20);
  if (text.charCodeAt(2) !== 0x2f || text.charCodeAt(5) !== 0x2f || text.charCodeAt(10) !== 0x2d || !(year >= 0 && clock >= 0))
    return undefined;
  const base = end === text.length ? dated(year, digits(text, 0, 2), digits(text, 3, 2), clock) : undefined;
  return base === undefined || text.length === 19 ? base : base + fraction(text, 20, end);
}

/** nginx's error log: `2016/10/25 14:49:34`, in the server's zone, counted as UTC. */
export function nginxErrorDate(text: string): Micros | undefined {
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const dayOfMonth = digits(text, 8, 2);
  const clock = clockAt(text, 11);
  if (text.charCodeAt(4) !== 0x2f || text.charCodeAt(7) !== 0x2f || text.charCodeAt(10) !== 0x20) return undefined;
  return year >= 0 && month >= 0 && dayOfMonth >= 0 && clock >= 0 ? dated(year, month, dayOfMonth, clock) : undefined;
}

/** Apache's error log between its brackets: `Wed Oct 11 14:32:52.123456 2000`, in the server's zone, counted as UTC. */
export function apacheErrorDate(text: string): Micros | undefined {
  const month = monthAt(text, 4);
  if (month === 0 || text.charCodeAt(3) !== 0x20 || text.charCodeAt(7) !== 0x20) return undefined;
  const start = text.charCodeAt(8) === 0x20 ? 9 : 8;
  const end = digitsEnd(text, start);
  if (end === start || end - start > 2) return undefined;
  const clock = clockAt(text, end + 1);
  let i = end + 9;
  let micros = 0;
  if (text.charCodeAt(i) === 0x2e) {
    const stop = digitsEnd(text, i + 1);
    micros = fraction(text, i + 1, stop);
    i = stop;
  }
  const year = digits(text, i + 1, 4);
  if (!(clock >= 0 && year >= 0) || text.length !== i + 5) return undefined;
  const base = dated(year, month, digits(text, start, end - start), clock);
  return base === undefined ? undefined : base + micros;
}
