/** Which fields a rule speaks of, in its own words and in those of the events. Knows no event and no list of right names. */
import type { Condition } from "@vedette/condition";
import { mapRule } from "./mapping.ts";
import type { Pipeline } from "./pipeline.ts";
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

/** Each field as the rule writes it, with its names in the events; empty where the pipelines drop it or do not want the rule. */
export function mapFields(rule: SigmaRule, pipelines: readonly Pipeline[]): ReadonlyMap<string, readonly string[]> {
  const written = [...fieldsOf(rule.condition)];
  // each field as a selection of its own, so that the mapped selections tell what became of it
  const probes = written.map((field) => ({ name: field, condition: { op: "exists", field } as const }));
  const mapped = mapRule({ ...rule, selections: probes, condition: { op: "and", of: probes.map((p) => p.condition) } }, pipelines);
  const found = new Map<string, readonly string[]>(written.map((field) => [field, []]));
  if ("message" in mapped) return found;
  for (const { name, condition } of mapped.selections) found.set(name, [...fieldsOf(condition)]);
  return found;
}
