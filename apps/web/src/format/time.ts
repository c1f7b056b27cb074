/** The one formatter of times: every page, chart and export prints through it, with the offset. */

export type Zone = "local" | "utc";

export interface TimeStyle {
  /** With the date (default) or the time of day alone. */
  readonly date?: boolean;
  /** Digits after the second: 0, 3 (default) or 6. */
  readonly digits?: 0 | 3 | 6;
}

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** Offset of a zone at that moment: `Z`, `+01`, `+05:30`. */
export function formatOffset(at: Date, zone: Zone): string {
  if (zone === "utc") return "Z";
  const minutes = -at.getTimezoneOffset();
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `${minutes < 0 ? "−" : "+"}${pad(Math.floor(size / 60))}${rest === 0 ? "" : `:${pad(rest)}`}`;
}

/** Digits after the second as the string has them (the API sends microseconds, which Date cannot hold). */
function fraction(iso: string, digits: number): string {
  const found = /\.(\d{1,9})/.exec(iso);
  return (found?.[1] ?? "").padEnd(digits, "0").slice(0, digits);
}

/** `2026-11-21 06:30:00.123 +01`; what is no time is returned as it came. */
export function formatTime(iso: string, zone: Zone, style: TimeStyle = {}): string {
  const { text, offset } = timeParts(iso, zone, style);
  return offset === "" ? text : `${text} ${offset}`;
}

/** The same in two parts, so that a page can show the offset more quietly. */
export function timeParts(iso: string, zone: Zone, style: TimeStyle = {}): { readonly text: string; readonly offset: string } {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return { text: iso, offset: "" };
  const utc = zone === "utc";
  const digits = style.digits ?? 3;
  const day = utc
    ? `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`
    : `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  const clock = utc
    ? `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}`
    : `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  const text = `${style.date === false ? "" : `${day} `}${clock}${digits === 0 ? "" : `.${fraction(iso, digits)}`}`;
  return { text, offset: formatOffset(at, zone) };
}

/** A length of time in one or two units: `350 ms`, `12 s`, `4 min 10 s`, `3 d 2 h`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  const size = Math.abs(ms);
  if (size < 1_000) return `${Math.round(size)} ms`;
  const seconds = Math.floor(size / 1_000);
  const units: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const first = units.findIndex(([length]) => seconds >= length);
  const parts: string[] = [];
  let rest = seconds;
  for (const [length, name] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${name}`);
  }
  return parts.join(" ");
}

/** How long ago, for people: `just now`, `12 s ago`, `4 min ago`. */
export function formatAgo(iso: string, now_ms: number): string {
  const passed = now_ms - Date.parse(iso);
  if (Number.isNaN(passed)) return iso;
  if (passed < 2_000) return passed < -2_000 ? `in ${formatDuration(passed)}` : "just now";
  return `${formatDuration(passed).split(" ").slice(0, 2).join(" ")} ago`;
}
