/** Moments as people and other programs read them. */
import type { Micros } from "@vedette/model";

/** `2026-11-21T06:30:00.123456Z`. */
export function formatTime(time: Micros): string {
  const whole = Math.floor(time / 1_000_000);
  const part = time - whole * 1_000_000;
  const date = new Date(whole * 1000);
  if (Number.isNaN(date.getTime())) return "1970-01-01T00:00:00.000000Z";
  return `${date.toISOString().slice(0, -5)}.${String(Math.trunc(part)).padStart(6, "0")}Z`;
}
