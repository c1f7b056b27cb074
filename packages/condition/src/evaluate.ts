/** What a condition means, written for reading, not for speed: the oracle for compiled conditions and for stores. */
import type { Condition, FieldValue, Readable, Scalar } from "./condition.ts";
import { inNetwork, parseAddress, parseNetwork } from "./ip.ts";
import { likeTest, withinLike } from "./like.ts";
import { ConditionError, type RegexFactory, regexTest } from "./regex.ts";
import { foldCase, isNothing, numberOf, scalarsOf, textOf } from "./text.ts";
import { ownTime, related, timeOf, timePart } from "./time.ts";

export interface EvaluateOptions {
  /** Linear-time engine for patterns that are not safe natively. */
  readonly regex?: RegexFactory;
}

const how = {
  eq: (text: string, wanted: string) => text === wanted,
  contains: (text: string, wanted: string) => text.includes(wanted),
  starts: (text: string, wanted: string) => text.startsWith(wanted),
  ends: (text: string, wanted: string) => text.endsWith(wanted),
};

function anyText(value: FieldValue | undefined, cased: boolean | undefined, test: (text: string) => boolean): boolean {
  return scalarsOf(value).some((one) => test(cased ? textOf(one)! : foldCase(textOf(one)!)));
}

/**
 * Order: a decimal bound compares numerically and only with what is a number or a decimal text; any other bound compares the
 * folded text by UTF-16 code units.
 */
function ordered(op: "lt" | "lte" | "gt" | "gte", value: Scalar, bound: number | string): boolean {
  const number = numberOf(bound);
  const [a, b] =
    typeof bound === "number" || !Number.isNaN(number) ? [numberOf(value), number] : [foldCase(textOf(value)!), foldCase(String(bound))];
  return op === "lt" ? a < b : op === "lte" ? a <= b : op === "gt" ? a > b : a >= b;
}

/**
 * Whether the condition holds. Comparisons are on text: numbers in decimal, booleans as `true`/`false`; null has no text.
 * `exists` needs one value that is not null. Regular expressions are tested against the text as it is. An address mapped into IPv6
 * counts as the IPv4 address.
 * @throws ConditionError for a pattern or network that cannot be prepared.
 */
export function evaluate(condition: Condition, readable: Readable, options: EvaluateOptions = {}): boolean {
  const value = "field" in condition ? readable.fields[condition.field] : undefined;
  switch (condition.op) {
    case "and":
      return condition.of.every((one) => evaluate(one, readable, options));
    case "or":
      return condition.of.some((one) => evaluate(one, readable, options));
    case "not":
      return !evaluate(condition.of, readable, options);
    case "eq": {
      if (condition.value === null) return isNothing(value) || (Array.isArray(value) && value.includes(null));
      const wanted = String(condition.value);
      const { cased } = condition;
      return anyText(value, cased, (text) => text === (cased ? wanted : foldCase(wanted)));
    }
    case "contains":
    case "starts":
    case "ends": {
      const { op, cased, value: wanted } = condition;
      return anyText(value, cased, (text) => how[op](text, cased ? wanted : foldCase(wanted)));
    }
    case "like":
      return anyText(value, condition.cased, likeTest(condition.value, condition.cased === true));
    case "regex": {
      const regex = regexTest(condition.value, condition.flags ?? "", options.regex);
      return anyText(value, true, (text) => regex.test(text));
    }
    case "cidr": {
      const network = parseNetwork(condition.value);
      if (network === undefined) throw new ConditionError("bad_cidr", `${condition.value} is not a network`);
      return anyText(value, true, (text) => {
        const address = parseAddress(text);
        return address !== undefined && inNetwork(address, network);
      });
    }
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return scalarsOf(value).some((one) => ordered(condition.op, one, condition.value));
    case "time": {
      const times = condition.field === "@timestamp" ? [ownTime(readable)] : scalarsOf(value).map(timeOf);
      return times.some((one) => related(condition.how, timePart(condition.part, one), condition.value));
    }
    case "exists":
      return !isNothing(value);
    case "fieldref": {
      const { cased, how: relation } = condition;
      return anyText(value, cased, (text) => anyText(readable.fields[condition.other], cased, (wanted) => how[relation](text, wanted)));
    }
    case "keyword": {
      const matches = likeTest(withinLike(condition.value), condition.cased === true);
      const texts = [...Object.values(readable.fields), readable.original];
      return texts.some((one) => anyText(one, condition.cased, matches));
    }
  }
}
