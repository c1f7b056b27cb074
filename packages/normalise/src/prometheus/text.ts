/** The text that Prometheus scrapes (0.0.4 and OpenMetrics 1.0), line by line in linear time. Knows no target. */
import type { Micros, SampleKind } from "@vedette/model";
import { kindOfName, type Labels, labelsOf, type Measured, withLabels } from "../metrics/measured.ts";

export interface Exposition {
  /** Labels of the target; a sample's own of the same name is kept as `exported_<name>`. */
  readonly labels: Labels;
  /** When it was read: the time of samples that tell none. */
  readonly time: Micros;
  /** Timestamps are seconds, not milliseconds. */
  readonly openmetrics: boolean;
}

export function decodeExposition(text: string, exposition: Exposition, into: Measured): void {
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    const first = line.charCodeAt(0);
    // 0x23 is #
    if (first === 0x23) readType(line, types);
    else if (line.trim() !== "") readSample(line, exposition, types, into);
  }
}

function readType(line: string, types: Map<string, string>): void {
  const [, word, name, type] = line.split(/[ \t]+/, 4);
  if (word === "TYPE" && name !== undefined && type !== undefined) types.set(name, type.trim());
}

/** Names that a family's samples have beside its own. */
const suffixes = ["_total", "_bucket", "_count", "_sum", "_created", "_info", "_gsum", "_gcount"];

function kindOf(name: string, labels: Labels, types: ReadonlyMap<string, string>): SampleKind | "created" {
  const suffix = types.has(name) ? "" : (suffixes.find((one) => name.endsWith(one) && types.has(name.slice(0, -one.length))) ?? "");
  const type = types.get(suffix === "" ? name : name.slice(0, -suffix.length));
  if (suffix === "_created") return "created";
  if (type === "counter") return "counter";
  if (type === "gauge" || type === "gaugehistogram" || type === "info" || type === "stateset") return "gauge";
  if (type === "histogram") return "counter";
  if (type === "summary") return labels.some(([label]) => label === "quantile") ? "gauge" : "counter";
  return kindOfName(name);
}

function readSample(
  line: string,
  { labels: target, time: read, openmetrics }: Exposition,
  types: ReadonlyMap<string, string>,
  into: Measured,
): void {
  const found = parseSample(line);
  if (found === undefined) {
    into.drop("bad_line");
    return;
  }
  const { name, labels: own, value, stamp } = found;
  const taken = new Set(target.map(([label]) => label));
  const labels = withLabels(
    labelsOf(own.map(([label, text]) => [taken.has(label) ? `exported_${label}` : label, text] as const)),
    ...target,
  );
  const kind = kindOf(name, labels, types);
  if (kind === "created") {
    into.drop("created");
    return;
  }
  const time = stamp === undefined ? read : Math.round(stamp * (openmetrics ? 1e6 : 1e3));
  into.add(name, labels, time, value, kind);
}

interface Line {
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: number;
  readonly stamp: number | undefined;
}

/** `name{label="value",…} value [timestamp] [# exemplar]`; a name with other characters stands quoted within the braces. */
export function parseSample(line: string): Line | undefined {
  const brace = line.indexOf("{");
  const space = line.search(/[ \t]/);
  const hasLabels = brace >= 0 && (space < 0 || brace < space || line.slice(0, brace).trim() === line.slice(0, space));
  let name = line.slice(0, hasLabels ? brace : space < 0 ? line.length : space).trim();
  const labels: [string, string][] = [];
  let at = hasLabels ? brace + 1 : space < 0 ? line.length : space;
  if (hasLabels) {
    const read = readLabels(line, at, labels);
    if (read === undefined) return undefined;
    at = read.at;
    name ||= read.name ?? "";
  }
  const [number = "", stamp, rest] = line
    .slice(at)
    .trim()
    .split(/[ \t]+/, 3);
  const value = readNumber(number);
  if (name === "" || value === undefined) return undefined;
  if (stamp === undefined || stamp === "#") return { name, labels, value, stamp: undefined };
  const time = Number(stamp);
  if (!Number.isFinite(time) || (rest !== undefined && rest !== "#")) return undefined;
  return { name, labels, value, stamp: time };
}

function readNumber(text: string): number | undefined {
  if (text === "NaN") return Number.NaN;
  if (text === "+Inf" || text === "Inf") return Number.POSITIVE_INFINITY;
  if (text === "-Inf") return Number.NEGATIVE_INFINITY;
  const value = text === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? undefined : value;
}

/** From behind the opening brace to behind the closing one. */
function readLabels(line: string, from: number, into: [string, string][]): { readonly at: number; readonly name?: string } | undefined {
  let at = from;
  let quotedName: string | undefined;
  for (;;) {
    while (line[at] === " " || line[at] === "\t" || line[at] === ",") at++;
    if (line[at] === "}") return { at: at + 1, ...(quotedName === undefined ? {} : { name: quotedName }) };
    let label: string;
    if (line[at] === '"') {
      const quoted = readQuoted(line, at);
      if (quoted === undefined) return undefined;
      [label, at] = quoted;
    } else {
      const equals = line.indexOf("=", at);
      if (equals < 0) return undefined;
      label = line.slice(at, equals).trim();
      at = equals;
    }
    while (line[at] === " ") at++;
    if (line[at] !== "=") {
      if (quotedName !== undefined) return undefined;
      quotedName = label;
      continue;
    }
    at++;
    while (line[at] === " ") at++;
    const value = line[at] === '"' ? readQuoted(line, at) : undefined;
    if (value === undefined) return undefined;
    into.push([label, value[0]]);
    at = value[1];
  }
}

/** The text between quotes, and the place behind them. */
function readQuoted(line: string, from: number): [text: string, at: number] | undefined {
  let text = "";
  let start = from + 1;
  for (let at = start; at < line.length; at++) {
    const c = line[at];
    if (c === '"') return [text + line.slice(start, at), at + 1];
    if (c !== "\\") continue;
    const escaped = line[at + 1];
    text += line.slice(start, at) + (escaped === "n" ? "\n" : (escaped ?? ""));
    at++;
    start = at + 1;
  }
  return undefined;
}
