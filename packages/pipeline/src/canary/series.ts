/**
 * Makes up the events for which a correlation should hold: as many as it counts, one rule's after the other's, under one key. What it proposes
 * may fail (several names for one field, correlations of correlations): whoever asked tries it. Knows no record and no format.
 */
import type { FieldValue } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { type Correlation, holds, type RuleSet, synthesise } from "@vedette/sigma";

/** Events of one series: a correlation of more is proved by a case of its own. */
const maxEvents = 64;
/** Alternatives of a rule's conditions that are looked at for one that it matches. */
const maxTries = 16;

/** Undefined where there is no telling what would fulfil it. */
export function madeUpSeries(correlation: Correlation, rules: RuleSet): readonly Fields[] | undefined {
  const { rule, takes, groups, fields } = correlation;
  const positions = positionsOf(correlation);
  if (positions === undefined) return undefined;
  const counted = fields.filter((name) => !groups.includes(name));
  const series: Fields[] = [];
  for (const [n, position] of positions.entries()) {
    const made = matching(takes[position]!, rules);
    const values = valuesAt(correlation, n);
    if (made === undefined || values === undefined) return undefined;
    const event: Fields = Object.assign(newFields(), made);
    for (const name of groups) event[name] ??= wordFor(name, 1);
    if (rule.values.length > 0) for (const name of counted) event[name] = values(name);
    series.push(event);
  }
  return series;
}

/** Which of its rules each event must match. */
function positionsOf({ rule }: Correlation): readonly number[] | undefined {
  const { type, terms, bounds, rules } = rule;
  const enough = (n: number) => bounds.every((bound) => holds(bound, n));
  if (terms.length > 0) return terms[0]!.need;
  const counts = Array.from({ length: type === "temporal" ? rules.length : maxEvents }, (_, i) => i + 1);
  const least = type.startsWith("value_") && type !== "value_count" ? 1 : counts.find(enough);
  return least === undefined ? undefined : Array.from({ length: least }, (_, i) => (type === "temporal" ? i : 0));
}

/** What the `n`th event says in the fields that are counted or calculated with. */
function valuesAt({ rule: { type, bounds } }: Correlation, n: number): ((field: string) => FieldValue) | undefined {
  if (type === "value_count") return (field) => wordFor(field, n + 1);
  if (!type.startsWith("value_")) return () => "";
  const number = bounds.flatMap(({ value }) => [value, value + 1, value - 1]).find((one) => bounds.every((bound) => holds(bound, one)));
  return number === undefined ? undefined : () => number;
}

function matching(id: string, rules: RuleSet) {
  const number = rules.rules.findIndex((one) => one.id === id);
  if (number < 0) return undefined;
  let tries = 0;
  for (const fields of synthesise(rules.conditionOf(number))) {
    if (rules.test(number, { fields, original: "" })) return fields;
    if (++tries === maxTries) return undefined;
  }
  return undefined;
}

/** An address of a documentation network (RFC 5737) where one is wanted. */
const wordFor = (field: string, n: number): string => (/(^|\.)ip$/.test(field) ? `192.0.2.${n}` : `canary${n}`);
