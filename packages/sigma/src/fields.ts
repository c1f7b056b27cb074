/** Which fields a rule speaks of, in its own words and in those of the events. Knows no event and no list of right names. */
import { fieldsOf, mapRule } from "./mapping.ts";
import type { Pipeline } from "./pipeline.ts";
import type { SigmaRule } from "./rule.ts";

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
