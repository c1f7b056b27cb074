/** Reads the systemd journal's JSON: `journalctl -o json`, and what Fluent Bit's systemd input makes of it. Knows no program. */
import { type DecodeResult, type JsonObject, type JsonValue, newFields } from "@vedette/kit";
import { relate } from "../ecs/related.ts";
import { readMessage } from "../linux/programs.ts";
import { epochOfAnyUnit, parseAnyTime } from "../time/parse.ts";

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** Whether a document has the journal's MESSAGE and another field of its own. */
export const isJournal = (object: JsonObject): boolean =>
  object["MESSAGE"] !== undefined &&
  (object["SYSLOG_IDENTIFIER"] !== undefined || object["__REALTIME_TIMESTAMP"] !== undefined || object["_HOSTNAME"] !== undefined);

/** The journal's own field names. Source: systemd.journal-fields(7). */
const journalFields: { readonly [name: string]: string } = {
  _HOSTNAME: "host.name",
  _SYSTEMD_UNIT: "systemd.unit",
  _EXE: "process.executable",
  _CMDLINE: "process.command_line",
  _TRANSPORT: "log.syslog.transport",
  SYSLOG_IDENTIFIER: "process.name",
  // Of the process that wrote the line, not of whom it writes about.
  _UID: "process.user.id",
  CONTAINER_ID_FULL: "container.id",
  CONTAINER_NAME: "container.name",
};
const journalNumbers: { readonly [name: string]: string } = {
  _PID: "process.pid",
  PRIORITY: "log.syslog.severity.code",
  SYSLOG_FACILITY: "log.syslog.facility.code",
};

/** Decodes a program's message by a format of its own; undefined where it has none. */
type Embedded = (program: string | undefined, message: string) => DecodeResult | undefined;

/** The document must be one for which `isJournal` holds. */
export function decodeJournal(object: JsonObject, embedded: Embedded): DecodeResult {
  const fields = newFields();
  fields["event.kind"] = "event";
  fields["event.module"] = "linux";
  for (const name in journalFields) {
    const value = text(object[name]);
    if (value !== undefined) fields[journalFields[name]!] = value;
  }
  for (const name in journalNumbers) {
    const value = Number(object[name] ?? Number.NaN);
    if (Number.isSafeInteger(value)) fields[journalNumbers[name]!] = value;
  }
  if (fields["host.name"] !== undefined) fields["host.hostname"] = fields["host.name"];
  const message = messageOf(object["MESSAGE"]);
  fields["message"] = message;
  const program = text(object["SYSLOG_IDENTIFIER"]) ?? text(object["_COMM"]) ?? "";
  const stamp = Number(object["_SOURCE_REALTIME_TIMESTAMP"] ?? object["__REALTIME_TIMESTAMP"] ?? Number.NaN);
  const time = epochOfAnyUnit(stamp) ?? parseAnyTime(object["@timestamp"]) ?? parseAnyTime(object["date"]);
  const inner = embedded(object["_TRANSPORT"] === "audit" ? "audit" : program, message);
  if (inner !== undefined && "fields" in inner) {
    inner.time ??= time;
    if (fields["host.name"] !== undefined) inner.fields["host.name"] ??= fields["host.name"];
    return inner;
  }
  readMessage(program, message, fields);
  relate(fields);
  return { time, fields };
}

/** The journal gives messages that are not UTF-8 as an array of bytes. */
function messageOf(value: JsonValue | undefined): string {
  if (!Array.isArray(value)) return typeof value === "string" ? value : JSON.stringify(value ?? "");
  return Buffer.from(value.filter((byte) => typeof byte === "number") as number[]).toString("utf8");
}
