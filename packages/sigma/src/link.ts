/** Correlations joined to the rules and correlations they name, in the fields of the events. Knows no time and no state. */
import { decimalOf, type FieldValue, scalarsOf } from "@vedette/condition";
import type { SigmaCorrelation } from "./correlation.ts";
import { type Fold, foldOf } from "./episode.ts";
import { applyFilters, type SigmaFilter } from "./filter.ts";
import { contentHash } from "./header.ts";
import { mapRule, nameMapping } from "./mapping.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Reference } from "./reference.ts";
import { nearest, type Refusal, refusal } from "./refusal.ts";
import type { SigmaRule } from "./rule.ts";

type Fields = { readonly [field: string]: FieldValue | undefined };

/** What one event comes to under one key. */
export interface Contribution {
  /** Values of the group-by fields; as text. */
  readonly key: string;
  /** Positions of the matched rules in the correlation's list, ascending. */
  readonly rules: readonly number[];
  readonly values: readonly (string | number)[];
}

/** A correlation ready to count. */
export interface Correlation extends Fold {
  readonly rule: SigmaCorrelation;
  /** Of everything that decides its findings: its own document and the rules it names. */
  readonly hash: string;
  /** Ids of the rules and correlations it takes, by position in `rule.rules`. */
  readonly takes: readonly string[];
  /** The group-by fields as events name them, for showing. */
  readonly groups: readonly string[];
  /** Those of them that every event of a key has in common, whichever rule it matched. */
  readonly shared: readonly string[];
  /** Fields of events that it reads. */
  readonly fields: readonly string[];
  /** What an event that matched these rules, or a finding of these correlations, comes to; nothing where a field it groups by is absent. */
  contributions(matched: readonly string[], fields: Fields): readonly Contribution[];
}

export interface LinkOptions {
  readonly pipelines?: readonly (Pipeline | Refusal)[];
  /** As given to `compileRules`; they change what a correlation's rules match, and with it its hash. */
  readonly filters?: readonly SigmaFilter[];
  /** What correlations may take of detectors, as `detector.<name>`; any where it is not given. */
  readonly detectors?: readonly string[];
}

export interface CorrelationSet {
  /** Each after those it takes. */
  readonly correlations: readonly Correlation[];
  readonly refused: readonly Refusal[];
  /** Ids of rules and correlations that only feed correlations and raise no findings of their own. */
  readonly silent: ReadonlySet<string>;
  /** Those that take the matches of a rule or correlation. */
  taking(id: string): readonly Correlation[];
}

/** Keys of one event for one correlation: an event of many values must not cost as many folds. */
export const maxKeys = 16;
/** Values one event gives a count. */
const maxValues = 64;
/** A value longer than this stands in keys as its beginning and its hash. */
const maxText = 128;

/** Never throws: what cannot be linked is in `refused`. @param rules the loaded rules, those that `compileRules` will refuse among them */
export function linkCorrelations(
  correlations: readonly SigmaCorrelation[],
  rules: readonly SigmaRule[],
  options: LinkOptions = {},
): CorrelationSet {
  const filtered = applyFilters(rules, options.filters ?? []).rules;
  const linker = new Linker(
    correlations,
    filtered,
    (options.pipelines ?? []).filter((p): p is Pipeline => !("construct" in p)),
    options.detectors,
  );
  for (const correlation of correlations) linker.link(correlation);
  const linked = [...linker.linked.values()];
  const takers = new Map<string, Correlation[]>();
  for (const one of linked) for (const id of new Set(one.takes)) takers.set(id, [...(takers.get(id) ?? []), one]);
  const silent = [...takers].filter(([, of]) => of.every((one) => !one.rule.generate)).map(([id]) => id);
  return { correlations: linked, refused: linker.refused, silent: new Set(silent), taking: (id) => takers.get(id) ?? none };
}

const none: readonly Correlation[] = [];

class Linker {
  readonly linked = new Map<SigmaCorrelation, Correlation>();
  readonly refused: Refusal[] = [];
  readonly #known = new Map<string, SigmaRule | SigmaCorrelation>();
  readonly #failed = new Set<SigmaCorrelation>();
  readonly #open: SigmaCorrelation[] = [];
  readonly #pipelines: readonly Pipeline[];
  readonly #detectors: readonly string[] | undefined;

