/** Turns a condition into closures with everything prepared that does not depend on the event. Says the same as `evaluate`. */
import type { Condition, FieldValue, Readable } from "./condition.ts";
import { networkTest, parseNetwork } from "./ip.ts";
import { likeTest, withinLike } from "./like.ts";
import { ConditionError, type RegexFactory, regexTest } from "./regex.ts";
import { foldCase, isNothing, numberOf } from "./text.ts";
import { ownTime, related, timeOf, timePart } from "./time.ts";

export type Predicate = (readable: Readable) => boolean;

interface Slot {
  raw: string;
  folded: string;
}
/** Remembers the last folded text of each field, so that many conditions over one event fold it once. Share one per rule set and worker. */
export class FoldMemo {
  private readonly slots = new Map<string, Slot>();
  slot(field: string): Slot {
    let slot = this.slots.get(field);
    if (slot === undefined) {
      slot = { raw: "", folded: "" };
      this.slots.set(field, slot);
    }
    return slot;
  }
}

export interface CompileOptions {
  /** Linear-time engine for patterns that are not safe natively. */
  readonly regex?: RegexFactory;
  readonly memo?: FoldMemo;
}
interface Context {
  readonly regex: RegexFactory | undefined;
  readonly memo: FoldMemo;
}

/** Texts longer than this are folded again instead of being kept alive by the memo. */
const memoLength = 65_536;

function folded(slot: Slot, raw: string): string {
  if (slot.raw === raw) return slot.folded;
  const text = foldCase(raw);
  if (raw.length <= memoLength) {
    slot.raw = raw;
    slot.folded = text;
  }
  return text;
}

/** A test of a field's text, folded unless `cased`, against any of its values. */
function onText(field: string, cased: boolean, context: Context, test: (text: string) => boolean): Predicate {
  const slot = context.memo.slot(field);
  const one = (value: unknown): boolean => {
    if (typeof value === "string") return test(cased ? value : folded(slot, value));
    return typeof value === "number" || typeof value === "boolean" ? test(cased ? String(value) : String(value).toLowerCase()) : false;
  };
  return (readable) => {
    const value = readable.fields[field];
    if (typeof value === "string") return test(cased ? value : folded(slot, value));
    return Array.isArray(value) ? value.some(one) : one(value);
  };
}

/** A test of each scalar of a field. */
function onScalar(field: string, test: (value: unknown) => boolean): Predicate {
  return (readable) => {
    const value = readable.fields[field];
    return Array.isArray(value) ? value.some(test) : test(value);
  };
}

function equalTo(condition: Extract<Condition, { op: "eq" }>, context: Context): Predicate {
  const { field, value } = condition;
  if (value === null)
    return (readable) => {
      const found = readable.fields[field];
      return isNothing(found) || (Array.isArray(found) && found.includes(null));
    };
  const cased = condition.cased === true;
  const wanted = cased ? String(value) : foldCase(String(value));
  return onText(field, cased, context, (text) => text === wanted);
}

type Eq = Extract<Condition, { op: "eq" }>;
/** Uncased equalities with one field, as Sigma's value lists give by the dozen: one set look-up. */
function oneOf(field: string, values: readonly Eq[], context: Context): Predicate {
  const wanted = new Set(values.map((one) => foldCase(String(one.value))));
  return onText(field, false, context, (text) => wanted.has(text));
}

function anyOf(conditions: readonly Condition[], context: Context): Predicate[] {
  const lists = new Map<string, Eq[]>();
  const rest: Condition[] = [];
  for (const one of conditions) {
    if (one.op !== "eq" || one.cased === true || one.value === null) rest.push(one);
    else if (lists.has(one.field)) lists.get(one.field)!.push(one);
    else lists.set(one.field, [one]);
  }
  const sets = [...lists].map(([field, values]) => (values.length === 1 ? equalTo(values[0]!, context) : oneOf(field, values, context)));
  return [...sets, ...byCost(rest).map((one) => prepare(one, context))];
}

const costs: { readonly [op in Condition["op"]]: number } = {
  exists: 0,
  eq: 1,
  lt: 1,
  lte: 1,
  gt: 1,
  gte: 1,
  starts: 2,
  ends: 2,
  fieldref: 3,
  contains: 3,
  time: 3,
  cidr: 3,
  like: 4,
  regex: 8,
  keyword: 40,
  not: 0,
  and: 0,
  or: 0,
};
function costOf(condition: Condition): number {
  if (condition.op === "not") return costOf(condition.of);
  if (condition.op === "and" || condition.op === "or") return condition.of.reduce((sum, one) => sum + costOf(one), 0);
  return costs[condition.op];
}
/** Cheap tests first: conditions have no effects, so their order is free. */
const byCost = (conditions: readonly Condition[]): Condition[] =>
  conditions
    .map((condition) => ({ condition, cost: costOf(condition) }))
    .sort((a, b) => a.cost - b.cost)
    .map((one) => one.condition);

