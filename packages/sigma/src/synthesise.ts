/**
 * Makes events up that satisfy a condition, as small as it asks for. What it proposes may fail (negations, patterns beyond it): whoever asked
 * tests it with the engine itself. Knows no rule and no real event.
 */
import { type Condition, type FieldValue, foldCase, likeParts } from "@vedette/condition";
import type { Leaf } from "./predicate.ts";
import { type Regex, readRegex } from "./regexsyntax.ts";

export type Synthesised = { readonly [field: string]: FieldValue };

/** Alternatives tried: the first takes every first choice, the others choose as a fixed sequence of numbers says. */
const maxTries = 48;

/** Proposals, simplest first; the same condition always gives the same ones. */
export function* synthesise(condition: Condition): Generator<Synthesised> {
  const seen = new Set<string>();
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const draft = new Draft(chooser(attempt));
    draft.want(condition, true);
    const fields = draft.fields();
    if (fields === undefined) continue;
    const key = JSON.stringify(fields);
    if (seen.has(key)) continue;
    seen.add(key);
    yield fields;
  }
}

/** Of `n` alternatives: always the first in the first attempt, else as a linear congruential sequence has it. */
function chooser(attempt: number): (n: number) => number {
  let state = attempt;
  return (n) => {
    if (attempt === 0) return 0;
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % n;
  };
}

/** What one field must be. */
interface Want {
  readonly exact: string[];
  readonly starts: string[];
  readonly parts: string[];
  readonly ends: string[];
  above: number;
  below: number;
  present: boolean;
  absent: boolean;
}

class Draft {
  readonly #choose: (n: number) => number;
  readonly #wants = new Map<string, Want>();
  readonly #same: (readonly [field: string, other: string])[] = [];

  constructor(choose: (n: number) => number) {
    this.#choose = choose;
  }