  constructor(
    correlations: readonly SigmaCorrelation[],
    rules: readonly SigmaRule[],
    pipelines: readonly Pipeline[],
    detectors: readonly string[] | undefined,
  ) {
    this.#pipelines = pipelines;
    this.#detectors = detectors;
    // ids first: a name never hides one
    for (const one of [...rules, ...correlations]) {
      const same = this.#known.get(one.id);
      if (same === undefined) this.#known.set(one.id, one);
      else if ("type" in one)
        this.#fail(one, one, `id: ${one.id}`, "an id of its own", `${same.file}:${same.line} has it already: give one of them a new id`);
      // findings are told apart by this name
      if ("type" in one && detectors?.includes(`detector.${one.id}`))
        this.#fail(one, one, `id: ${one.id}`, "an id of its own", "a detector has this name: give the correlation another id");
    }
    for (const one of [...rules, ...correlations]) if (one.name !== undefined && !this.#known.has(one.name)) this.#known.set(one.name, one);
  }

  link(correlation: SigmaCorrelation): Correlation | undefined {
    const done = this.linked.get(correlation);
    if (done !== undefined || this.#failed.has(correlation)) return done;
    this.#open.push(correlation);
    const parts: Part[] = [];
    for (const reference of correlation.rules) {
      const part = this.#part(correlation, reference);
      if (part === undefined) break;
      parts.push(part);
    }
    this.#open.pop();
    if (this.#failed.has(correlation)) return undefined;
    const made = correlationOf(correlation, parts, this.#pipelines);
    this.linked.set(correlation, made);
    return made;
  }

  #part(correlation: SigmaCorrelation, reference: Reference): Part | undefined {
    const target = this.#known.get(reference.to);
    const known = this.#detectors;
    if (target === undefined && reference.to.startsWith("detector.") && (known?.includes(reference.to) ?? true))
      return { detector: reference.to };
    if (target === undefined) {
      const near = nearest(reference.to, [...this.#known.keys(), ...(known ?? [])]);
      this.#fail(
        correlation,
        reference,
        `rule ${reference.to}`,
        "the id or name of a loaded rule or correlation, or detector.NAME",
        near === undefined ? "load it too" : `did you mean ${near}?`,
      );
      return undefined;
    }
    if (!("type" in target)) return this.#rule(correlation, reference, target);
    if (this.#open.includes(target)) {
      const circle = [...this.#open.slice(this.#open.indexOf(target)), target].map((one) => one.title).join(" → ");
      this.#fail(correlation, reference, circle, "correlations that do not take one another in a circle", "remove one of the references");
      return undefined;
    }
    const inner = this.link(target);
    if (inner === undefined) {
      this.#fail(
        correlation,
        reference,
        `rule ${reference.to}`,
        "a correlation that is not refused itself",
        `repair ${target.file}:${target.line}`,
      );
      return undefined;
    }
    const missing = correlation.groupBy.find((group) => !target.groupBy.includes(fieldOf(correlation, group, reference)));
    if (missing === undefined) return inner;
    this.#fail(
      correlation,
      reference,
      `group-by ${missing}`,
      `a field that ${target.title} groups by too`,
      `group by one of ${target.groupBy.join(", ") || "none"}`,
    );
    return undefined;
  }

  /** A rule that the compiler will refuse would leave the correlation silent for ever. */
  #rule(correlation: SigmaCorrelation, reference: Reference, rule: SigmaRule): SigmaRule | undefined {
    if (this.#pipelines.length === 0) return rule;
    const mapped = mapRule(rule, this.#pipelines);
    if (!("message" in mapped) && mapped.placed) return rule;
    this.#fail(correlation, reference, `rule ${reference.to}`, "a rule that is not refused itself", `repair ${rule.file}:${rule.line}`);
    return undefined;
  }

  #fail(
    correlation: SigmaCorrelation,
    at: { readonly line: number; readonly column?: number },
    construct: string,
    expected: string,
    suggestion: string,
  ): void {
    this.#failed.add(correlation);
    const { file, title, id } = correlation;
    this.refused.push(refusal({ file, line: at.line, column: at.column ?? 1, title, id }, { construct, expected, suggestion }));
  }
}

/** What a group-by or counted field is called in the words of one rule. */
function fieldOf(correlation: SigmaCorrelation, field: string, { to }: Reference): string {
  return correlation.aliases.get(field)?.get(to) ?? field;
}

/** What a correlation takes: a rule's matches, or the claims of a correlation or of a detector. */
type Part = SigmaRule | Correlation | { readonly detector: string };
const idOf = (part: Part): string => ("detector" in part ? part.detector : "takes" in part ? part.rule.id : part.id);
const hashOf = (part: Part): string => ("detector" in part ? part.detector : part.hash);

function correlationOf(rule: SigmaCorrelation, parts: readonly Part[], pipelines: readonly Pipeline[]): Correlation {
  const sources = parts.map((part, i): Source => {
    const names = "takes" in part || "detector" in part ? (field: string) => [field] : nameMapping(part, pipelines);
    const all = (fields: readonly string[]) => fields.map((field) => names(fieldOf(rule, field, rule.rules[i]!)));
    return { id: idOf(part), groups: all(rule.groupBy), values: all(rule.values) };
  });
  const first = sources[0]!;
  return {
    ...foldOf(rule),
    rule,
    hash: contentHash([rule.hash, parts.map(hashOf)]),
    takes: sources.map((source) => source.id),
    groups: rule.groupBy.map((field, i) => first.groups[i]![0] ?? field),
    shared: first.groups.flatMap(([name], i) =>
      name !== undefined && sources.every(({ groups }) => groups[i]!.length === 1 && groups[i]![0] === name) ? [name] : [],
    ),
    fields: [...new Set(sources.flatMap((source) => [...source.groups, ...source.values].flat()))],
    contributions: (matched, fields) => contributionsOf(rule, sources, matched, fields),
  };
}

/** A rule or correlation as one correlation sees it: per group-by and counted field, its names in the events. */
interface Source {
  readonly id: string;
  readonly groups: readonly (readonly string[])[];
  readonly values: readonly (readonly string[])[];
}

function contributionsOf(
  rule: SigmaCorrelation,
  sources: readonly Source[],
  matched: readonly string[],
  fields: Fields,
): readonly Contribution[] {
  const found = new Map<string, { readonly key: string; readonly rules: number[]; readonly values: readonly (string | number)[] }>();
  for (const [position, source] of sources.entries()) {
    if (!matched.includes(source.id)) continue;
    const values = rule.values.length === 0 ? [] : valuesOf(rule, source.values, fields);
    if (rule.values.length > 0 && values.length === 0) continue;
    for (const key of keysOf(source.groups, fields)) {
      const known = found.get(key);
      if (known === undefined) found.set(key, { key, rules: [position], values });
      else known.rules.push(position);
    }
  }
  return [...found.values()];
}

/** One alone stands as it is, several as a JSON array; a list gives a key for each of its values. */
function keysOf(groups: readonly (readonly string[])[], fields: Fields): readonly string[] {
  const single: string[] = [];
  for (const names of groups) {
    const values = scalars(names, fields);
    if (values.length !== 1) return manyKeysOf(groups, fields);
    single.push(short(String(values[0])));
  }
  return [keyOf(single)];
}
function manyKeysOf(groups: readonly (readonly string[])[], fields: Fields): readonly string[] {
  let keys: readonly (readonly string[])[] = [[]];
  for (const names of groups) {
    const texts = [...new Set(scalars(names, fields).map((value) => short(String(value))))];
    keys = keys.flatMap((key) => texts.map((text) => [...key, text])).slice(0, maxKeys);
  }
  return keys.map(keyOf);
}
const keyOf = (values: readonly string[]): string => (values.length === 1 ? values[0]! : values.length === 0 ? "" : JSON.stringify(values));

/** The values of the group-by fields, in their order, that a key was made of. */
export function groupValues(correlation: Correlation, key: string): readonly string[] {
  const { length } = correlation.rule.groupBy;
  return length === 0 ? [] : length === 1 ? [key] : (JSON.parse(key) as string[]);
}

function valuesOf({ type }: SigmaCorrelation, names: readonly (readonly string[])[], fields: Fields): readonly (string | number)[] {
  const lists = names.map((of) => scalars(of, fields).slice(0, maxValues));
  if (type !== "value_count") return lists[0]!.map((value) => decimalOf(String(value))).filter((n) => !Number.isNaN(n));
  if (lists.length === 1) return lists[0]!.map((value) => short(String(value)));
  return lists.some((list) => list.length === 0) ? [] : [short(JSON.stringify(lists.map((list) => list.map(String))))];
}

/** The values of the first of the names that the event has. */
function scalars(names: readonly string[], fields: Fields): readonly (string | number | boolean | null)[] {
  for (const name of names) {
    const values = scalarsOf(fields[name]);
    if (values.length > 0) return values;
  }
  return [];
}

function short(text: string): string {
  return text.length <= maxText ? text : `${text.slice(0, maxText - 24)}…${contentHash(text)}`;
}
