/** Regular expressions that stay linear: decides per pattern up to which length V8 may run it, and gives longer values to re2js. */
import { RE2JS } from "re2js";
import { type Regex, readRegex, writeRegex } from "./regexsyntax.ts";

/** A usable pattern in its normal form: inline leading flags are lifted out of the source. */
export interface Pattern {
  readonly source: string;
  /** From `i`, `m`, `s`. */
  readonly flags: string;
  /** Lower-case texts of which every matching value contains at least one, or undefined where none can be told. */
  readonly literals: readonly string[] | undefined;
  /** Up to this many characters V8's backtracking stays within `maxSteps`; 0 where only re2js runs. */
  readonly nativeLength: number;
  test(text: string): boolean;
}

/** Why a pattern cannot be used. */
export interface PatternProblem {
  readonly problem: string;
}

/** Steps that backtracking may take on one value: about 10 ms, the price of one hostile value. */
const maxSteps = 2 ** 22;
/** Values are looked at up to here (`RuleSet.match`). */
const longestValue = 65_536;
/** A repetition up to this many counts as a number of choices; a longer one as unbounded. */
const smallRepeat = 64;
/** Texts of which one must occur: more are no cheaper to look for than the pattern is to run. */
const maxLiterals = 16;

/** Prepares a pattern in the dialect of RE2. Never throws. */
export function compilePattern(text: string, flagText: string): Pattern | PatternProblem {
  const lifted = /^\(\?([ims]+)\)/.exec(text);
  const source = lifted === null ? text : text.slice(lifted[0].length);
  const flags = [..."ims"].filter((f) => flagText.includes(f) || lifted?.[1]?.includes(f)).join("");
  const tree = flags.includes("m") ? undefined : readRegex(source, flags.includes("s"));
  const native = tree === undefined ? undefined : nativeRegExp(tree, flags.includes("i"));
  const usable = tree !== undefined && native !== undefined;
  const alone = usable && nativeLength(tree) >= longestValue;
  if (alone) return pattern(source, flags, literalsOf(tree), nativeLength(tree), native);
  // whatever a longer value would need later is tried now: a rule is refused when it loads, never in the middle of an event
  try {
    compileLinear(source, flags);
  } catch (error) {
    return { problem: `RE2 says: ${error instanceof Error ? error.message : String(error)}` };
  }
  return usable ? pattern(source, flags, literalsOf(tree), nativeLength(tree), native) : pattern(source, flags, undefined, 0, undefined);
}

function pattern(
  source: string,
  flags: string,
  literals: readonly string[] | undefined,
  nativeLength: number,
  native: RegExp | undefined,
): Pattern {
  let linear: RE2JS | undefined;
  const test = (text: string): boolean => {
    if (native !== undefined && text.length <= nativeLength) return native.test(text);
    linear ??= compileLinear(source, flags);
    return linear.test(text);
  };
  return { source, flags, literals, nativeLength, test };
}

function compileLinear(source: string, flags: string): RE2JS {
  let bits = 0;
  if (flags.includes("i")) bits |= RE2JS.CASE_INSENSITIVE;
  if (flags.includes("m")) bits |= RE2JS.MULTILINE;
  if (flags.includes("s")) bits |= RE2JS.DOTALL;
  return RE2JS.compile(source, bits);
}

function nativeRegExp(tree: Regex, insensitive: boolean): RegExp | undefined {
  try {
    return new RegExp(writeRegex(tree), insensitive ? "iu" : "u");
  } catch {
    return undefined;
  }
}

/** Cost of backtracking over n characters: at most n^degree × 2^choices steps. */
interface Cost {
  readonly degree: number;
  readonly choices: number;
}

/** Longest value that V8 may be given: the n at which n^degree × 2^choices reaches `maxSteps`. */
function nativeLength(tree: Regex): number {
  const { degree, choices } = costOf(tree);
  const total = degree + (anchored(tree) ? 0 : 1);
  if (total === 0) return Number.MAX_SAFE_INTEGER;
  if (!Number.isFinite(total)) return 0;
  return Math.floor((maxSteps / 2 ** choices) ** (1 / total));
}

