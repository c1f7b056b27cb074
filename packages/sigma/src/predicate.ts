/** Conditions as closures over a frame. Knows no rules, no buckets and no indexes. */
import {
  type Condition,
  decimalOf,
  foldCase,
  inNetwork,
  likeTest,
  parseAddress,
  parseNetwork,
  related,
  timeOf,
  timePart,
  withinLike,
} from "@vedette/condition";
import type { Frame, Slots } from "./frame.ts";
import { compilePattern } from "./regex.ts";

export type Predicate = (frame: Frame) => boolean;

/** The comparisons: conditions that are not made of others. */
export type Leaf = Exclude<Condition, { op: "and" | "or" | "not" }>;

/** Compiles conditions; equal objects give the same closure, so that rules share what pipelines share. */
export class Compiler {
  readonly #slots: Slots;
  readonly #known = new WeakMap<Condition, Predicate>();

  constructor(slots: Slots) {
    this.#slots = slots;
  }

  predicate(condition: Condition): Predicate {
    let compiled = this.#known.get(condition);
    if (compiled === undefined) {
      compiled = this.#compile(condition);
      this.#known.set(condition, compiled);
    }
    return compiled;
  }

  #compile(condition: Condition): Predicate {
    switch (condition.op) {
      case "and":
        return all(condition.of.map((c) => this.predicate(c)));
      case "or":
        return any([...lists(condition.of, this.#slots), ...condition.of.filter((c) => !listed(c)).map((c) => this.predicate(c))]);
      case "not": {
        const inner = this.predicate(condition.of);
        return (frame) => !inner(frame);
      }
      default:
        return leafPredicate(condition, this.#slots);
    }
  }
}

type Listed = Extract<Leaf, { op: "eq" | "contains" | "starts" | "ends" | "like" }>;

/** Whether it compares one field's text in lower case: alternatives that do are asked together. */
function listed(c: Condition): c is Listed {
  return (
    (c.op === "eq" && c.value !== null && c.cased !== true) ||
    ((c.op === "contains" || c.op === "starts" || c.op === "ends" || c.op === "like") && c.cased !== true)
  );
}

/** Alternatives by field: a field that an event lacks is looked at once, not once for each of a list's hundreds. */
function lists(of: readonly Condition[], slots: Slots): readonly Predicate[] {
  return [...Map.groupBy(of.filter(listed), ({ field }) => field)].map(([field, leaves]) => {
    const slot = slots.of(field);
    const tests = leaves.map(textTest);
    const [only] = tests;
    const some = tests.length === 1 ? only! : (text: string) => tests.some((test) => test(text));
    return lowered(slot, some);
  });
}

/** A test of a field's text in lower case, or of any of its elements'. */
function lowered(slot: number, test: (text: string) => boolean): Predicate {
  return (frame) => {
    const text = frame.lower(slot);
    return text === undefined ? frame.list(slot).some((item) => test(foldCase(item))) : test(text);
  };
}

function all(of: readonly Predicate[]): Predicate {
  if (of.length === 2) {
    const [a, b] = of as [Predicate, Predicate];
    return (frame) => a(frame) && b(frame);
  }
  return (frame) => {
    for (let i = 0; i < of.length; i++) if (!of[i]!(frame)) return false;
    return true;
  };
}

function any(of: readonly Predicate[]): Predicate {
  if (of.length === 1) return of[0]!;
  if (of.length === 2) {
    const [a, b] = of as [Predicate, Predicate];
    return (frame) => a(frame) || b(frame);
  }
  return (frame) => {
    for (let i = 0; i < of.length; i++) if (of[i]!(frame)) return true;
    return false;
  };
}

function leafPredicate(leaf: Leaf, slots: Slots): Predicate {
  switch (leaf.op) {
    case "exists": {
      const slot = slots.of(leaf.field);
      return (frame) => frame.exists(slot);
    }
    case "eq":
      if (leaf.value === null) {
        const slot = slots.of(leaf.field);
        return (frame) => frame.isNull(slot);
      }
      break;
    case "fieldref":
      return fieldReference(leaf, slots);
    case "keyword": {
      const test = likeTest(withinLike(leaf.value), leaf.cased === true);
      return leaf.cased ? (frame) => frame.words().some(test) : (frame) => frame.lowerWords().some(test);
    }
  }
  const slot = slots.of(leaf.field);
  if (leaf.op === "time" && leaf.field === "@timestamp") return (frame) => related(leaf.how, timePart(leaf.part, frame.time()), leaf.value);
  const test = textTest(leaf);
  if (readsCase(leaf)) {
    return (frame) => {
      const text = frame.text(slot);
      return text === undefined ? frame.list(slot).some(test) : test(text);
    };
  }
  return lowered(slot, test);
}

/** Does the comparison look at the text as it is, not at its lower case? */
export function readsCase(leaf: Leaf): boolean {
  return leaf.op === "regex" || leaf.op === "time" || ("cased" in leaf && leaf.cased === true);
}

/** The comparison of one text, which is in lower case already unless `readsCase`. */
function textTest(leaf: Exclude<Leaf, { op: "exists" | "fieldref" | "keyword" }>): (text: string) => boolean {
  switch (leaf.op) {
    case "cidr": {
      const network = parseNetwork(leaf.value);
      if (network === undefined) return () => false;
      return (text) => {
        const address = parseAddress(text);
        return address !== undefined && inNetwork(address, network);
      };
    }
    case "regex": {
      const pattern = compilePattern(leaf.value, leaf.flags ?? "");
      if ("problem" in pattern) throw new Error(pattern.problem);
      return (text) => pattern.test(text);
    }
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return ordering(leaf.op, leaf.value);
    case "time":
      return (text) => related(leaf.how, timePart(leaf.part, timeOf(text)), leaf.value);
  }
  const value = leaf.cased ? String(leaf.value) : foldCase(String(leaf.value));
  switch (leaf.op) {
    case "eq":
      return (text) => text === value;
    case "contains":
      return (text) => text.includes(value);
    case "starts":
      return (text) => text.startsWith(value);
    case "ends":
      return (text) => text.endsWith(value);
    case "like":
      return likeTest(leaf.value, leaf.cased === true);
  }
}

function ordering(op: "lt" | "lte" | "gt" | "gte", bound: number | string): (text: string) => boolean {
  const limit = typeof bound === "string" ? Number.parseFloat(bound) : bound;
  const number = decimalOf;
  if (op === "lt") return (text) => number(text) < limit;
  if (op === "lte") return (text) => number(text) <= limit;
  if (op === "gt") return (text) => number(text) > limit;
  return (text) => number(text) >= limit;
}

function fieldReference(leaf: Extract<Leaf, { op: "fieldref" }>, slots: Slots): Predicate {
  const left = slots.of(leaf.field);
  const right = slots.of(leaf.other);
  const fold = leaf.cased ? (text: string) => text : foldCase;
  const texts = (frame: Frame, slot: number) => {
    const text = frame.text(slot);
    return text === undefined ? frame.list(slot) : [text];
  };
  const test = (a: string, b: string) => {
    if (leaf.how === "eq") return a === b;
    if (leaf.how === "contains") return a.includes(b);
    return leaf.how === "starts" ? a.startsWith(b) : a.endsWith(b);
  };
  return (frame) => texts(frame, left).some((a) => texts(frame, right).some((b) => test(fold(a), fold(b))));
}
