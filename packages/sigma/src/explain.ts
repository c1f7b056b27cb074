/** Why a rule holds for an event: the comparisons that made it so, under the names of their selections. Decides nothing itself. */
import type { Condition, FieldValue, Readable } from "@vedette/condition";
import { type Frame, textOfScalar } from "./frame.ts";
import type { MappedRule } from "./mapping.ts";
import type { Compiler, Leaf } from "./predicate.ts";

/** One comparison that holds (or, under `not`, that rightly does not). */
export interface Evidence {
  /** Selection of the rule, or "logsource" for what a pipeline added. */
  readonly clause: string;
  /** The event's field; "" for a keyword, which is searched everywhere. */
  readonly field: string;
  /** The event's value as text, long ones cut; "" where the field is absent. */
  readonly value: string;
  /** The comparison, e.g. `ends "\\cmd.exe"`. */
  readonly comparison: string;
}

/** Characters of a value or literal that evidence quotes: enough to recognise it, little to store. */
const maxQuoted = 1_024;
/** Comparisons quoted per rule and event; a rule's hundreds of alternatives seldom hold together. */
const maxEvidence = 64;

/** The evidence for a match, outermost selections first; empty when the rule does not hold. */
export function explainMatch(rule: MappedRule, event: Readable, compiler: Compiler, frame: Frame): Evidence[] {
  if (!compiler.predicate(rule.condition)(frame)) return [];
  const names = new Map(rule.selections.map(({ name, condition }) => [condition, name]));
  const evidence: Evidence[] = [];
  const walk = (condition: Condition, clause: string): void => {
    if (evidence.length >= maxEvidence) return;
    const name = names.get(condition) ?? clause;
    if (condition.op === "not") return;
    if (condition.op === "and" || condition.op === "or") {
      for (const child of condition.of) if (compiler.predicate(child)(frame)) walk(child, name);
      return;
    }
    const leaf = condition as Leaf;
    evidence.push({ clause: name, ...metBy(leaf, event, frame), comparison: describeLeaf(leaf) });
  };
  walk(rule.condition, "logsource");
  return evidence;
}

/** The field that a comparison looks at, and the value it meets there. */
export function metBy(leaf: Leaf, event: Readable, frame: Frame): { readonly field: string; readonly value: string } {
  if (leaf.op === "keyword") return { field: "", value: quote(frame.words()[0]) };
  const { field } = leaf;
  const own = field === "@timestamp" && !Number.isNaN(frame.time()) ? new Date(frame.time()).toISOString() : event.fields[field];
  return { field, value: quote(own) };
}

function quote(value: FieldValue | undefined): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "object" ? value.slice(0, 16).join(", ") : textOfScalar(value);
  return text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text;
}

/** A comparison in words. */
export function describeLeaf(leaf: Leaf): string {
  if (leaf.op === "exists") return "exists";
  if (leaf.op === "fieldref") return `${leaf.how} ${leaf.other}`;
  if (leaf.op === "time") return `${leaf.part} ${leaf.how} ${leaf.value}`;
  const text = JSON.stringify(leaf.value);
  return `${leaf.op} ${text.length > maxQuoted ? `${text.slice(0, maxQuoted)}…` : text}`;
}