  #want(field: string): Want {
    let want = this.#wants.get(field);
    if (!want) {
      want = { exact: [], starts: [], parts: [], ends: [], above: -Infinity, below: Infinity, present: false, absent: false };
      this.#wants.set(field, want);
    }
    return want;
  }

  want(condition: Condition, positive: boolean): void {
    switch (condition.op) {
      case "not":
        this.want(condition.of, !positive);
        return;
      case "and":
      case "or":
        // not all of them is one that is not
        if ((condition.op === "and") === positive) for (const one of condition.of) this.want(one, positive);
        else if (condition.of.length > 0) this.want(condition.of[this.#choose(condition.of.length)]!, positive);
        return;
    }
    if (positive) this.#leaf(condition);
    // an absent field satisfies no comparison but this one
    else if (condition.op === "eq" && condition.value === null) this.#want(condition.field).present = true;
    else if (condition.op === "exists") this.#want(condition.field).absent = true;
  }

  #leaf(leaf: Leaf): void {
    if (leaf.op === "keyword") {
      this.#want("message").parts.push(textOfLike(leaf.value));
      return;
    }
    const want = this.#want(leaf.field);
    switch (leaf.op) {
      case "eq":
        if (leaf.value === null) want.absent = true;
        else want.exact.push(String(leaf.value));
        break;
      case "contains":
        want.parts.push(leaf.value);
        break;
      case "starts":
        want.starts.push(leaf.value);
        break;
      case "ends":
        want.ends.push(leaf.value);
        break;
      case "like":
        want.exact.push(textOfLike(leaf.value));
        break;
      case "regex":
        want.parts.push(textOfRegex(leaf.value, this.#choose));
        break;
      case "cidr":
        want.exact.push(addressIn(leaf.value));
        break;
      case "gt":
      case "gte":
        want.above = Math.max(want.above, Number(leaf.value) + (leaf.op === "gt" ? 1 : 0));
        break;
      case "lt":
      case "lte":
        want.below = Math.min(want.below, Number(leaf.value) - (leaf.op === "lt" ? 1 : 0));
        break;
      case "exists":
        want.present = true;
        break;
      case "fieldref":
        want.present = true;
        this.#same.push([leaf.field, leaf.other]);
        break;
      default:
        want.present = true;
    }
  }

  /** Undefined where the wants contradict each other. */
  fields(): Synthesised | undefined {
    const fields: { [field: string]: FieldValue } = Object.create(null);
    for (const [field, want] of this.#wants) {
      const value = wantedValue(want);
      if (value === undefined) continue;
      if (want.absent) return undefined;
      fields[field] = value;
    }
    for (const [field, other] of this.#same) {
      const known = this.#wants.has(other) ? fields[other] : undefined;
      if (known === undefined) fields[other] = fields[field]!;
      else fields[field] = known;
    }
    return fields;
  }
}

function wantedValue(want: Want): FieldValue | undefined {
  const exact = distinct(want.exact);
  // several whole values at once: fields hold lists, and one element each is enough
  if (exact.length > 1) return exact;
  if (exact.length === 1) return exact[0];
  if (want.above > -Infinity || want.below < Infinity) return want.above > -Infinity ? Math.ceil(want.above) : Math.floor(want.below);
  const starts = distinct(want.starts);
  const ends = distinct(want.ends);
  const fill = want.parts.filter((part) => part !== "");
  const whole = compose(longest(starts), fill, longest(ends));
  const others = [
    ...starts.filter((one) => !foldCase(whole).startsWith(foldCase(one))),
    ...ends.filter((one) => !foldCase(whole).endsWith(foldCase(one))),
  ];
  if (others.length > 0) return [whole, ...others];
  if (whole !== "") return whole;
  return want.present || want.parts.length + want.starts.length + want.ends.length > 0 ? "x" : undefined;
}

function compose(start: string, parts: readonly string[], end: string): string {
  let text = start;
  const holds = (part: string) => foldCase(text + end).includes(foldCase(part));
  for (const part of parts) if (!holds(part)) text += text === "" || /\s$/.test(text) || /^\s/.test(part) ? part : ` ${part}`;
  return foldCase(text).endsWith(foldCase(end)) ? text : text + end;
}

const distinct = (texts: readonly string[]): string[] => [...new Map(texts.map((text) => [foldCase(text), text])).values()];
const longest = (texts: readonly string[]): string => texts.reduce((best, text) => (text.length > best.length ? text : best), "");
const textOfLike = (pattern: string): string =>
  likeParts(pattern)
    .map((part) => (typeof part === "string" ? part : part.wild === "?" ? "x" : ""))
    .join("");

/** A text that the pattern matches, where its syntax is the common one. */
function textOfRegex(source: string, choose: (n: number) => number): string {
  const tree = readRegex(source, true);
  return tree === undefined ? "" : sample(tree, choose);
}

/** Characters tried for a class that is not listed. */
const likely = ["a", "1", " ", "-", "/", "\\", ".", "A", "_", ":", "é"];

function sample(tree: Regex, choose: (n: number) => number): string {
  switch (tree.kind) {
    case "char":
      return tree.char;
    case "class":
      return tree.members?.[0] ?? likely.find((char) => new RegExp(`^${tree.js}$`, "u").test(char)) ?? "a";
    case "anchor":
      return "";
    case "cat":
      return tree.of.map((one) => sample(one, choose)).join("");
    case "alt":
      return sample(tree.of[choose(tree.of.length)]!, choose);
    case "repeat":
      return sample(tree.of, choose).repeat(Math.min(Math.max(tree.min, 0), 256));
  }
}

/** The network's first address after its own. */
function addressIn(network: string): string {
  const [address = "", bits] = network.split("/");
  const four = /^(\d+\.\d+\.\d+\.)(\d+)$/.exec(address);
  if (four && Number(bits ?? 32) < 31) return `${four[1]}${Number(four[2]) + 1}`;
  return address.endsWith("::") ? `${address}1` : address;
}