function every(tests: readonly Predicate[]): Predicate {
  const [a, b, c] = tests;
  if (a === undefined) return () => true;
  if (b === undefined) return a;
  if (c === undefined) return (readable) => a(readable) && b(readable);
  return (readable) => {
    for (let i = 0; i < tests.length; i++) if (!tests[i]!(readable)) return false;
    return true;
  };
}
function some(tests: readonly Predicate[]): Predicate {
  const [a, b, c] = tests;
  if (a === undefined) return () => false;
  if (b === undefined) return a;
  if (c === undefined) return (readable) => a(readable) || b(readable);
  return (readable) => {
    for (let i = 0; i < tests.length; i++) if (tests[i]!(readable)) return true;
    return false;
  };
}

function ordered(op: "lt" | "lte" | "gt" | "gte", field: string, bound: number | string, context: Context): Predicate {
  const number = numberOf(bound);
  if (typeof bound === "number" || !Number.isNaN(number)) {
    const test =
      op === "lt"
        ? (value: unknown) => numberOf(value) < number
        : op === "lte"
          ? (value: unknown) => numberOf(value) <= number
          : op === "gt"
            ? (value: unknown) => numberOf(value) > number
            : (value: unknown) => numberOf(value) >= number;
    return onScalar(field, test);
  }
  const text = foldCase(bound);
  const test =
    op === "lt"
      ? (value: string) => value < text
      : op === "lte"
        ? (value: string) => value <= text
        : op === "gt"
          ? (value: string) => value > text
          : (value: string) => value >= text;
  return onText(field, false, context, test);
}

function reference(condition: Extract<Condition, { op: "fieldref" }>, context: Context): Predicate {
  const { field, other, how } = condition;
  const cased = condition.cased === true;
  let wanted = "";
  const test =
    how === "eq"
      ? (text: string) => text === wanted
      : how === "contains"
        ? (text: string) => text.includes(wanted)
        : how === "starts"
          ? (text: string) => text.startsWith(wanted)
          : (text: string) => text.endsWith(wanted);
  const inner = onText(field, cased, context, test);
  return (readable) => {
    const found: FieldValue | undefined = readable.fields[other];
    for (const one of Array.isArray(found) ? found : [found]) {
      if (one === undefined || one === null || typeof one === "object" || typeof one === "function") continue;
      wanted = cased ? String(one) : foldCase(String(one));
      if (inner(readable)) return true;
    }
    return false;
  };
}

function keyword(pattern: string, cased: boolean, context: Context): Predicate {
  const matches = likeTest(withinLike(pattern), cased);
  const original = context.memo.slot("\0original");
  const one = (value: unknown): boolean => {
    if (typeof value === "string") return matches(cased ? value : foldCase(value));
    return typeof value === "number" || typeof value === "boolean" ? matches(String(value)) : false;
  };
  return (readable) => {
    // the original line nearly always holds what the fields hold: it is asked first
    const line = readable.original;
    if (line !== undefined && matches(cased ? line : folded(original, line))) return true;
    for (const field in readable.fields) {
      const value = readable.fields[field];
      if (Array.isArray(value) ? value.some(one) : one(value)) return true;
    }
    return false;
  };
}

function prepare(condition: Condition, context: Context): Predicate {
  switch (condition.op) {
    case "and":
      return every(byCost(condition.of).map((one) => prepare(one, context)));
    case "or":
      return some(anyOf(condition.of, context));
    case "not": {
      const inner = prepare(condition.of, context);
      return (readable) => !inner(readable);
    }
    case "eq":
      return equalTo(condition, context);
    case "contains":
    case "starts":
    case "ends": {
      const cased = condition.cased === true;
      const wanted = cased ? condition.value : foldCase(condition.value);
      const test =
        condition.op === "contains"
          ? (text: string) => text.includes(wanted)
          : condition.op === "starts"
            ? (text: string) => text.startsWith(wanted)
            : (text: string) => text.endsWith(wanted);
      return onText(condition.field, cased, context, test);
    }
    case "like":
      return onText(condition.field, condition.cased === true, context, likeTest(condition.value, condition.cased === true));
    case "regex": {
      const regex = regexTest(condition.value, condition.flags ?? "", context.regex);
      return onText(condition.field, true, context, (text) => regex.test(text));
    }
    case "cidr": {
      const network = parseNetwork(condition.value);
      if (network === undefined) throw new ConditionError("bad_cidr", `${condition.value} is not a network`);
      return onText(condition.field, true, context, networkTest(network));
    }
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return ordered(condition.op, condition.field, condition.value, context);
    case "time": {
      const { field, how, part, value: bound } = condition;
      const test = (time: number) => related(how, timePart(part, time), bound);
      return field === "@timestamp" ? (readable) => test(ownTime(readable)) : onScalar(field, (value) => test(timeOf(value)));
    }
    case "exists":
      return (readable) => !isNothing(readable.fields[condition.field]);
    case "fieldref":
      return reference(condition, context);
    case "keyword":
      return keyword(condition.value, condition.cased === true, context);
  }
}

/**
 * Prepares a condition for many events; the returned test allocates nothing beyond folded text.
 * @throws ConditionError `bad_regex`, `unsafe_regex` (no factory for a pattern that needs one), `bad_cidr`.
 */
export function compile(condition: Condition, options: CompileOptions = {}): Predicate {
  return prepare(condition, { regex: options.regex, memo: options.memo ?? new FoldMemo() });
}
