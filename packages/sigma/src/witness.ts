/** What must be in an event for a condition to hold: any-of sets of literals, found without evaluating anything. */
import { type Condition, foldCase, likeParts } from "@vedette/condition";
import { maxLookedAt } from "./frame.ts";
import { type Leaf, readsCase } from "./predicate.ts";
import { compilePattern } from "./regex.ts";

/** One thing of a set of which at least one must be in the event. */
export interface Literal {
  /** The field, or "" for the whole event's text. */
  readonly field: string;
  /** The field's whole text, a part of it, or any value at all. */
  readonly kind: "exact" | "part" | "any";
  /** In lower case; "" for `any`. */
  readonly text: string;
}

/** A set of which one must be present; `cost` estimates the share of events in which one is. */
export interface Witness {
  readonly literals: readonly Literal[];
  readonly cost: number;
}

/** A part longer than this is cut to its end: as rare, and it bounds the automaton's states to this many per literal. */
const maxPart = 14;
/** Parts that stand in most values of some field say little; measured on OTRF's events, these are in over a tenth of them. */
const common = [
  "c:\\windows\\system32\\",
  "c:\\program files (x86)\\",
  "\\windows\\syswow64\\",
  "\\software\\microsoft\\windows\\currentversion\\",
  "hklm\\system\\currentcontrolset\\services\\",
  "hku\\",
  ".exe",
  ".dll",
  "svchost.exe",
  "powershell.exe",
  "http",
  "microsoft",
  "nt authority\\system",
  "users\\",
];

/**
 * The witnesses of a condition, of which any one will do, the cheapest by estimate first; none where the condition can hold without any
 * value being present.
 */
export function witnessesOf(condition: Condition): readonly Witness[] {
  switch (condition.op) {
    case "not":
      return [];
    case "and":
      return condition.of.flatMap(witnessesOf).sort((a, b) => a.cost - b.cost);
    case "or": {
      const literals: Literal[] = [];
      let cost = 0;
      for (const child of condition.of) {
        const [witness] = witnessesOf(child);
        if (witness === undefined) return [];
        literals.push(...witness.literals);
        cost += witness.cost;
      }
      return [{ literals, cost }];
    }
    case "regex":
      return regexWitnesses(condition);
    default: {
      const witness = leafWitness(condition);
      return witness === undefined ? [] : [witness];
    }
  }
}

function regexWitnesses(leaf: Extract<Leaf, { op: "regex" }>): readonly Witness[] {
  const pattern = compilePattern(leaf.value, leaf.flags ?? "");
  const needs = "problem" in pattern ? [] : pattern.needs;
  if (needs.length === 0) return [present(leaf.field)];
  const witnesses = needs.map((set) => {
    const parts = set.map((text) => part(leaf.field, text)!);
    return { literals: parts.flatMap((p) => p.literals), cost: parts.reduce((n, p) => n + p.cost, 0) };
  });
  return witnesses.sort((a, b) => a.cost - b.cost);
}

function leafWitness(leaf: Leaf): Witness | undefined {
  switch (leaf.op) {
    case "keyword":
      return part("", lower(leaf, literalOfLike(leaf.value)));
    case "time":
      // the event's own time is no field
      return leaf.field === "@timestamp" ? undefined : present(leaf.field);
    case "eq": {
      if (leaf.value === null) return undefined;
      const text = lower(leaf, String(leaf.value));
      // A text at the cap can only equal a longer one by its cut; such values are not indexed.
      if (text === undefined || text.length >= maxLookedAt) return present(leaf.field);
      return {
        literals: [{ field: leaf.field, kind: "exact", text }],
        cost: text.length <= 2 || text === "true" || text === "false" ? 0.2 : 0.01,
      };
    }
    case "contains":
    case "starts":
    case "ends":
      return part(leaf.field, lower(leaf, leaf.value)) ?? present(leaf.field);
    case "like":
      return part(leaf.field, lower(leaf, literalOfLike(leaf.value))) ?? present(leaf.field);
    default:
      return present(leaf.field);
  }
}

/** The literal in lower case; undefined where lower-casing it alone and within a text may differ, which matters for what reads the case. */
function lower(leaf: Leaf, text: string): string | undefined {
  if (readsCase(leaf) && /[^\x00-\x7f]/.test(text)) return undefined;
  return foldCase(text);
}

/** The longest text that every match of a `like` pattern contains, or "" where there is none. */
function literalOfLike(pattern: string): string {
  let longest = "";
  for (const part of likeParts(pattern)) if (typeof part === "string" && part.length > longest.length) longest = part;
  return longest;
}

function present(field: string): Witness {
  return { literals: [{ field, kind: "any", text: "" }], cost: 0.9 };
}

function part(field: string, text: string | undefined): Witness | undefined {
  if (text === undefined || text === "") return undefined;
  const cut = text.slice(-maxPart);
  const usual = common.some((c) => c.includes(text) || (text.length < c.length + 3 && text.includes(c)));
  return { literals: [{ field, kind: "part", text: cut }], cost: usual ? 0.5 : Math.max(0.002, 0.7 ** text.length) };
}
