/** Reads Windows events as Winlogbeat (5 to 9) and Elastic Agent ship them, nested or with dotted keys. Knows no event code. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import { isObject } from "./json/parse.ts";
import { parseAnyTime } from "./time/parse.ts";
import { putDatum, textOf, WindowsRecord, wholeOf } from "./windows_record.ts";

/** The event log's keyword bits behind the names Winlogbeat prints. Source: winmeta.xml. */
const keywordBits: { readonly [name: string]: bigint } = {
  "audit failure": 0x10_0000_0000_0000n,
  "audit success": 0x20_0000_0000_0000n,
  classic: 0x80_0000_0000_0000n,
};
/** Set for every event of the classic and the audit logs. */
const reserved = 0x8000_0000_0000_0000n;

/** Before version 7 the members of `winlog` stood at the top, some under other names. */
function isOldBeats(object: JsonObject): boolean {
  return object["event_id"] !== undefined && typeof object["log_name"] === "string" && object["source_name"] !== undefined;
}

/** Whether a document has `winlog.channel` or `winlog.event_id`, nested or dotted, or is an old Winlogbeat's. */
export function isBeats(object: JsonObject): boolean {
  if (isOldBeats(object)) return true;
  const winlog = object["winlog"];
  if (isObject(winlog)) return winlog["channel"] !== undefined || winlog["event_id"] !== undefined;
  return object["winlog.channel"] !== undefined || object["winlog.event_id"] !== undefined;
}

/** Looks a dotted path up, each of whose dots may be nesting or part of a key. */
export function valueAt(object: JsonObject, path: string): JsonValue | undefined {
  const whole = object[path];
  if (whole !== undefined) return whole;
  for (let dot = path.indexOf("."); dot > 0; dot = path.indexOf(".", dot + 1)) {
    const inner = object[path.slice(0, dot)];
    if (isObject(inner)) {
      const found = valueAt(inner, path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The document must be one for which `isBeats` holds. */
export function readBeats(told: JsonObject): WindowsRecord {
  const object = isOldBeats(told) ? renamed(told) : told;
  const record = new WindowsRecord();
  record.channel = textOf(valueAt(object, "winlog.channel"));
  record.provider = textOf(valueAt(object, "winlog.provider_name")) ?? textOf(valueAt(object, "event.provider"));
  record.code = textOf(valueAt(object, "event.code")) ?? textOf(valueAt(object, "winlog.event_id"));
  record.computer = textOf(valueAt(object, "winlog.computer_name")) ?? textOf(valueAt(object, "host.name"));
  record.recordId = wholeOf(valueAt(object, "winlog.record_id"));
  record.keywords = keywordMask(valueAt(object, "winlog.keywords"));
  record.level = (textOf(valueAt(object, "log.level")) ?? textOf(valueAt(object, "winlog.level")))?.toLowerCase();
  record.writerPid = wholeOf(valueAt(object, "winlog.process.pid"));
  record.writerSid = textOf(valueAt(object, "winlog.user.identifier"));
  record.writerName = textOf(valueAt(object, "winlog.user.name"));
  record.writerDomain = textOf(valueAt(object, "winlog.user.domain"));
  record.message = textOf(valueAt(object, "message"));
  // Where Filebeat reads an exported file, @timestamp is when it read.
  record.time = parseAnyTime(valueAt(object, "winlog.time_created")) ?? parseAnyTime(valueAt(object, "@timestamp"));
  readGroup(record, object, "event_data");
  readGroup(record, object, "user_data");
  return record;
}

/** An old document as version 7 would have sent it. */
function renamed(old: JsonObject): JsonObject {
  const { log_name: channel, source_name: provider_name, record_number: record_id, user, ...same } = old;
  return { ...old, winlog: { ...same, channel, provider_name, record_id, user: isObject(user) ? user : undefined } };
}

function readGroup(record: WindowsRecord, object: JsonObject, group: string): void {
  const winlog = object["winlog"];
  const nested = isObject(winlog) ? winlog[group] : object[`winlog.${group}`];
  if (isObject(nested)) {
    for (const name in nested) if (name !== "xml_name") putDatum(record, name, nested[name]);
  }
  readDotted(record, object, `winlog.${group}.`);
  if (isObject(winlog)) readDotted(record, winlog, `${group}.`);
}

function readDotted(record: WindowsRecord, object: JsonObject, prefix: string): void {
  for (const key in object)
    if (key.startsWith(prefix) && !key.endsWith(".xml_name")) putDatum(record, key.slice(prefix.length), object[key]);
}

/** Keyword names back to the mask the event log stores, so that every shape shows the same. */
function keywordMask(value: JsonValue | undefined): string | undefined {
  const names = Array.isArray(value) ? value : [value];
  let mask = 0n;
  for (const name of names) if (typeof name === "string") mask |= keywordBits[name.toLowerCase()] ?? 0n;
  return mask === 0n ? undefined : `0x${(mask | reserved).toString(16)}`;
}
