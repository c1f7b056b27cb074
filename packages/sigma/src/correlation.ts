/** Sigma correlations: what must come together, of which rules, by which fields, within what time. Read and checked here; resolves no reference. */
import { contentHash, deciding, type Header, onlyKeys, readHeader, textsOf, wordOf } from "./header.ts";
import { type Reference, readReferences } from "./reference.ts";
import { Refused } from "./refusal.ts";
import { readTerms, type Term } from "./terms.ts";
import { get, type LoadedFile, type MapTree, plain, type Tree } from "./yaml.ts";

export type CorrelationType =
  | "event_count"
  | "value_count"
  | "value_sum"
  | "value_avg"
  | "value_percentile"
  | "value_median"
  | "temporal"
  | "temporal_ordered";
export type Comparison = "gt" | "gte" | "lt" | "lte" | "eq" | "neq";
/** All of a condition's bounds must hold: two make a range. */
export interface Bound {
  readonly op: Comparison;
  readonly value: number;
}
/** How events are taken together, our own attribute; Sigma leaves it open. */
export type WindowKind = "sliding" | "tumbling" | "session";

export interface SigmaCorrelation extends Header {
  readonly type: CorrelationType;
  readonly rules: readonly Reference[];
  readonly groupBy: readonly string[];
  /** Alias → reference as written → field. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** µs. */
  readonly timespan: number;
  readonly bounds: readonly Bound[];
  /** Fields whose values are counted or calculated with. */
  readonly values: readonly string[];
  /** 0 to 100, of `value_percentile`. */
  readonly percentile: number;
  /** Ways in which a temporal correlation holds, over positions in `rules`; none for numeric conditions. */
  readonly terms: readonly Term[];
  /** Whether the rules it names raise findings of their own too. */
  readonly generate: boolean;
  readonly window: WindowKind;
  /** µs of silence after which a session is over. */
  readonly gap: number;
  /** µs of disorder it asks for; undefined: the program's. */
  readonly lateness?: number;
  readonly hash: string;
}

const types: ReadonlySet<string> = new Set<CorrelationType>([
  "event_count",
  "value_count",
  "value_sum",
  "value_avg",
  "value_percentile",
  "value_median",
  "temporal",
  "temporal_ordered",
]);
const keys = ["type", "rules", "group-by", "timespan", "aliases", "condition", "generate"];
const comparisons: readonly Comparison[] = ["gt", "gte", "lt", "lte", "eq", "neq"];
const windows: ReadonlySet<string> = new Set<WindowKind>(["sliding", "tumbling", "session"]);
/** µs, with the lengths that pySigma gives months and years. */
const units: { readonly [unit: string]: number } = {
  s: 1e6,
  m: 60e6,
  h: 3_600e6,
  d: 86_400e6,
  w: 604_800e6,
  M: 2_629_746e6,
  y: 31_556_952e6,
};
/** Rules of one correlation, and fields it groups by: far above any written, low enough for every key to stay small. */
const maxRules = 64;
const maxGroups = 8;
/** A key's distinct values are kept up to twice the bound: this many are some hundred kB. */
const maxDistinct = 10_000;

/** Throws `Refused`. */
export function readCorrelation(document: MapTree, file: string, position: LoadedFile["position"]): SigmaCorrelation {
  const header = readHeader(document, file, position(document.at).line);
  const tree = get(document, "correlation");
  if (tree?.kind !== "map")
    throw new Refused(
      tree?.at ?? document.at,
      "correlation",
      "a map with type, rules and timespan",
      "write correlation: {type: event_count, ...}",
    );
  onlyKeys(tree, keys, "correlation.");
  const type = wordOf(tree, "type", types) as CorrelationType | undefined;
  if (type === undefined) throw new Refused(tree.at, "correlation", "a type", `add type: one of ${[...types].join(", ")}`);
  const condition = get(tree, "condition");
  const written = readReferences(tree, position);
  const extended = condition?.kind === "scalar" && typeof condition.value === "string" ? condition : undefined;
  if (extended !== undefined && !type.startsWith("temporal"))
    throw new Refused(extended.at, `condition of ${type}`, "a map such as {gte: 10}", "write condition: {gte: 10}");
  const { rules, terms } = readTerms(type, extended, written, position);
  if (rules.length === 0)
    throw new Refused(tree.at, "correlation.rules", "the rules that are correlated, by id or name", "add rules: [name]");
  if (rules.length > maxRules) throw new Refused(tree.at, `${rules.length} rules`, `at most ${maxRules}`, "split the correlation");
  const groupBy = textsOf(tree, "group-by");
  if (groupBy.length > maxGroups)
    throw new Refused(get(tree, "group-by")!.at, `${groupBy.length} fields`, `at most ${maxGroups}`, "group by fewer fields");
  const numeric = extended === undefined ? readCondition(condition, type, tree, rules.length) : nothing;
  return {
    ...header,
    type,
    rules,
    groupBy,
    aliases: readAliases(tree, rules, groupBy),
    timespan: durationOf(get(tree, "timespan"), "timespan", tree.at),
    ...numeric,
    terms: numeric.bounds.length > 0 && type === "temporal" ? [] : terms,
    generate: flagOf(tree, "generate"),
    ...readWindow(document),
    hash: contentHash([header.id, header.level, plain(tree), deciding(header.vedette)]),
  };
}

