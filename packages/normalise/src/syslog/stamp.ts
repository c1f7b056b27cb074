/** The stamp a syslog line begins with, in any of the shapes that daemons, devices and supervisors write. Knows nothing of what follows it. */
import type { Micros } from "@vedette/model";
import { digits, digitsEnd, rfc3339At, stampEnd } from "../time/parse.ts";
import { epochStampAt, stampStop, syslogStampAt, tai64At } from "../time/stamps.ts";

export interface Stamp {
  time: Micros;
  /** Index of what comes after it. */
  end: number;
  /** Whether it told its zone; otherwise it was read as UTC. */
  zoned: boolean;
  /** `iso` and `epoch` are what applications begin their own lines with too; of a supervisor's (TAI64N) no host follows. */
  kind: "bsd" | "iso" | "epoch" | "tai64";
}

const stamp: Stamp = { time: 0, end: 0, zoned: false, kind: "bsd" };

/** @returns undefined where no stamp begins at `at`. The object is reused by the next call. */
export function stampAt(line: string, at: number, received: Micros): Stamp | undefined {
  // Cisco IOS marks a clock that was not set or not synchronised.
  const first = line.charCodeAt(at);
  const start = first === 0x2a || first === 0x2e ? at + 1 : at;
  const bsd = syslogStampAt(line, start, received);
  if (bsd !== undefined) return withZone(line, bsd, stampStop());
  const iso = rfc3339At(line, at);
  if (iso !== undefined) return set(iso, stampEnd(), hasZone(line, stampEnd()), "iso");
  const epoch = epochStampAt(line, at);
  if (epoch !== undefined) return set(epoch, stampStop(), true, "epoch");
  const tai = tai64At(line, at);
  return tai === undefined ? undefined : set(tai, stampStop(), true, "tai64");
}

function set(time: Micros, end: number, zoned: boolean, kind: Stamp["kind"]): Stamp {
  stamp.time = time;
  stamp.end = end;
  stamp.zoned = zoned;
  stamp.kind = kind;
  return stamp;
}

/** Minutes east of UTC: RFC 5322's names, and those of Europe and Japan that mean one zone only. A host may be called anything else. */
const zones = new Map<string, number>(
  Object.entries({
    ...{ UTC: 0, GMT: 0, EST: -300, EDT: -240, CST: -360, CDT: -300, MST: -420, MDT: -360, PST: -480, PDT: -420 },
    ...{ WET: 0, WEST: 60, CET: 60, CEST: 120, EET: 120, EEST: 180, MSK: 180, JST: 540 },
  }),
);
const minute = 60_000_000;

/** Devices add a zone behind RFC 3164's stamp: `UTC`, `CEST:`, `+0200`, `-05:00`. */
function withZone(line: string, time: Micros, end: number): Stamp {
  const from = line.charCodeAt(end) === 0x20 ? end + 1 : end;
  const c = line.charCodeAt(from);
  if (c === 0x2b || c === 0x2d) {
    const east = offsetAt(line, from);
    if (east !== undefined) return set(time - east * minute, offsetEnd, true, "bsd");
  } else if (c >= 0x41 && c <= 0x5a && from > end) {
    let stop = from;
    while (stop < from + 5 && line.charCodeAt(stop) >= 0x41 && line.charCodeAt(stop) <= 0x5a) stop++;
    const after = line.charCodeAt(stop);
    const east = after === 0x20 || after === 0x3a ? zones.get(line.slice(from, stop)) : undefined;
    if (east !== undefined) return set(time - east * minute, after === 0x3a ? stop + 1 : stop, true, "bsd");
  } else if (c === 0x5a && from === end) return set(time, end + 1, true, "bsd");
  // Cisco's `service timestamps` and RFC 3164's relays end the stamp with a colon.
  return set(time, line.charCodeAt(end) === 0x3a ? end + 1 : end, false, "bsd");
}

let offsetEnd = 0;
/** `+hhmm`, `+hh:mm` or `+hh` before a blank or a colon, in minutes. */
function offsetAt(line: string, at: number): number | undefined {
  const hours = digits(line, at + 1, 2);
  const colon = line.charCodeAt(at + 3) === 0x3a ? 1 : 0;
  const hasMinutes = digitsEnd(line, at + 3 + colon) === at + 5 + colon;
  const minutes = hasMinutes ? digits(line, at + 3 + colon, 2) : 0;
  offsetEnd = hasMinutes ? at + 5 + colon : at + 3;
  if (!(hours <= 14 && minutes <= 59) || line.charCodeAt(offsetEnd) !== 0x20) return undefined;
  return (line.charCodeAt(at) === 0x2d ? -1 : 1) * (hours * 60 + minutes);
}

/** Whether an RFC 3339 stamp that ends at `end` names a zone: its last part is `Z` or has a sign before its last two to five characters. */
function hasZone(line: string, end: number): boolean {
  const last = line.charCodeAt(end - 1);
  if (last === 0x5a || last === 0x7a) return true;
  for (let i = end - 3; i >= end - 6; i--) if (line.charCodeAt(i) === 0x2b || line.charCodeAt(i) === 0x2d) return true;
  return false;
}
