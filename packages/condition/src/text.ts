/** How scalars become comparable text and numbers. Knows no operator. */
import type { FieldValue, Scalar } from "./condition.ts";

/** Lower case for comparison; both forms of the small sigma are one, so that folding a part equals the part of the folded whole. */
export function foldCase(text: string): string {
  const low = text.toLowerCase();
  return low.includes("ς") ? low.replaceAll("ς", "σ") : low;
}

/** A scalar's text: numbers in decimal, booleans as `true` and `false`; null, and what is no scalar at all, has none. */
export function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
      return String(value);
    default:
      return undefined;
  }
}

/** The number a text of plain decimal form stands for, else NaN: `12`, `-1.5`, `2e3`; not ` 1`, `0x1`, `Infinity`. */
export function decimalOf(text: string): number {
  // 40 characters hold every double; the first code decides most texts without parsing
  if (text.length === 0 || text.length > 40) return Number.NaN;
  const first = text.charCodeAt(0);
  if (first !== 45 && (first < 48 || first > 57)) return Number.NaN;
  const last = text.charCodeAt(text.length - 1);
  if (last < 48 || last > 57) return Number.NaN;
  const second = text.charCodeAt(1) | 32;
  if (second === 120 || second === 98 || second === 111) return Number.NaN;
  if (first === 45 && !(text.charCodeAt(1) >= 48 && text.charCodeAt(1) <= 57)) return Number.NaN;
  return Number(text);
}

/** A scalar as a number, else NaN. */
export function numberOf(value: unknown): number {
  return typeof value === "number" ? value : typeof value === "string" ? decimalOf(value) : Number.NaN;
}

/** Whether a field holds nothing: absent, null or an empty array; what is no field value at all counts as nothing. */
export function isNothing(value: FieldValue | undefined): boolean {
  if (Array.isArray(value)) return value.every((one) => one === null);
  return textOf(value) === undefined;
}

/** A field's scalars, nulls left out. */
export function scalarsOf(value: FieldValue | undefined): readonly Scalar[] {
  if (Array.isArray(value)) return (value as readonly Scalar[]).filter((one) => textOf(one) !== undefined);
  return textOf(value) === undefined ? [] : [value as Scalar];
}
