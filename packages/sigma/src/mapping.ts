/** Applies pipelines to a rule: its fields renamed, its logsource turned into conditions. Knows no events. */
import type { Condition } from "@vedette/condition";
import { join } from "./detection.ts";
import type { NamedSelection } from "./detectionblock.ts";
import { appliesToField, appliesToItem, contains, type Item, ItemFailure, looksAtValues, transformed } from "./items.ts";
import type { Logsource } from "./logsource.ts";
import type { Pipeline, Transformation } from "./pipeline.ts";
import type { RuleCondition } from "./pipelineconditions.ts";
import type { SigmaRule } from "./rule.ts";

/** A rule in the fields of the events. */
export interface MappedRule {
  readonly condition: Condition;
  readonly selections: readonly NamedSelection[];
  /** True when some pipeline said which events the logsource means. */
  readonly placed: boolean;
}

/** A pipeline that does not want the rule. */
export interface MappingFailure {
  readonly message: string;
}

/** A condition that takes part in the transformations after the one that added it. */
interface Added {
  readonly condition: Condition;
  readonly from: number;
}

/** Runs the pipelines, in ascending priority, over one rule. */
export function mapRule(rule: SigmaRule, pipelines: readonly Pipeline[]): MappedRule | MappingFailure {
  const found = stepsFor(rule, pipelines);
  if ("message" in found) return found;
  try {
    return rewritten(rule, found);
  } catch (error) {
    if (error instanceof ItemFailure) return { message: error.message };
    throw error;
  }
}

function rewritten(rule: SigmaRule, { steps, added }: Steps): MappedRule {
  const detection = new Rewriter(steps);
  const condition = detection.rewrite(rule.condition) ?? { op: "or", of: [] };
  const before = added.flatMap((a) => new Rewriter(steps.slice(a.from)).rewrite(a.condition) ?? []);
  return {
    condition: join("and", [...before, condition]),
    selections: rule.selections.flatMap(({ name, condition: c }) => {
      const mapped = detection.rewrite(c);
      return mapped === undefined ? [] : [{ name, condition: mapped }];
    }),
    placed: added.length > 0,
  };
}

/** The transformations that are for one rule, and the conditions they add to it. */
interface Steps {
  readonly steps: readonly Transformation[];
  readonly added: readonly Added[];
}

function stepsFor(rule: SigmaRule, pipelines: readonly Pipeline[]): Steps | MappingFailure {
  const seen: Seen = { rule, logsource: rule.logsource, applied: new Set(), state: new Map() };
  const steps: Transformation[] = [];
  const added: Added[] = [];
  for (const pipeline of [...pipelines].sort((a, b) => a.priority - b.priority)) {
    for (const step of pipeline.transformations) {
      if (!appliesToRule(step, seen)) continue;
      seen.applied.add(step.id);
      const { action } = step;
      if (action.type === "rule_failure") return { message: action.message };
      if (action.type === "change_logsource") seen.logsource = { ...seen.logsource, ...action.logsource };
      else if (action.type === "set_state") seen.state.set(action.key, action.value);
      else if (action.type === "add_condition") added.push({ condition: action.condition, from: steps.length });
      else steps.push(step);
    }
  }
  return { steps, added };
}

/** What a rule's fields are called in the events: each name, or none where the field is dropped. */
export function nameMapping(rule: SigmaRule, pipelines: readonly Pipeline[]): (field: string) => readonly string[] {
  const found = stepsFor(rule, pipelines);
  if ("message" in found) return () => [];
  const rewriter = new Rewriter(found.steps);
  return (field) => rewriter.namesOf(field);
}

/** A rule as the transformations before have left it. */
interface Seen {
  readonly rule: SigmaRule;
  logsource: Logsource;
  readonly applied: Set<string>;
  readonly state: Map<string, string>;
}

function appliesToRule(step: Transformation, seen: Seen): boolean {
  if (step.rules.length === 0) return true;
  const holds = (condition: RuleCondition) => holdsFor(condition, seen);
  return (step.rulesOp === "and" ? step.rules.every(holds) : step.rules.some(holds)) !== step.rulesNot;
}

function holdsFor(condition: RuleCondition, { rule, logsource, applied, state }: Seen): boolean {
  switch (condition.type) {
    case "logsource": {
      const { category, product, service } = condition.logsource;
      const agrees = (wanted: string | null | undefined, given: string | undefined) => wanted === undefined || wanted === (given ?? null);
      return agrees(category, logsource.category) && agrees(product, logsource.product) && agrees(service, logsource.service);
    }
    case "contains_field":
      return contains(rule.condition, condition.field);
    case "contains_detection_item":
      return contains(rule.condition, condition.field, condition.value);
    case "tag":
      return rule.tags.some((tag) => tag.toLowerCase() === condition.tag);
    case "rule_attribute":
      return comparedAttribute(condition, rule);
    case "processing_item_applied":
      return applied.has(condition.item);
    case "processing_state":
      return state.get(condition.key) === condition.value;
    case "is_sigma_rule":
      return true;
    case "is_sigma_correlation_rule":
      return false;
  }
}

