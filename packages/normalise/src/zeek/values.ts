/** Brings Zeek's values to one form, whether a TSV or a JSON writer wrote them. Knows no column. */
import type { Scalar } from "@vedette/model";
import { epochSeconds, formatTime, parseEpochSeconds } from "../time/parse.ts";

/** Zeek's ASCII writer gives doubles six decimals, its JSON writer all: both become six. */
export function sixDecimals(value: number): number {
  if (Number.isInteger(value)) return value;
  const scaled = value * 1e6;
  return Math.abs(scaled) < Number.MAX_SAFE_INTEGER ? Math.round(scaled) / 1e6 : value;
}

/** The number a TSV column holds, or its text where it is none (`nan`, `inf`, damage). */
export function tsvNumber(text: string): Scalar {
  const value = Number(text);
  return Number.isFinite(value) && text !== "" ? sixDecimals(value) : text;
}

/** Seconds as text or number to whole nanoseconds of microsecond resolution, ECS's unit of `event.duration`. */
export function nanoseconds(seconds: Scalar): Scalar {
  return typeof seconds === "number" ? Math.round(seconds * 1e6) * 1000 : seconds;
}

/** A TSV time (epoch seconds, which the writer gives as `2.385616957e+09` from 2038 on, or ISO 8601 already) as RFC 3339; anything else as it is. */
export function tsvTime(text: string): string {
  const time = parseEpochSeconds(text) ?? (text.includes("e+") ? epochSeconds(Number(text)) : undefined);
  return time === undefined ? text : formatTime(time);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Undoes the escapes of Zeek's writers: `\\`, and `\xHH` for bytes. Bytes that are UTF-8 become their characters; other bytes and most
 * control characters stay written as `\xHH`, which is how the JSON writer gives them too.
 */
export function unescapeZeek(text: string): string {
  let at = text.indexOf("\\");
  if (at < 0) return text;
  let out = "";
  let from = 0;
  while (at >= 0 && at < text.length - 1) {
    out += text.slice(from, at);
    if (text.charCodeAt(at + 1) === 0x5c) {
      out += "\\";
      from = at + 2;
    } else if (hexAt(text, at) >= 0) {
      const bytes: number[] = [];
      from = at;
      for (let byte = hexAt(text, from); byte >= 0; byte = hexAt(text, from)) {
        bytes.push(byte);
        from += 4;
      }
      out += shown(bytes);
    } else {
      out += "\\";
      from = at + 1;
    }
    at = text.indexOf("\\", from);
  }
  return out + text.slice(from);
}

/** The byte of a `\xHH` at `at`, or -1. */
function hexAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x5c || text.charCodeAt(at + 1) !== 0x78) return -1;
  const high = nibble(text.charCodeAt(at + 2));
  const low = nibble(text.charCodeAt(at + 3));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function nibble(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  if (c >= 0x61 && c <= 0x66) return c - 0x57;
  return c >= 0x41 && c <= 0x46 ? c - 0x37 : -1;
}

/** Characters for the UTF-8 among the bytes; other bytes and control characters (but `\b\f\n\r\t`) as `\xHH`. */
function shown(bytes: readonly number[]): string {
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i]!;
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0;
    const character = length > 1 ? decode(bytes.slice(i, i + length)) : undefined;
    if (character !== undefined) {
      out += character;
      i += length;
      continue;
    }
    const plain = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x08 && byte <= 0x0d && byte !== 0x0b);
    out += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
    i++;
  }
  return out;
}

function decode(bytes: readonly number[]): string | undefined {
  try {
    return utf8.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}
