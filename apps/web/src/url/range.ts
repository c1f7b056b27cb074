/** The time range in the address: `15m`, `1h`, `24h`, `7d`, `all` or `FROM..TO`. Pure; the caller says what time it is. */

export const presets = [
  { value: "15m", label: "15 min", ms: 15 * 60_000 },
  { value: "1h", label: "1 h", ms: 3_600_000 },
  { value: "24h", label: "24 h", ms: 86_400_000 },
  { value: "7d", label: "7 d", ms: 7 * 86_400_000 },
] as const;

export const default_range = "24h";

export interface Range {
  /** RFC 3339; absent = unbounded. */
  readonly from?: string;
  readonly to?: string;
}

/** Resolves a range at a given moment. What cannot be read falls back to the default, so that a mangled link still opens. */
export function resolveRange(value: string | null, now_ms: number): Range {
  if (value === "all") return {};
  const preset = presets.find((item) => item.value === value);
  if (preset !== undefined) return { from: new Date(now_ms - preset.ms).toISOString() };
  const parts = value?.split("..") ?? [];
  const from = parts[0] === undefined || parts[0] === "" ? undefined : parseMoment(parts[0]);
  const to = parts[1] === undefined || parts[1] === "" ? undefined : parseMoment(parts[1]);
  if (parts.length === 2 && (from !== undefined || to !== undefined)) return { ...(from && { from }), ...(to && { to }) };
  return resolveRange(default_range, now_ms);
}

/** `2026-11-21T06:30:00Z`, without offset read as local time; undefined when it is no time. */
export function parseMoment(text: string): string | undefined {
  const ms = Date.parse(text.trim().replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** An absolute range as it stands in the address. */
export function printRange(from_ms: number, to_ms: number): string {
  return `${new Date(from_ms).toISOString()}..${new Date(to_ms).toISOString()}`;
}

/** A range around two moments with room on both sides, for "show events" of an alert. */
export function rangeAround(first: string, last: string, room_ms = 60_000): string {
  const from = Date.parse(first);
  const to = Date.parse(last);
  if (Number.isNaN(from) || Number.isNaN(to)) return "all";
  return printRange(Math.min(from, to) - room_ms, Math.max(from, to) + room_ms);
}
