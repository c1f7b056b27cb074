/**
 * Which rules can see data among given events, and why the others cannot. A rule sees data when its logsource occurs and its fields do, a
 * correlation when the rules do that it cannot hold without.
 */
import type { Condition, Readable } from "@vedette/condition";
import { detectorOf } from "@vedette/detect";
import { compileRules, fieldsOf, type Logsource, type RuleSet, type SigmaCorrelation, type SigmaRule } from "@vedette/sigma";
import type { Collection } from "./collection.ts";
import { pipelines } from "./files.ts";

export interface Covered {
  readonly rule: SigmaRule | SigmaCorrelation;
  readonly sees: boolean;
  /** Events of its logsource; of a correlation, those of its rules together. */
  readonly events: number;
  /** Why it sees nothing; "" when it does. */
  readonly why: string;
  /** Without these fields it cannot hold. */
  readonly missing: readonly string[];
}

/** Distinct field names remembered of a logsource; ECS has about 1,900. */
const maxFields = 10_000;

const keyOf = ({ category, product, service }: Logsource): string => JSON.stringify([category, product, service]);
export const wordsOf = (logsource: Logsource): string =>
  Object.entries(logsource)
    .map(([part, name]) => `${part}: ${name}`)
    .join(", ");

export class Coverage {
  readonly #collection: Collection;
  /** One rule for each logsource, which holds for its every event. */
  readonly #logsources: RuleSet;
  readonly #of = new Map<string, number>();
  readonly #events: number[];
  readonly #fields: Set<string>[];
  readonly #matched: number[] = [];
  events = 0;

  constructor(collection: Collection) {
    this.#collection = collection;
    const each = new Map<string, SigmaRule>();
    for (const rule of collection.set.rules) {
      const key = keyOf(rule.logsource);
      if (!each.has(key)) each.set(key, { ...rule, id: key, selections: [], condition: { op: "and", of: [] } });
    }
    this.#logsources = compileRules([...each.values()], { pipelines: pipelines() });
    for (const [i, { id }] of this.#logsources.rules.entries()) this.#of.set(id, i);
    this.#events = this.#logsources.rules.map(() => 0);
    this.#fields = this.#logsources.rules.map(() => new Set());
  }

  add(event: Readable): void {
    this.events++;
    this.#logsources.match(event, this.#matched);
    for (const i of this.#matched) {
      this.#events[i]!++;
      const fields = this.#fields[i]!;
      if (fields.size < maxFields) for (const name in event.fields) fields.add(name);
    }
  }

  results(): Covered[] {
    const { set, linked } = this.#collection;
    const rules = set.rules.map((rule, n): Covered => {
      const i = this.#of.get(keyOf(rule.logsource))!;
      const events = this.#events[i]!;
      if (events === 0) {
        const datasets = datasetsOf(this.#logsources.conditionOf(i));
        const hint = datasets.length > 0 ? `; it wants event.dataset ${datasets.slice(0, 6).join(" or ")}` : "";
        return { rule, sees: false, events, why: `no event of ${wordsOf(rule.logsource)}${hint}`, missing: [] };
      }
      const missing = missingOf(set.conditionOf(n), this.#fields[i]!);
      const why = missing.length === 0 ? "" : `no event of ${wordsOf(rule.logsource)} has ${missing.slice(0, 8).join(" or ")}`;
      return { rule, sees: missing.length === 0, events, why, missing };
    });
    const known = new Map(rules.map((one) => [one.rule.id, one]));
    // each stands after those that it takes
    for (const { rule, takes } of linked.correlations) known.set(rule.id, correlated(rule, takes, known));
    return [...known.values()];
  }
}

function correlated(rule: SigmaCorrelation, takes: readonly string[], known: ReadonlyMap<string, Covered>): Covered {
  const parts = takes.map((id) => known.get(id));
  // a detector looks at whatever comes in
  const sees = (position: number) => parts[position]?.sees === true || detectorOf(takes[position]!) !== undefined;
  const ways = rule.terms.length > 0 ? rule.terms.map(({ need }) => need) : takes.map((_, position) => [position]);
  const events = [...new Set(parts)].reduce((n, part) => n + (part?.events ?? 0), 0);
  if (ways.some((need) => need.every(sees))) return { rule, sees: true, events, why: "", missing: [] };
  const blind = parts[ways[0]!.find((position) => !sees(position))!];
  return { rule, sees: false, events, why: blind?.why ?? "a rule that it takes is refused", missing: blind?.missing ?? [] };
}

/** The fields for want of which a condition cannot hold; none when it can. */
function missingOf(condition: Condition, seen: ReadonlySet<string>): string[] {
  const missing = new Set<string>();
  const possible = (c: Condition): boolean => {
    switch (c.op) {
      case "and":
        return c.of.map(possible).every((p) => p);
      case "or": {
        if (c.of.length === 0) return false;
        const before = [...missing];
        if (!c.of.map(possible).some((p) => p)) return false;
        missing.clear();
        for (const name of before) missing.add(name);
        return true;
      }
      case "not":
      case "keyword":
        return true;
      default: {
        if (c.op === "eq" && c.value === null) return true;
        const absent = [...fieldsOf(c)].filter((name) => !seen.has(name) && name !== "@timestamp");
        for (const name of absent) missing.add(name);
        return absent.length === 0;
      }
    }
  };
  return possible(condition) ? [] : [...missing];
}

function datasetsOf(condition: Condition): string[] {
  const found = new Set<string>();
  const walk = (c: Condition): void => {
    if (c.op === "and" || c.op === "or") for (const child of c.of) walk(child);
    else if (c.op === "eq" && c.field === "event.dataset") found.add(String(c.value));
  };
  walk(condition);
  return [...found];
}
