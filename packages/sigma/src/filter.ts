/** Sigma filters: exceptions kept apart from the rules they are for. Read here and put into those rules; knows no events. */
import { type DetectionBlock, readDetectionBlock } from "./detectionblock.ts";
import { contentHash, deciding, type Header, readHeader } from "./header.ts";
import { type Logsource, readLogsource, wordsOf } from "./logsource.ts";
import { type Reference, readReferences } from "./reference.ts";
import { nearest, type Refusal, Refused, refusal } from "./refusal.ts";
import type { Placeholders } from "./transform.ts";
import { get, type MapTree, plain } from "./yaml.ts";

/** What must hold beside the condition of the rules it is for. */
export interface SigmaFilter extends Header, DetectionBlock {
  readonly logsource: Logsource;
  /** Ids or names; undefined: every rule of the logsource. */
  readonly rules?: readonly Reference[];
  readonly hash: string;
}

/** What of a rule a filter looks at and changes. */
type Filterable = Pick<Header, "id" | "name"> & DetectionBlock & { readonly logsource: Logsource; readonly hash: string };

const notSelections: ReadonlySet<string> = new Set(["rules"]);

/** Throws `Refused`. */
export function readFilter(
  tree: MapTree,
  file: string,
  position: (at: number) => { line: number; column: number },
  placeholders: Placeholders,
): SigmaFilter {
  const header = readHeader(tree, file, position(tree.at).line);
  const logsource = readLogsource(tree);
  const block = get(tree, "filter");
  if (block?.kind !== "map")
    throw new Refused(
      block?.at ?? tree.at,
      "filter",
      "a map of rules, selections and a condition",
      "write filter: {rules: [id], selection: {...}, condition: not selection}",
    );
  const wanted = get(block, "rules");
  const any = wanted?.kind === "scalar" && String(wanted.value).toLowerCase() === "any";
  const rules = any ? undefined : readReferences(block, position);
  if (rules?.length === 0)
    throw new Refused(wanted?.at ?? block.at, "filter.rules", "ids or names of rules, or any", "name the rules that the filter is for");
  const hash = contentHash([header.id, logsource, plain(block), deciding(header.vedette)]);
  return {
    ...header,
    logsource,
    ...(rules === undefined ? {} : { rules }),
    hash,
    ...readDetectionBlock(block, notSelections, placeholders),
  };
}

/** The rules with their filters in them; a filter that is for no rule is refused. Rules without one stay the objects they are. */
export function applyFilters<R extends Filterable>(
  rules: readonly R[],
  filters: readonly SigmaFilter[],
): { readonly rules: readonly R[]; readonly refused: readonly Refusal[] } {
  const refused: Refusal[] = [];
  const wanted = new Map<R, SigmaFilter[]>();
  for (const filter of filters) {
    const found = rulesOf(filter, rules);
    if ("construct" in found) refused.push(found);
    else for (const rule of found) wanted.set(rule, [...(wanted.get(rule) ?? []), filter]);
  }
  return { rules: rules.map((rule) => (wanted.get(rule) ?? []).reduce<R>(conjoined, rule)), refused };
}

function conjoined<R extends Filterable>(rule: R, filter: SigmaFilter): R {
  return {
    ...rule,
    hash: contentHash([rule.hash, filter.hash]),
    selections: [...rule.selections, ...filter.selections],
    condition: { op: "and", of: [rule.condition, filter.condition] },
  };
}

function rulesOf<R extends Filterable>(filter: SigmaFilter, rules: readonly R[]): readonly R[] | Refusal {
  const { file, line, title, id, logsource } = filter;
  const refuse = (at: { line: number; column: number }, construct: string, expected: string, suggestion: string) =>
    refusal({ file, ...at, title, id }, { construct, expected, suggestion });
  if (filter.rules === undefined) {
    const fitting = rules.filter((rule) => covers(logsource, rule.logsource));
    return fitting.length > 0
      ? fitting
      : refuse({ line, column: 1 }, `logsource ${wordsOf(logsource)}`, "a logsource that some loaded rule has", "correct the logsource");
  }
  const found: R[] = [];
  for (const reference of filter.rules) {
    const rule = rules.find((r) => r.id === reference.to || r.name === reference.to);
    if (rule === undefined) {
      const near = nearest(reference.to, names(rules));
      const suggestion = near === undefined ? "load the rule too, or remove it from the filter" : `did you mean ${near}?`;
      return refuse(reference, `rule ${reference.to}`, "the id or name of a loaded rule", suggestion);
    }
    if (!covers(logsource, rule.logsource)) {
      const expected = `a logsource that covers the rule's (${wordsOf(rule.logsource)})`;
      return refuse(reference, `logsource ${wordsOf(logsource)}`, expected, "give the filter the rule's logsource");
    }
    found.push(rule);
  }
  return found;
}

function* names(rules: readonly Filterable[]): Iterable<string> {
  for (const rule of rules) {
    if (rule.name !== undefined) yield rule.name;
    yield rule.id;
  }
}

/** Is every event that the second is about one that the first is about? */
function covers(wide: Logsource, narrow: Logsource): boolean {
  return (["category", "product", "service"] as const).every((part) => wide[part] === undefined || wide[part] === narrow[part]);
}
