/** Applies pipelines to a rule: its fields renamed, its logsource turned into conditions. Knows no events. */
import type { Condition } from "@vedette/condition";
import { join } from "./detection.ts";
import type { NamedSelection } from "./detectionblock.ts";
import type { Logsource } from "./logsource.ts";
import type { FieldCondition, Pipeline, RuleCondition, Transformation } from "./pipeline.ts";
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
  const { steps, added } = found;
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
  let logsource: Logsource = rule.logsource;
  const steps: Transformation[] = [];
  const added: Added[] = [];
  for (const pipeline of [...pipelines].sort((a, b) => a.priority - b.priority)) {
    for (const step of pipeline.transformations) {
      if (!appliesToRule(step, logsource)) continue;
      if (step.action.type === "rule_failure") return { message: step.action.message };
      if (step.action.type === "change_logsource") logsource = { ...logsource, ...step.action.logsource };
      else if (step.action.type === "add_condition") added.push({ condition: step.action.condition, from: steps.length });
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

function appliesToRule(step: Transformation, logsource: Logsource): boolean {
  if (step.rules.length === 0) return true;
  const agrees = (wanted: string | null | undefined, given: string | undefined) => wanted === undefined || wanted === (given ?? null);
  const holds = ({ logsource: wanted }: RuleCondition) =>
    agrees(wanted.category, logsource.category) && agrees(wanted.product, logsource.product) && agrees(wanted.service, logsource.service);
  return (step.rulesOp === "and" ? step.rules.every(holds) : step.rules.some(holds)) !== step.rulesNot;
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

  constructor(steps: readonly Transformation[]) {
    this.#steps = steps;
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
    const { names, dropped } = this.#renamed(condition.field);
    if (dropped) return undefined;
    if (condition.op === "eq" && condition.value !== null) {
      const values = this.#values(condition.field, String(condition.value));
      if (values !== undefined)
        return join(
          "or",
          names.flatMap((field) => values.map((value) => ({ ...condition, field, value }))),
        );
    }
    // A field is absent when it is absent under each of its names; it has a value when it has it under one.
    const absent = condition.op === "eq" && condition.value === null;
    return join(
      absent ? "and" : "or",
      names.map((field) => ({ ...condition, field })),
    );
  }

  /** What a value of a field is called in the events, where a transformation says so. The field's name is the one it has by then. */
  namesOf(field: string): readonly string[] {
    const { names, dropped } = this.#renamed(field);
    return dropped ? [] : names;
  }

  #values(field: string, value: string): readonly string[] | undefined {
    let renamed: Renamed = { names: [field], applied: new Set(), dropped: false };
    for (const step of this.#steps) {
      if (step.action.type !== "map_string") renamed = apply(renamed, step);
      else if (renamed.names.some((name) => appliesToField(step, name, renamed.applied))) {
        const values = step.action.mapping.get(value.toLowerCase());
        if (values !== undefined) return values;
      }
    }
    return undefined;
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

function appliesToField(step: Transformation, name: string, applied: ReadonlySet<string>): boolean {
  if (step.fields.length === 0) return true;
  const holds = (condition: FieldCondition): boolean => {
    if (condition.type === "processing_item_applied") return applied.has(condition.item);
    const listed = condition.plain.has(name) || condition.patterns.some((p) => p.test(name));
    return listed === (condition.type === "include_fields");
  };
  return (step.fieldsOp === "and" ? step.fields.every(holds) : step.fields.some(holds)) !== step.fieldsNot;
}
