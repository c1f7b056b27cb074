/** Zeek's JSON (its own writers, to Kafka as well, json-streaming-logs, Corelight): which log a document is of, and its columns in the same form as TSV. */
import { type DecodeContext, type Decoded, type JsonKind, type JsonObject, type JsonValue, newFields } from "@vedette/kit";
import type { Fields, Scalar } from "@vedette/model";
import { flattenValue, maxPathLength } from "../json/flatten.ts";
import { isObject } from "../json/parse.ts";
import { epochOfAnyUnit, epochSeconds, formatTime, parseAnyTime } from "../time/parse.ts";
import { isTimeColumn, zeekColumn, zeekField } from "./columns.ts";
import { safeLog, startEvent } from "./event.ts";
import { documentHas, knownLogs, type LogKind, logKind, logOfColumns, logOfStream } from "./logs.ts";
import { sixDecimals } from "./values.ts";

interface Column {
  /** Undefined: not kept. */
  readonly field: string | undefined;
  readonly isTime: boolean;
}
interface Table {
  readonly log: string;
  readonly kind: LogKind;
  readonly columns: Map<string, Column>;
}

/** Both bound what a hostile sender can make us remember; Zeek with all packages stays far below. */
const maxTables = 128;
const maxKeys = 512;
const tables = new Map<string, Table>();

function tableOf(log: string): Table {
  let table = tables.get(log);
  if (table === undefined) {
    table = { log, kind: logKind(log), columns: new Map() };
    if (tables.size < maxTables) tables.set(log, table);
  }
  return table;
}

function columnOf(table: Table, key: string): Column {
  let column = table.columns.get(key);
  if (column === undefined) {
    const name = zeekColumn(table.log, key);
    column = { field: zeekField(table.log, key), isTime: isTimeColumn(table.log, name) };
    if (table.columns.size < maxKeys) table.columns.set(key, column);
  }
  return column;
}

function logOf(object: JsonObject, context: DecodeContext): string {
  return (
    safeLog(object["_path"]) ??
    safeLog(object["@stream"]) ??
    logOfStream(context.stream) ??
    logOfColumns((column) => documentHas(object, column)) ??
    "unknown"
  );
}

/** A row under its log's name, as Zeek's writer to Kafka tags it: `{"conn": {…}}`. */
function taggedRow(object: JsonObject): { readonly log: string; readonly row: JsonObject } | undefined {
  let log: string | undefined;
  for (const name in object) {
    if (log !== undefined) return undefined;
    log = name;
  }
  const row = log === undefined || !knownLogs.has(log) ? undefined : object[log];
  return isObject(row) && row["ts"] !== undefined ? { log: log!, row } : undefined;
}

function decode(object: JsonObject, log: string): Decoded {
  const table = tableOf(log);
  const fields = newFields();
  startEvent(fields, table.log, table.kind);
  setColumns(object, "", table, fields, 0);
  table.kind.finish?.(fields);
  return { time: timeOf(object["ts"]), fields };
}

/** Fields of one event at most; the widest log has some 50. */
const maxColumns = 512;

function setColumns(object: JsonObject, prefix: string, table: Table, fields: Fields, count: number): number {
  let set = count;
  for (const key in object) {
    const value = object[key];
    if (value === null || value === undefined) continue;
    if (set >= maxColumns || key.length > maxPathLength) {
      fields["vedette.fields_dropped"] = ((fields["vedette.fields_dropped"] as number | undefined) ?? 0) + 1;
      continue;
    }
    if (isObject(value) && prefix === "") {
      set = setColumns(value, `${key}.`, table, fields, set);
      continue;
    }
    const { field, isTime } = columnOf(table, prefix === "" ? key : prefix + key);
    if (field === undefined) continue;
    set++;
    if (typeof value === "object") setMany(value, field, isTime, fields);
    else fields[field] = isTime ? timeText(value) : typeof value === "number" ? finite(value) : value;
  }
  return set;
}

function setMany(value: JsonObject | readonly JsonValue[], field: string, isTime: boolean, fields: Fields): void {
  if (!Array.isArray(value) || value.some((one) => typeof one === "object" && one !== null)) {
    flattenValue(value, fields, field);
    return;
  }
  const out: Scalar[] = [];
  for (const one of value as readonly Scalar[]) {
    if (one !== null) out.push(isTime ? timeText(one) : typeof one === "number" ? finite(one) : one);
  }
  fields[field] = out;
}

const finite = (value: number): Scalar => (Number.isFinite(value) ? sixDecimals(value) : String(value));

/** A time column as RFC 3339 with microseconds, whichever of its three ways the writer took. */
function timeText(value: Scalar): Scalar {
  const time = typeof value === "number" && Math.abs(value) < 1e11 ? epochSeconds(value) : parseAnyTime(value);
  return time === undefined ? value : formatTime(time);
}

/** `ts`: epoch seconds or milliseconds as a number, or ISO 8601. */
function timeOf(ts: JsonValue | undefined): number | undefined {
  return typeof ts === "number" ? epochOfAnyUnit(ts) : parseAnyTime(ts);
}

/** Zeek's part in mixed JSON streams. */
export const zeekJson: JsonKind = {
  anyOf: ["ts", ...knownLogs],
  claims(object, context) {
    if (object["ts"] === undefined) return taggedRow(object) === undefined ? 0 : 0.95;
    if (typeof object["_path"] === "string" || (typeof object["@stream"] === "string" && object["@proc"] === "zeek")) return 1;
    if (typeof object["uid"] === "string" && documentHas(object, "id.orig_h")) return 0.95;
    if (object["@timestamp"] !== undefined || object["ecs.version"] !== undefined) return 0;
    if (logOfStream(context.stream) !== undefined) return 0.8;
    return logOfColumns((column) => documentHas(object, column)) === undefined ? 0 : 0.7;
  },
  decode(object, _text, context) {
    const tagged = object["ts"] === undefined ? taggedRow(object) : undefined;
    return tagged ? decode(tagged.row, tagged.log) : decode(object, logOf(object, context));
  },
};