function costOf(node: Regex): Cost {
  if (node.kind === "cat" || node.kind === "alt") {
    const of = node.of.map(costOf);
    if (node.kind === "cat") return { degree: sum(of.map((c) => c.degree)), choices: sum(of.map((c) => c.choices)) };
    return { degree: Math.max(0, ...of.map((c) => c.degree)), choices: Math.max(0, ...of.map((c) => c.choices)) + Math.log2(of.length) };
  }
  if (node.kind !== "repeat") return { degree: 0, choices: 0 };
  const inner = costOf(node.of);
  const plain = inner.degree === 0 && inner.choices === 0;
  if (node.max > smallRepeat && node.max !== node.min)
    return plain ? { degree: 1, choices: 0 } : { degree: Number.POSITIVE_INFINITY, choices: 0 };
  // A fixed long repetition of something with choices multiplies them; of something plain it has none.
  return { degree: inner.degree * node.max, choices: inner.choices * node.max + Math.log2(node.max - node.min + 1) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function anchored(node: Regex): boolean {
  if (node.kind === "anchor") return node.start;
  if (node.kind === "cat") return node.of.length > 0 && anchored(node.of[0]!);
  return node.kind === "alt" && node.of.every(anchored);
}

/** What a node tells about the text it matches: all the texts it can be, and texts of which it must contain one. */
interface Known {
  readonly exact?: readonly string[];
  readonly needs?: readonly string[];
}

function literalsOf(tree: Regex): readonly string[] | undefined {
  const known = knownOf(tree);
  const needs = better(known.needs, known.exact);
  // Case folding outside ASCII differs between a pattern and lower-cased text.
  return needs === undefined || needs.some((t) => !/^[\x00-\x7f]+$/.test(t)) ? undefined : [...new Set(needs.map((t) => t.toLowerCase()))];
}

/** The set whose shortest text is longest; a set with an empty text says nothing. */
function better(a: readonly string[] | undefined, b: readonly string[] | undefined): readonly string[] | undefined {
  const worth = (set: readonly string[] | undefined) => (set === undefined ? 0 : Math.min(...set.map((t) => t.length)) - set.length / 100);
  if (worth(a) <= 0 && worth(b) <= 0) return undefined;
  return worth(a) >= worth(b) ? a : b;
}

function knownOf(node: Regex): Known {
  switch (node.kind) {
    case "char":
      return { exact: [node.char] };
    case "class":
      return node.members === undefined ? {} : { exact: node.members };
    case "anchor":
      return { exact: [""] };
    case "cat":
      return catKnown(node.of.map(knownOf));
    case "alt":
      return altKnown(node.of.map(knownOf));
    case "repeat": {
      if (node.min === 0) return {};
      const inner = knownOf(node.of);
      if (node.min === 1 && node.max === 1) return inner;
      const needs = better(inner.needs, inner.exact);
      return needs === undefined ? {} : { needs };
    }
  }
}

function catKnown(of: readonly Known[]): Known {
  let run: readonly string[] = [""];
  let needs: readonly string[] | undefined;
  let whole = true;
  for (const part of of) {
    const joined = part.exact === undefined ? undefined : product(run, part.exact);
    if (joined !== undefined) {
      run = joined;
      continue;
    }
    whole = false;
    needs = better(better(needs, run), better(part.needs, part.exact));
    run = part.exact !== undefined && part.exact.length <= maxLiterals ? part.exact : [""];
  }
  if (whole) return { exact: run };
  needs = better(needs, run);
  return needs === undefined ? {} : { needs };
}

function altKnown(of: readonly Known[]): Known {
  const exact = of.every((k) => k.exact !== undefined) ? of.flatMap((k) => k.exact!) : undefined;
  if (exact !== undefined && exact.length <= maxLiterals) return { exact };
  const each = of.map((k) => better(k.needs, k.exact));
  if (each.some((set) => set === undefined)) return {};
  const needs = each.flatMap((set) => set!);
  return needs.length <= maxLiterals * 4 ? { needs } : {};
}

function product(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  return a.length * b.length > maxLiterals ? undefined : a.flatMap((x) => b.map((y) => x + y));
}
