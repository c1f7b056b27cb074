/** What every shape of a Windows event is read into: its header and its event data under the names rules use. Knows no shape and no event code. */
import { type JsonObject, type JsonValue, newFields } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { isObject } from "./json/parse.ts";

/** The part of an event that Windows itself writes around the provider's data. */
export class WindowsRecord {
  channel: string | undefined = undefined;
  provider: string | undefined = undefined;
  code: string | undefined = undefined;
  computer: string | undefined = undefined;
  recordId: number | undefined = undefined;
  /** 64-bit mask as `0x` and 16 hexadecimal digits. */
  keywords: string | undefined = undefined;
  /** `critical`, `error`, `warning`, `information` or `verbose`. */
  level: string | undefined = undefined;
  /** The process that wrote the event, and whom it ran as. */
  writerPid: number | undefined = undefined;
  writerSid: string | undefined = undefined;
  writerName: string | undefined = undefined;
  writerDomain: string | undefined = undefined;
  /** The provider's text; kept only where there are no event data, which it repeats. */
  message: string | undefined = undefined;
  /** When the event log stamped it. */
  time: Micros | undefined = undefined;
  /** Event data are put here at once, as `winlog.event_data.<Name>`. */
  readonly fields: Fields = newFields();
  /** How many event data there are. */
  count = 0;
}

/** Event data of one event; the widest events known have about 150. Further ones are counted in `vedette.fields_dropped`. */
const maxData = 400;
/** Distinct names remembered per thread; all providers of one Windows installation use about 5,000. */
const maxNames = 8192;
/** Longest name of an event datum that is kept whole. */
const maxNameLength = 128;
/** Event data come flat or one level down; deeper values are kept as JSON text. */
const maxDataDepth = 4;

const keys = new Map<string, string>();

/** `winlog.event_data.<Name>`: spaces and punctuation are taken out (`Client Network Address:` → `ClientNetworkAddress`). */
export function dataKey(name: string): string {
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = `winlog.event_data.${name.slice(0, maxNameLength).replace(/[^\p{L}\p{N}_-]/gu, "")}`;
  if (keys.size < maxNames && name.length <= maxNameLength) keys.set(name, key);
  return key;
}

/** A header value or event datum as text, exactly as it stood; undefined for null and for objects without text. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return isObject(value) ? textOf(value["#text"] as JsonValue | undefined) : undefined;
}

/** A whole number given as number or decimal or `0x` hexadecimal text; undefined where it is none. */
export function wholeOf(value: JsonValue | undefined): number | undefined {
  const number = typeof value === "string" && value !== "" && value.length <= 20 ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined;
}

/** Adds one event datum; null adds nothing. Unnamed data (an array) become `Data`, and `param1` … as Winlogbeat names them. */
export function putDatum(record: WindowsRecord, name: string, value: JsonValue | undefined): void {
  if (typeof value === "string") put(record, dataKey(name), value);
  else if (value !== null && value !== undefined) putOther(record, name, value, 1);
}

function putOther(record: WindowsRecord, name: string, value: JsonValue, depth: number): void {
  if (typeof value !== "object" || value === null) {
    if (value !== null) put(record, dataKey(name), String(value));
  } else if (Array.isArray(value)) putArray(record, name, value);
  else if (depth >= maxDataDepth) put(record, dataKey(name), JSON.stringify(value));
  else putObject(record, name, value as JsonObject, depth);
}

function putArray(record: WindowsRecord, name: string, value: readonly JsonValue[]): void {
  const texts: string[] = [];
  for (const one of value) {
    const text = textOf(one) ?? (one === null ? undefined : JSON.stringify(one));
    if (text !== undefined) texts.push(text);
  }
  put(record, dataKey(name), texts.length === 1 ? texts[0]! : texts);
  if (name !== "Data") return;
  for (let i = 0; i < texts.length; i++) put(record, dataKey(`param${i + 1}`), texts[i]!);
}

/** UserData wraps its values in an element named after the event: its own name does not count, nor do XML attributes. */
function putObject(record: WindowsRecord, name: string, value: JsonObject, depth: number): void {
  for (const key in value) {
    const inner = value[key];
    if (key === "#attributes" || key === "xml_name" || inner === undefined || inner === null) continue;
    putOther(record, key === "#text" ? name : key, inner, depth + 1);
  }
}

function put(record: WindowsRecord, key: string, value: string | readonly string[]): void {
  if (key.length === "winlog.event_data.".length) return;
  record.count++;
  if (record.count > maxData) record.fields["vedette.fields_dropped"] = record.count - maxData;
  else record.fields[key] = value;
}
