/** Regular expressions that stay linear: decides per pattern up to which length V8 may run it, and gives longer values to re2js. */
import { RE2JS } from "re2js";
import { type Regex, readRegex, writeRegex } from "./regexsyntax.ts";

/** A usable pattern in its normal form: inline leading flags are lifted out of the source. */
export interface Pattern {
  readonly source: string;
  /** From `i`, `m`, `s`. */
  readonly flags: string;
  /** Sets of lower-case texts: of each, every matching value contains at least one. The most telling first; none where none can be told. */
  readonly needs: readonly (readonly string[])[];
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
/** RE2 refuses more copies of one part (re2js, `repeatIsValid`). */
const maxRepetitions = 1_000;
/** Characters of a pattern, each as often as its most repeated part: a fifth of the size that RE2 refuses (re2js, `MAX_SIZE`). */
const maxProgram = 250_000;
/** A repetition up to this many counts as a number of choices; a longer one as unbounded. */
const smallRepeat = 64;
/** Texts of which one must occur: more are no cheaper to look for than the pattern is to run. */
const maxLiterals = 16;
/** Sets of them that are kept. */
const maxNeeds = 6;

/** Patterns prepared lately: reading a rule, looking for its witnesses and evaluating it each ask for the same. */
const prepared = new Map<string, Pattern | PatternProblem>();
const maxPrepared = 1_024;

/** Prepares a pattern in the dialect of RE2. Never throws. */
export function compilePattern(text: string, flagText: string): Pattern | PatternProblem {
  const key = `${flagText}/${text}`;
  let known = prepared.get(key);
  if (known === undefined) {
    known = prepare(text, flagText);
    if (prepared.size >= maxPrepared) prepared.clear();
    prepared.set(key, known);
  }
  return known;
}

function prepare(text: string, flagText: string): Pattern | PatternProblem {
  const lifted = /^\(\?([ims]+)\)/.exec(text);
  const source = lifted === null ? text : text.slice(lifted[0].length);
  const flags = [..."ims"].filter((f) => flagText.includes(f) || lifted?.[1]?.includes(f)).join("");
  const tree = flags.includes("m") ? undefined : readRegex(source, flags.includes("s"));
  const native = tree === undefined ? undefined : nativeRegExp(tree, flags.includes("i"));
  const usable = tree !== undefined && native !== undefined;
  // RE2 takes what this reader could read, as long as its repetitions make no large program: then it is asked when a long value comes
  if (usable && fits(repetitions(tree), source)) return pattern(source, flags, tree, native);
  // whatever such a value would need later is tried now: a rule is refused when it loads, never in the middle of an event
  try {
    compileLinear(source, flags);
  } catch (error) {
    return { problem: `RE2 says: ${error instanceof Error ? error.message : String(error)}` };
  }
  return pattern(source, flags, tree, native);
}

function pattern(source: string, flags: string, tree: Regex | undefined, native: RegExp | undefined): Pattern {
  const longest = tree === undefined || native === undefined ? 0 : nativeLength(tree);
  let needs: Pattern["needs"] | undefined;
  // Worked out when first asked for: many patterns are only read.
  const needed = () => (needs ??= tree === undefined ? [] : needsOf(tree));
  let linear: RE2JS | undefined;
  const test = (text: string): boolean => {
    if (native !== undefined && text.length <= longest) return native.test(text);
    // The linear engine takes some hundred times as long as a look for what it cannot do without.
    const low = text.toLowerCase();
    for (const set of needed()) if (!set.some((literal) => low.includes(literal))) return false;
    linear ??= compileLinear(source, flags);
    return linear.test(text);
  };
  return {
    source,
    flags,
    nativeLength: longest,
    test,
    get needs() {
      return needed();
    },
  };
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

const fits = (copies: number, source: string): boolean => copies <= maxRepetitions && copies * source.length <= maxProgram;

/** How often RE2 writes the most repeated part into its program. */
function repetitions(node: Regex): number {
  if (node.kind === "cat" || node.kind === "alt") return Math.max(1, ...node.of.map(repetitions));
  if (node.kind !== "repeat") return 1;
  return Math.max(1, Number.isFinite(node.max) ? node.max : node.min) * repetitions(node.of);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

function anchored(node: Regex): boolean {
  if (node.kind === "anchor") return node.start;
  if (node.kind === "cat") return node.of.length > 0 && anchored(node.of[0]!);
  return node.kind === "alt" && node.of.every(anchored);
}

/** What a node tells about the text it matches: all the texts it can be, and sets of texts of each of which it must contain one. */
interface Known {
  readonly exact?: readonly string[];
  readonly needs: readonly (readonly string[])[];
}

function needsOf(tree: Regex): readonly (readonly string[])[] {
  const known = knownOf(tree);
  const sets = new Map<string, readonly string[]>();
  for (const set of known.exact === undefined ? known.needs : [known.exact]) {
    // Case folding outside ASCII differs between a pattern and lower-cased text.
    if (worth(set) <= 0 || set.some((t) => !/^[\x00-\x7f]+$/.test(t))) continue;
    const low = [...new Set(set.map((t) => t.toLowerCase()))];
    sets.set(JSON.stringify(low), low);
  }
  return [...sets.values()].sort((a, b) => worth(b) - worth(a)).slice(0, maxNeeds);
}

/** By its shortest text; a set with an empty text says nothing. */
function worth(set: readonly string[]): number {
  return Math.min(...set.map((t) => t.length)) - set.length / 100;
}

function knownOf(node: Regex): Known {
  switch (node.kind) {
    case "char":
      return { exact: [node.char], needs: [] };
    case "class":
      return node.members === undefined ? { needs: [] } : { exact: node.members, needs: [] };
    case "anchor":
      return { exact: [""], needs: [] };
    case "cat":
      return catKnown(node.of.map(knownOf));
    case "alt":
      return altKnown(node.of.map(knownOf));
    case "repeat": {
      if (node.min === 0) return { needs: [] };
      const inner = knownOf(node.of);
      if (node.min === 1 && node.max === 1) return inner;
      return { needs: inner.exact === undefined ? inner.needs : [inner.exact] };
    }
  }
}

function catKnown(of: readonly Known[]): Known {
  let run: readonly string[] = [""];
  const needs: (readonly string[])[] = [];
  let whole = true;
  for (const part of of) {
    const joined = part.exact === undefined ? undefined : product(run, part.exact);
    if (joined !== undefined) {
      run = joined;
      continue;
    }
    whole = false;
    needs.push(run, ...part.needs);
    if (part.exact !== undefined && part.exact.length > maxLiterals) needs.push(part.exact);
    run = part.exact !== undefined && part.exact.length <= maxLiterals ? part.exact : [""];
  }
  return whole ? { exact: run, needs: [] } : { needs: [...needs, run].filter((set) => worth(set) > 0) };
}

function altKnown(of: readonly Known[]): Known {
  const exact = of.every((k) => k.exact !== undefined) ? of.flatMap((k) => k.exact!) : undefined;
  if (exact !== undefined && exact.length <= maxLiterals) return { exact, needs: [] };
  const set: string[] = [];
  for (const known of of) {
    const best = [...(known.exact === undefined ? known.needs : [known.exact])].sort((a, b) => worth(b) - worth(a))[0];
    if (best === undefined || worth(best) <= 0) return { needs: [] };
    set.push(...best);
  }
  return { needs: set.length <= maxLiterals * 4 ? [set] : [] };
}

function product(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  return a.length * b.length > maxLiterals ? undefined : a.flatMap((x) => b.map((y) => x + y));
}