interface Numeric {
  readonly bounds: readonly Bound[];
  readonly values: readonly string[];
  readonly percentile: number;
}
const nothing: Numeric = { bounds: [], values: [], percentile: 0 };

function readCondition(condition: Tree | undefined, type: CorrelationType, tree: MapTree, rules: number): Numeric {
  const temporal = type.startsWith("temporal");
  if (condition === undefined && temporal) return nothing;
  if (condition?.kind !== "map")
    throw new Refused(condition?.at ?? tree.at, "condition", "a map such as {gte: 10}", "add condition: {gte: 10}");
  onlyKeys(condition, [...comparisons, "field", "percentile"], "condition.");
  const bounds = comparisons.flatMap((op): Bound[] => {
    const value = get(condition, op);
    return value === undefined ? [] : [{ op, value: numberOf(value, `condition.${op}`) }];
  });
  if (bounds.length === 0) throw new Refused(condition.at, "condition", `one of ${comparisons.join(", ")}`, "add gte: 10");
  const impossible = rangeTrouble(bounds);
  if (impossible !== undefined) throw new Refused(condition.at, impossible, "bounds that some number meets", "correct one of them");
  const values = textsOf(condition, "field");
  const takesValues = type.startsWith("value_");
  if (takesValues !== values.length > 0 || (values.length > 1 && type !== "value_count"))
    throw new Refused(
      get(condition, "field")?.at ?? condition.at,
      `condition of ${type}`,
      takesValues ? (type === "value_count" ? "field: one or several" : "field: one") : "no field",
      takesValues ? "add field: name" : "remove field, or use value_count",
    );
  if (type === "temporal_ordered" && !bounds.every((bound) => holds(bound, rules)))
    throw new Refused(
      condition.at,
      "condition",
      "no number: all rules must occur, in their order",
      "remove the condition, or use temporal",
    );
  const most = Math.max(...bounds.map((bound) => bound.value));
  if (type === "value_count" && most > maxDistinct)
    throw new Refused(condition.at, `${most} different values`, `at most ${maxDistinct}`, "count a coarser field, or use a lower bound");
  return { bounds: type === "temporal_ordered" ? [] : bounds, values, percentile: readPercentile(condition, type) };
}

function readPercentile(condition: MapTree, type: CorrelationType): number {
  const tree = get(condition, "percentile");
  if ((tree === undefined) === (type === "value_percentile"))
    throw new Refused(
      tree?.at ?? condition.at,
      `condition of ${type}`,
      tree === undefined ? "a percentile" : "no percentile",
      tree === undefined ? "add percentile: 95" : "remove percentile, or use value_percentile",
    );
  if (tree === undefined) return 0;
  const value = numberOf(tree, "percentile");
  if (value < 0 || value > 100) throw new Refused(tree.at, `percentile: ${value}`, "0 to 100", "write percentile: 95");
  return value;
}

export function holds({ op, value }: Bound, figure: number): boolean {
  switch (op) {
    case "gt":
      return figure > value;
    case "gte":
      return figure >= value;
    case "lt":
      return figure < value;
    case "lte":
      return figure <= value;
    case "eq":
      return figure === value;
    case "neq":
      return figure !== value;
  }
}

