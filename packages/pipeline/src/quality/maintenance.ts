/** When nobody is to be told that a host or source is silent. Knows no host. */
import type { Micros } from "@vedette/model";

/** Once (`from`, `to`), or each week on `days` between two times of day in UTC. */
export interface MaintenanceWindow {
  /** Names of hosts or sources; `*` for any run of characters. */
  readonly names: readonly string[];
  readonly from?: Micros;
  readonly to?: Micros;
  /** 0 is Sunday; every day when absent. */
  readonly days?: readonly number[];
  /** Minutes of the day; an end before the start is the next day's. */
  readonly between?: readonly [start: number, end: number];
}

export function inMaintenance(windows: readonly MaintenanceWindow[], name: string, wall: Micros): boolean {
  return windows.some((one) => one.names.some((pattern) => like(pattern, name)) && isNow(one, wall));
}

function isNow({ from, to, days, between }: MaintenanceWindow, wall: Micros): boolean {
  if (wall < (from ?? wall) || wall >= (to ?? Number.POSITIVE_INFINITY)) return false;
  const date = new Date(wall / 1_000);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  const on = (day: number) => days === undefined || days.includes((day + 7) % 7);
  if (between === undefined) return on(date.getUTCDay());
  const [start, end] = between;
  if (start <= end) return on(date.getUTCDay()) && minute >= start && minute < end;
  // over midnight: the day is the one that it began on
  return (on(date.getUTCDay()) && minute >= start) || (on(date.getUTCDay() - 1) && minute < end);
}

/** Pieces between the stars, found one after the other: linear in the name. */
function like(pattern: string, name: string): boolean {
  const pieces = pattern.split("*");
  if (pieces.length === 1) return pattern === name;
  let at = pieces[0]!.length;
  if (!name.startsWith(pieces[0]!)) return false;
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = pieces.at(-1)!;
  return name.length - last.length >= at && name.endsWith(last);
}
