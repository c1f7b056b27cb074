/** Reads Windows events as flat documents: NXLog's `im_msvistalog`, and exports that put the header beside the event data. Knows no event code. */
import type { JsonObject, JsonValue } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { parseRfc3339 } from "./time/parse.ts";
import { levelName } from "./windows_evtx.ts";
import { putDatum, textOf, WindowsRecord, wholeOf } from "./windows_record.ts";

/** Header members of both flat shapes, and what the collectors in between (Logstash, Fluent Bit) add. */
const common = (
  "Channel EventID Hostname SourceName Source ProviderGuid ProviderGUID Level Keywords TimeCreated EventTime EventReceivedTime RecordNumber RecordId Message Task " +
  "@timestamp @version tags host port type SourceModuleName SourceModuleType SeverityValue Opcode OpcodeValue Version ThreadID ExecutionProcessID " +
  "ActivityID RelatedActivityID ERROR_EVT_UNRESOLVED EventTypeOrignal UserData"
).split(" ");
/** Names that NXLog's header takes from a provider's data. Source: NXLog reference manual, im_msvistalog fields. */
const nxlogOnly = ["Severity", "Category", "UserID", "AccountName", "AccountType", "Domain"];
const commonHeader: ReadonlySet<string> = new Set(common);
const nxlogHeader: ReadonlySet<string> = new Set([...common, ...nxlogOnly]);

/** What NXLog writes into `EventType`; other values are a provider's own datum of that name (Sysmon's `CreateKey`). */
const nxlogTypes: ReadonlySet<string> = new Set("INFO WARNING ERROR CRITICAL VERBOSE DEBUG AUDIT_SUCCESS AUDIT_FAILURE".split(" "));
const nxlogLevels: { readonly [severity: string]: string } = {
  CRITICAL: "critical",
  ERROR: "error",
  WARNING: "warning",
  INFO: "information",
  VERBOSE: "verbose",
  DEBUG: "verbose",
};

/** Whether a document has `EventID` and `Channel` at its top, with a host or a time beside. */
export function isFlat(object: JsonObject): boolean {
  return (
    object["EventID"] !== undefined &&
    typeof object["Channel"] === "string" &&
    (object["Hostname"] !== undefined || object["EventTime"] !== undefined || object["TimeCreated"] !== undefined)
  );
}

/** The document must be one for which `isFlat` holds. */
export function readFlat(object: JsonObject): WindowsRecord {
  const record = new WindowsRecord();
  const nxlog = object["SourceModuleName"] !== undefined || object["SeverityValue"] !== undefined;
  record.channel = textOf(object["Channel"]);
  record.provider = textOf(object["SourceName"]) ?? textOf(object["Source"]);
  record.code = textOf(object["EventID"]);
  record.computer = textOf(object["Hostname"]);
  record.recordId = wholeOf(object["RecordNumber"] ?? object["RecordId"]);
  record.keywords = maskOf(object["Keywords"]);
  record.message = textOf(object["Message"]);
  if (nxlog) readNxlogHeader(record, object);
  else record.level = levelName(object["Level"]);
  record.time = timeOf(object);
  const header = nxlog ? nxlogHeader : commonHeader;
  for (const name in object) {
    if (!header.has(name) && !isHeaderHere(name, object, nxlog)) putDatum(record, name, object[name]);
  }
  return record;
}

function readNxlogHeader(record: WindowsRecord, object: JsonObject): void {
  const severity = object["Severity"];
  const type = object["EventType"];
  record.level = type === "AUDIT_SUCCESS" || type === "AUDIT_FAILURE" ? "information" : nxlogLevels[String(severity)];
  record.writerPid = wholeOf(object["ExecutionProcessID"] ?? object["ProcessID"]);
  record.writerSid = textOf(object["UserID"]);
  record.writerName = textOf(object["AccountName"]);
  record.writerDomain = textOf(object["Domain"]);
  // A service installation names the account the service will run as, in the place of the header's own.
  if (record.code === "7045" && object["AccountType"] === undefined) {
    putDatum(record, "AccountName", object["AccountName"]);
    record.writerName = undefined;
  }
}

/** Names that are header or data depending on what stands there. */
function isHeaderHere(name: string, object: JsonObject, nxlog: boolean): boolean {
  if (name === "EventType") return nxlogTypes.has(String(object[name]));
  // Older NXLog calls the writer's process `ProcessID`, as a number; providers' data are text.
  return nxlog && name === "ProcessID" && typeof object[name] === "number";
}

const masks = new Map<number, string>();

/** NXLog prints the 64-bit keyword mask as a signed number, others as hexadecimal text. */
function maskOf(value: JsonValue | undefined): string | undefined {
  if (typeof value !== "number") return textOf(value);
  let mask = masks.get(value);
  if (mask === undefined) {
    mask = Number.isInteger(value) ? `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}` : undefined;
    if (mask === undefined) return undefined;
    if (masks.size < 1024) masks.set(value, mask);
  }
  return mask;
}

const quarterHour = 15 * 60 * 1_000_000;

/**
 * `EventTime` is the machine's local time without a zone. Where a collector's `@timestamp` (UTC) stands beside NXLog's own `EventReceivedTime`
 * (local, of about the same moment) their difference, to the quarter hour, is the zone; else it is taken for UTC.
 */
function timeOf(object: JsonObject): Micros | undefined {
  const stamp = object["@timestamp"];
  const event = object["EventTime"] ?? object["TimeCreated"];
  const time = typeof event === "string" ? parseRfc3339(event) : undefined;
  if (time === undefined) return typeof stamp === "string" ? parseRfc3339(stamp) : undefined;
  const received = object["EventReceivedTime"];
  if (typeof received !== "string" || typeof stamp !== "string" || zoned(event as string)) return time;
  const local = parseRfc3339(received);
  const utc = parseRfc3339(stamp);
  if (local === undefined || utc === undefined) return time;
  const offset = Math.round((utc - local) / quarterHour) * quarterHour;
  return Math.abs(offset) <= maxOffset ? time + offset : time;
}

/** The largest offset from UTC in use (Kiribati, UTC+14). */
export const maxOffset = 14 * 3_600_000_000;

const zoned = (stamp: string): boolean => /(?:Z|[+-]\d\d:?\d\d)$/i.test(stamp);
