/** Prints counts, rates, bytes and shares; no locale, so that a screenshot reads the same everywhere. */

/** `1234567` → `1,234,567`. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** For tight places: `999`, `1.2k`, `34M`. */
export function formatCompact(value: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (Math.abs(value) >= size) {
      const scaled = value / size;
      return `${scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1).replace(/\.0$/, "")}${unit}`;
    }
  }
  return String(Math.round(value));
}

/** Events a second: one digit below ten. */
export function formatRate(rate: number): string {
  return `${rate > 0 && rate < 10 ? rate.toFixed(1) : formatCount(rate)}/s`;
}

/** Powers of 1024: `512 B`, `3.4 KiB`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${at === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[at]}`;
}

/** Share of a whole: `12 %`, `<1 %`. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return "–";
  const share = (part / whole) * 100;
  return share > 0 && share < 1 ? "<1 %" : `${Math.round(share)} %`;
}

/** A measured value of any size, four figures: `0.00123`, `12.35`, `4.19M`. */
export function formatFigure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e4) {
    const [scale, unit] = size >= 1e9 ? [1e9, "G"] : size >= 1e6 ? [1e6, "M"] : [1e3, "k"];
    return `${Number((value / scale).toPrecision(4))}${unit}`;
  }
  return String(Number(value.toPrecision(4)));
}
