/** Zeek's TSV: compiles a header once into columns, then decodes rows by it. Knows no source. */
import { type DecodeContext, type DecodeResult, newFields } from "@vedette/kit";
import type { FieldValue, Scalar } from "@vedette/model";
import { parseEpochSeconds, parseRfc3339 } from "../time/parse.ts";
import { zeekColumn, zeekField } from "./columns.ts";
import { safeLog, startEvent } from "./event.ts";
import { type LogKind, logKind, logOfColumns, logOfStream } from "./logs.ts";
import { tsvNumber, tsvTime, unescapeZeek } from "./values.ts";

type ValueKind = "text" | "number" | "bool" | "time" | "ts" | "skip";
interface Column {
  readonly field: string;
  readonly kind: ValueKind;
  readonly list: boolean;
}

/** A header as rows need it. */
interface Header {
  readonly log: string;
  readonly kind: LogKind;
  readonly separator: string;
  readonly setSeparator: string;
  readonly empty: string;
  readonly unset: string;
  readonly columns: readonly Column[];
}

/** Zeek's widest log (`stats`, `ssl` with all extensions) has some 50 columns. */
const maxColumns = 1_024;

/** Reads the `#` lines of a preamble; undefined where there is no `#fields`. Where a file holds several headers the last one counts. */
function compileHeader(preamble: string, stream: string): Header | undefined {
  let separator = "\t";
  let setSeparator = ",";
  let empty = "(empty)";
  let unset = "-";
  let path: string | undefined;
  let names: readonly string[] | undefined;
  let types: readonly string[] = [];
  for (const raw of preamble.split("\n")) {
    const line = raw.trimStart().replace(/\r$/, "");
    if (line.startsWith("#separator ")) separator = unescapeZeek(line.slice(11)) || "\t";
    const [key, ...values] = line.split(separator);
    const value = values.join(separator);
    if (key === "#set_separator") setSeparator = unescapeZeek(value) || ",";
    else if (key === "#empty_field") empty = value;
    else if (key === "#unset_field") unset = value;
    else if (key === "#path") path = value;
    else if (key === "#fields") names = values;
    else if (key === "#types") types = values;
  }
  if (names === undefined || names.length === 0 || names.length > maxColumns) return undefined;
  const own = new Set(names.map((name) => zeekColumn("", name)));
  const log = safeLog(path) ?? logOfStream(stream) ?? logOfColumns((column) => own.has(column)) ?? "unknown";
  const stamp = names.includes("ts") ? "ts" : types[0] === "time" && names[0] === "t" ? "t" : "ts";
  const columns = names.map((name, i) => compileColumn(log, name, types[i] ?? "string", name === stamp));
  return { log, kind: logKind(log), separator, setSeparator, empty, unset, columns };
}

function compileColumn(log: string, name: string, type: string, isStamp: boolean): Column {
  if (isStamp) return { field: "zeek.ts", kind: "ts", list: false };
  const field = zeekField(log, name);
  if (field === undefined) return { field: "", kind: "skip", list: false };
  const bracket = type.indexOf("[");
  const list = bracket > 0 && (type.startsWith("set[") || type.startsWith("vector["));
  return { field, kind: valueKind(list ? type.slice(bracket + 1, -1) : type), list };
}

function valueKind(type: string): ValueKind {
  if (type === "count" || type === "int" || type === "port" || type === "double" || type === "interval") return "number";
  return type === "bool" || type === "time" ? type : "text";
}

/** One row by its header. */
function decodeRow(row: string, header: Header): DecodeResult {
  const values = row.split(header.separator, maxColumns + 1);
  const { columns } = header;
  if (values.length !== columns.length) {
    return {
      code: "bad_columns",
      expected: `${columns.length} columns of zeek ${header.log}, as its #fields says; there are ${values.length}`,
    };
  }
  const escaped = row.indexOf("\\") >= 0;
  const fields = newFields();
  startEvent(fields, header.log, header.kind);
  let time: number | undefined;
  for (let i = 0; i < values.length; i++) {
    const text = values[i]!;
    if (text === header.unset) continue;
    const { field, kind, list } = columns[i]!;
    if (kind === "skip") continue;
    if (kind === "ts") time = parseEpochSeconds(text) ?? parseRfc3339(text);
    else if (list) fields[field] = elements(text, kind, header, escaped);
    else fields[field] = kind === "text" ? string(text, header, escaped) : scalar(text, kind);
  }
  header.kind.finish?.(fields);
  return { time, fields };
}

const string = (text: string, header: Header, escaped: boolean): string =>
  text === header.empty ? "" : escaped ? unescapeZeek(text) : text;

function scalar(text: string, kind: ValueKind): Scalar {
  if (kind === "number") return tsvNumber(text);
  if (kind === "bool")
    return text === "T" || text === "true" || text === "1" ? true : text === "F" || text === "false" || text === "0" ? false : text;
  return tsvTime(text);
}

/** A set or vector; unset elements, which a Condition could not match, are left out. */
function elements(text: string, kind: ValueKind, header: Header, escaped: boolean): FieldValue {
  if (text === header.empty) return [];
  const out: Scalar[] = [];
  for (const one of text.split(header.setSeparator)) {
    if (one === header.unset) continue;
    out.push(kind === "text" ? string(one, header, escaped) : scalar(one, kind));
  }
  return out;
}

/** Decodes TSV rows, keeping the headers seen last compiled. One per decoder. */
export function tsvDecoder(): (row: string, context: DecodeContext) => DecodeResult {
  const headers = new Map<string, Header | undefined>();
  let lastPreamble: string | undefined;
  let lastStream = "";
  let last: Header | undefined;
  return (row, context) => {
    const { preamble, stream } = context;
    if (preamble !== lastPreamble || stream !== lastStream) {
      const key = `${stream}\n${preamble}`;
      if (!headers.has(key)) {
        if (headers.size >= keptHeaders) headers.clear();
        headers.set(key, preamble === undefined ? undefined : compileHeader(preamble, stream));
      }
      last = headers.get(key);
      lastPreamble = preamble;
      lastStream = stream;
    }
    if (last === undefined) {
      return {
        code: "no_header",
        expected: "a Zeek TSV header (#separator … #fields … #types) before the first row; was the file read from its start?",
      };
    }
    return decodeRow(row, last);
  };
}
/** A source rarely interleaves more logs than Zeek writes. */
const keptHeaders = 128;
