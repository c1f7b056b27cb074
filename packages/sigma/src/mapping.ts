/** Applies pipelines to a rule: its fields renamed, its logsource turned into conditions. Knows no events. */
import type { Condition } from "@vedette/condition";
import { join } from "./detection.ts";
import type { DetectionBlock } from "./detectionblock.ts";
import { contains, ItemFailure } from "./items.ts";
import type { Logsource } from "./logsource.ts";
import type { Pipeline, Transformation } from "./pipeline.ts";
import type { RuleCondition } from "./pipelineconditions.ts";
import { Renaming } from "./renaming.ts";
import type { SigmaRule } from "./rule.ts";

/** The fields that a condition looks at; keywords look everywhere and name none. */
export function fieldsOf(condition: Condition): Set<string> {
  const fields = new Set<string>();
  const walk = (c: Condition): void => {
    if (c.op === "and" || c.op === "or") for (const child of c.of) walk(child);
    else if (c.op === "not") walk(c.of);
    else if ("field" in c) {
      fields.add(c.field);
      if (c.op === "fieldref") fields.add(c.other);
    }
  };
  walk(condition);
  return fields;
}

/** A rule in the fields of the events. */
export interface MappedRule extends DetectionBlock {
  /** What pipelines added, which is first in `condition`. Rules of one logsource share these objects. */
  readonly placement: readonly Condition[];
  /** The rest of `condition`: the rule's own. */
  readonly own: Condition;
  /** The fields that `own` looks at. */
  readonly fields: readonly string[];
  /** True when some pipeline said which events the logsource means. */
  readonly placed: boolean;
}

/** A pipeline that does not want the rule. */
export interface MappingFailure {
  readonly message: string;
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

function rewritten(rule: SigmaRule, { added, names }: Steps): MappedRule {
  const detection = new Rewriter(names);
  const own = detection.rewrite(rule.condition) ?? { op: "or", of: [] };
  return {
    placement: added,
    own,
    fields: [...fieldsOf(own)],
    condition: join("and", [...added, own]),
    selections: rule.selections.flatMap(({ name, condition: c }) => {
      const mapped = detection.rewrite(c);
      return mapped === undefined ? [] : [{ name, condition: mapped }];
    }),
    placed: added.length > 0,
  };
}

/** What pipelines do to the rules of one kind. */
interface Steps {
  /** The conditions they add. */
  readonly added: readonly Condition[];
  readonly names: Renaming;
}

/** What is known of one list of pipelines. */
interface Known {
  /** In ascending priority. */
  readonly ordered: readonly Pipeline[];
  /** By logsource, where nothing else of a rule decides what applies to it; a collection's thousands of rules have a few hundred. */
  readonly ofLogsource: Map<string, Steps | MappingFailure> | undefined;
  /** By the transformations that apply. */
  readonly ofKind: Map<string, Steps>;
}

const known = new WeakMap<readonly Pipeline[], Known>();
/** Rule conditions that look at more than the logsource and at what was applied before. */
const looksFurther: ReadonlySet<RuleCondition["type"]> = new Set(["contains_field", "contains_detection_item", "tag", "rule_attribute"]);

function knownOf(pipelines: readonly Pipeline[]): Known {
  let of = known.get(pipelines);
  if (of === undefined) {
    const further = pipelines.some(({ transformations }) =>
      transformations.some(({ rules }) => rules.some(({ type }) => looksFurther.has(type))),
    );
    of = {
      ordered: [...pipelines].sort((a, b) => a.priority - b.priority),
      ofLogsource: further ? undefined : new Map(),
      ofKind: new Map(),
    };
    known.set(pipelines, of);
  }
  return of;
}

function stepsFor(rule: SigmaRule, pipelines: readonly Pipeline[]): Steps | MappingFailure {
  const of = knownOf(pipelines);
  const { category, product, service } = rule.logsource;
  const logsource = JSON.stringify([category, product, service]);
  let steps = of.ofLogsource?.get(logsource);
  if (steps === undefined) {
    steps = workedOut(rule, of);
    of.ofLogsource?.set(logsource, steps);
  }
  return steps;
}

function workedOut(rule: SigmaRule, { ordered, ofKind }: Known): Steps | MappingFailure {
  const seen: Seen = { rule, logsource: rule.logsource, applied: new Set(), state: new Map() };
  const applying: Transformation[] = [];
  let kind = "";
  for (const [at, pipeline] of ordered.entries()) {
    for (const [number, step] of pipeline.transformations.entries()) {
      if (!appliesToRule(step, seen)) continue;
      seen.applied.add(step.id);
      const { action } = step;
      if (action.type === "rule_failure") return { message: action.message };
      if (action.type === "change_logsource") seen.logsource = { ...seen.logsource, ...action.logsource };
      else if (action.type === "set_state") seen.state.set(action.key, action.value);
      else {
        applying.push(step);
        kind += `${at}.${number} `;
      }
    }
  }
  const steps = ofKind.get(kind) ?? stepsOf(applying);
  ofKind.set(kind, steps);
  return steps;
}

/** A condition that one transformation adds takes part in those after it. */
function stepsOf(applying: readonly Transformation[]): Steps {
  const renaming = applying.filter(({ action }) => action.type !== "add_condition");
  const added: (Condition | [])[] = [];
  let passed = 0;
  for (const { action } of applying) {
    if (action.type !== "add_condition") passed++;
    else added.push(new Rewriter(new Renaming(renaming.slice(passed))).rewrite(action.condition) ?? []);
  }
  return { added: added.flat(), names: new Renaming(renaming) };
}

/** What a rule's fields are called in the events: each name, or none where the field is dropped. */
export function nameMapping(rule: SigmaRule, pipelines: readonly Pipeline[]): (field: string) => readonly string[] {
  const found = stepsFor(rule, pipelines);
  if ("message" in found) return () => [];
  return (field) => found.names.of(field);
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

/** Rewrites conditions, keeping shared objects shared so that selections stay recognisable in the whole. */
class Rewriter {
  readonly #names: Renaming;
  readonly #done = new Map<Condition, Condition | undefined>();

  constructor(names: Renaming) {
    this.#names = names;
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
        const fields = this.#names.of(condition.field);
        const others = this.#names.orItself(condition.other);
        return fields.length === 0
          ? undefined
          : join(
              "or",
              fields.flatMap((field) => others.map((other) => ({ ...condition, field, other }))),
            );
      }
    }
    // A field is absent when it is absent under each of its names; it has a value when it has it under one.
    const absent = condition.op === "eq" && condition.value === null;
    const of = this.#names.items(condition);
    return of.length === 0 ? undefined : join(absent ? "and" : "or", of);
  }
}