function rangeTrouble(bounds: readonly Bound[]): string | undefined {
  const lows = bounds.filter((b) => b.op === "gt" || b.op === "gte" || b.op === "eq");
  const highs = bounds.filter((b) => b.op === "lt" || b.op === "lte" || b.op === "eq");
  for (const low of lows)
    for (const high of highs) {
      const open = low.op === "gt" || high.op === "lt";
      if (low.value > high.value || (open && low.value === high.value)) return `${low.op}: ${low.value} with ${high.op}: ${high.value}`;
    }
  return undefined;
}

function readAliases(tree: MapTree, rules: readonly Reference[], groupBy: readonly string[]): SigmaCorrelation["aliases"] {
  const aliases = get(tree, "aliases");
  if (aliases === undefined) return new Map();
  const wrong = (at: number, what: string) =>
    new Refused(at, what, "alias: {rule: field, ...}", "write aliases: {internal_ip: {rule_a: src_ip, rule_b: dst_ip}}");
  if (aliases.kind !== "map") throw wrong(aliases.at, "aliases");
  const condition = get(tree, "condition");
  const counted = condition?.kind === "map" ? textsOf(condition, "field") : [];
  return new Map(
    aliases.entries.map(({ key, keyAt, value }) => {
      if (value.kind !== "map") throw wrong(value.at, `aliases.${key}`);
      if (!groupBy.includes(key) && !counted.includes(key))
        throw new Refused(keyAt, `alias ${key}`, "an alias that group-by or the condition uses", "add it to group-by, or remove it");
      const fields = value.entries.map(({ key: rule, keyAt: at, value: field }): [string, string] => {
        if (field.kind !== "scalar" || typeof field.value !== "string") throw wrong(field.at, `aliases.${key}.${rule}`);
        if (!rules.some(({ to }) => to === rule))
          throw new Refused(
            at,
            `aliases.${key}.${rule}`,
            `one of ${rules.map(({ to }) => to).join(", ")}`,
            "name a rule as it stands in rules",
          );
        return [rule, field.value];
      });
      return [key, new Map(fields)];
    }),
  );
}

function readWindow(document: MapTree): Pick<SigmaCorrelation, "window" | "gap" | "lateness"> {
  const vedette = get(document, "vedette");
  if (vedette?.kind !== "map") return { window: "sliding", gap: 0 };
  const window = (wordOf(vedette, "window", windows) ?? "sliding") as WindowKind;
  const gap = get(vedette, "gap");
  if ((gap !== undefined) !== (window === "session"))
    throw new Refused(
      gap?.at ?? get(vedette, "window")!.at,
      gap === undefined ? "window: session" : "gap",
      gap === undefined ? "a gap: the silence that ends a session" : "window: session beside it",
      gap === undefined ? "add gap: 5m" : "add window: session",
    );
  const lateness = get(vedette, "lateness");
  return {
    window,
    gap: gap === undefined ? 0 : durationOf(gap, "gap", vedette.at),
    ...(lateness === undefined ? {} : { lateness: durationOf(lateness, "lateness", vedette.at) }),
  };
}

function durationOf(tree: Tree | undefined, key: string, at: number): number {
  const text = tree?.kind === "scalar" ? String(tree.value) : "";
  const found = /^([1-9]\d{0,8})([smhdwMy])$/.exec(text);
  const duration = found === null ? Number.NaN : Number(found[1]) * units[found[2]!]!;
  if (!(duration <= 10 * units["y"]!))
    throw new Refused(tree?.at ?? at, `${key}: ${text}`, "a number and s, m, h, d, w, M or y, at most 10y", `write ${key}: 5m`);
  return duration;
}

function numberOf(tree: Tree, key: string): number {
  const value =
    tree.kind === "scalar" && typeof tree.value !== "boolean" && tree.value !== null && tree.value !== "" ? Number(tree.value) : Number.NaN;
  if (!Number.isFinite(value)) throw new Refused(tree.at, key, "a number", `write ${key.split(".").at(-1)}: 10`);
  return value;
}

function flagOf(tree: MapTree, key: string): boolean {
  const value = get(tree, key);
  if (value === undefined) return false;
  if (value.kind !== "scalar" || typeof value.value !== "boolean") throw new Refused(value.at, key, "true or false", `write ${key}: true`);
  return value.value;
}