/** Levels and states in their order, everything else as text: dates in ISO form sort as they follow. */
const orders: { readonly [attribute: string]: readonly string[] } = {
  level: ["informational", "low", "medium", "high", "critical"],
  status: ["unsupported", "deprecated", "experimental", "test", "stable"],
};

function comparedAttribute({ attribute, op, values }: Extract<RuleCondition, { type: "rule_attribute" }>, rule: SigmaRule): boolean {
  const value = String(rule[attribute as "level"] ?? "");
  if (op === "eq" || op === "in") return values.includes(value);
  if (op === "ne" || op === "not_in") return !values.includes(value);
  const rank = (text: string) => orders[attribute]?.indexOf(text) ?? text;
  const [a, b] = [rank(value), rank(values[0] ?? "")];
  return op === "gte" ? a >= b : op === "gt" ? a > b : op === "lte" ? a <= b : a < b;
}

/** A field's names so far, and which transformations took part. */
interface Renamed {
  readonly names: readonly string[];
  readonly applied: ReadonlySet<string>;
  readonly dropped: boolean;
}

/** Rewrites conditions, keeping shared objects shared so that selections stay recognisable in the whole. */
class Rewriter {
  readonly #steps: readonly Transformation[];
  readonly #done = new Map<Condition, Condition | undefined>();
  readonly #fields = new Map<string, Renamed>();
  readonly #particular: boolean;

  constructor(steps: readonly Transformation[]) {
    this.#steps = steps;
    this.#particular = steps.some(looksAtValues);
  }

  /** Undefined where the whole condition was dropped. */
  rewrite(condition: Condition): Condition | undefined {
    if (this.#done.has(condition)) return this.#done.get(condition);
    const result = this.#rewrite(condition);
    this.#done.set(condition, result);
    return result;
  }

  #rewrite(condition: Condition): Condition | undefined {
    switch (condition.op) {
      case "and":
      case "or": {
        const of = condition.of.flatMap((c) => this.rewrite(c) ?? []);
        return of.length === 0 && condition.of.length > 0 ? undefined : { op: condition.op, of };
      }
      case "not": {
        const of = this.rewrite(condition.of);
        return of === undefined ? undefined : { op: "not", of };
      }
      case "keyword":
        return condition;
      case "fieldref": {
        const others = this.#renamed(condition.other).names;
        const { names, dropped } = this.#renamed(condition.field);
        return dropped
          ? undefined
          : join(
              "or",
              names.flatMap((field) => others.map((other) => ({ ...condition, field, other }))),
            );
      }
    }
    // A field is absent when it is absent under each of its names; it has a value when it has it under one.
    const absent = condition.op === "eq" && condition.value === null;
    const of = this.#particular ? this.#items(condition) : this.#namesOf(condition);
    return of.length === 0 ? undefined : join(absent ? "and" : "or", of);
  }

  /** The names of a rule's field in the events; none where it is dropped. */
  namesOf(field: string): readonly string[] {
    const { names, dropped } = this.#renamed(field);
    return dropped ? [] : names;
  }

  #namesOf(item: Item): readonly Item[] {
    return this.namesOf(item.field).map((field) => ({ ...item, field }));
  }

  /** Step by step, where a step looks at more than the field. */
  #items(item: Item): readonly Item[] {
    let items: readonly { readonly item: Item; readonly applied: ReadonlySet<string> }[] = [{ item, applied: new Set() }];
    for (const step of this.#steps) {
      items = items.flatMap((before) => {
        if (!appliesToField(step, before.item.field, before.applied) || !appliesToItem(step, before.item, before.applied)) return [before];
        const made = transformed(step, before.item) ?? rename(step, before.item.field)?.map((field) => ({ ...before.item, field }));
        return made === undefined ? [before] : made.map((one) => ({ item: one, applied: new Set([...before.applied, step.id]) }));
      });
    }
    return items.map((one) => one.item);
  }

  #renamed(field: string): Renamed {
    let renamed = this.#fields.get(field);
    if (renamed === undefined) {
      renamed = this.#steps.reduce<Renamed>(apply, { names: [field], applied: new Set(), dropped: false });
      this.#fields.set(field, renamed);
    }
    return renamed;
  }
}

function apply(before: Renamed, step: Transformation): Renamed {
  let applied = false;
  let dropped = before.dropped;
  const names = before.names.flatMap((name) => {
    if (!appliesToField(step, name, before.applied)) return [name];
    const next = rename(step, name);
    if (next === undefined) return [name];
    applied = true;
    if (next.length === 0) dropped = true;
    return next.length === 0 ? [name] : next;
  });
  return applied ? { names, applied: new Set([...before.applied, step.id]), dropped } : before;
}

/** New names, `[]` for a dropped field, undefined where the transformation leaves it as it is. */
function rename(step: Transformation, name: string): readonly string[] | undefined {
  const { action } = step;
  switch (action.type) {
    case "field_name_mapping":
      return action.mapping.get(name);
    case "field_name_prefix":
      return [action.prefix + name];
    case "field_name_suffix":
      return [name + action.suffix];
    case "field_name_prefix_mapping":
      for (const [from, to] of action.mapping) if (name.startsWith(from)) return to.map((t) => t + name.slice(from.length));
      return undefined;
    case "drop_detection_item":
      return [];
    default:
      return undefined;
  }
}
