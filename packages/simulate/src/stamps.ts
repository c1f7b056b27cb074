/** Moments as the simulated programs write them, all in UTC. Knows no program. */
import type { Micros } from "@vedette/model";

/** Whole seconds as RFC 3339 without fraction or zone; neighbouring records share it. */
let lastSecond = Number.NaN;
let lastText = "";
export function secondText(time: Micros): string {
  const second = Math.floor(time / 1_000_000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1_000).toISOString().slice(0, 19);
  }
  return lastText;
}

const micros = (time: Micros): string => String(Math.floor(time) % 1_000_000).padStart(6, "0");

/** Go's RFC3339Nano in UTC: `2026-03-02T08:00:00.123456000Z`. */
export const nanoStamp = (time: Micros): string => `${secondText(time)}.${micros(time)}000Z`;
/** rsyslog's RSYSLOG_FileFormat, which Debian uses since 12: `2026-03-02T08:00:00.123456+00:00`. */
export const syslogStamp = (time: Micros): string => `${secondText(time)}.${micros(time)}+00:00`;
/** Zeek's epoch seconds with six decimals. */
export const epochStamp = (time: Micros): string => `${Math.floor(time / 1_000_000)}.${micros(time)}`;
/** `2026-03-02`. */
export const dayStamp = (time: Micros): string => secondText(time).slice(0, 10);
/** `08`. */
export const hourStamp = (time: Micros): string => secondText(time).slice(11, 13);

export const second = 1_000_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
