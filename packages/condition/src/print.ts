/** Writes a query so that `parseQuery` reads the same query back. Knows no grammar beyond what it writes. */
import type { Condition, Scalar } from "./condition.ts";
import { parseAddress } from "./ip.ts";
import { escapeLike, likeParts, plainLike } from "./like.ts";
import { columnOf, type Query } from "./query.ts";

const words = new Set(["and", "or", "not", "as", "by", "asc", "desc"]);
const quote = (text: string) => `"${text.replace(/["\\]/g, "\\$&")}"`;
const isSimple = (text: string) => /^[A-Za-z0-9_@][A-Za-z0-9_@.-]*$/.test(text) && !words.has(text.toLowerCase());
const name = (text: string) => (isSimple(text) ? text : quote(text));

/** A `like` pattern as a bare word. */
function pattern(value: string): string {
  return likeParts(value)
    .map((part) => (typeof part === "string" ? part.replace(/[*?\\()":|<>=!,/$ \t\n\r\u00a0]/g, "\\$&") : part.wild))
    .join("");
}

function scalar(value: Scalar): string {
  if (typeof value !== "string") return typeof value === "number" && !Number.isFinite(value) ? quote(String(value)) : String(value);
  const read = value === "null" || value === "true" || value === "false" || String(Number(value)) === value;
  return isSimple(value) && !read ? value : quote(value);
}

function keyword(value: string, cased: boolean): string {
  const parts = likeParts(value);
  const before = cased ? "=" : "";
  const literal = parts.length === 0 ? "" : parts.length === 1 && typeof parts[0] === "string" ? parts[0] : undefined;
  if (literal !== undefined) return before + (isSimple(literal) ? literal : quote(literal));
  // a lone star would read as everything, also without any text; this one needs some
  const text = pattern(value);
  return text === "*" && !cased ? '""' : before + text;
}

const comparisons = { lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;

/** The value after `field:`, or undefined for conditions that are not of this form. */
function valueText(condition: Condition): string | undefined {
  const cased = "cased" in condition && condition.cased === true ? "=" : "";
  switch (condition.op) {
    case "eq":
      return (condition.value === null ? "" : cased) + scalar(condition.value);
    case "contains":
    case "starts":
    case "ends": {
      const text = escapeLike(condition.value);
      const wild = `${condition.op === "starts" ? "" : "*"}${text}${condition.op === "ends" ? "" : "*"}`;
      return condition.value === "" ? "*" : cased + pattern(wild);
    }
    case "like": {
      const plain = plainLike(likeParts(condition.value));
      if (plain?.how === "eq") return cased + (plain.text === "" ? '""' : quote(plain.text));
      return plain?.text === "" ? "*" : cased + pattern(condition.value);
    }
    case "regex":
      return `/${condition.value.replace(/\\[\s\S]|\//g, (found) => (found === "/" ? "\\/" : found))}/${condition.flags ?? ""}`;
    case "cidr":
      return condition.value.includes("/") ? condition.value : `${condition.value}/${parseAddress(condition.value)?.v4 ? 32 : 128}`;
    case "exists":
      return "*";
    case "time":
      return `$${condition.part}(${condition.how === "eq" ? "" : comparisons[condition.how]}${condition.value})`;
    case "fieldref": {
      const before = condition.how === "contains" || condition.how === "ends" ? "*" : "";
      const after = condition.how === "contains" || condition.how === "starts" ? "*" : "";
      return `${cased}${before}$(${name(condition.other)})${after}`;
    }
    default:
      return undefined;
  }
}

/** `field:(a or b)` where all the children are values of one field. */
function valueGroup(condition: Extract<Condition, { op: "and" | "or" }>): string | undefined {
  const [first] = condition.of;
  if (first === undefined || !("field" in first)) return undefined;
  const values = condition.of.map((one) => ("field" in one && one.field === first.field ? valueText(one) : undefined));
  return values.includes(undefined) ? undefined : `${name(first.field)}:(${values.join(` ${condition.op} `)})`;
}

/** A condition in the query language; conditions it has no form of its own for come back as an equal one. */
export function printCondition(condition: Condition, inside = false): string {
  switch (condition.op) {
    case "and":
    case "or": {
      if (condition.of.length === 0) return condition.op === "and" ? "*" : "not *";
      if (condition.of.length === 1) return printCondition(condition.of[0]!, inside);
      const group = valueGroup(condition);
      if (group !== undefined) return group;
      const text = condition.of.map((one) => printCondition(one, true)).join(` ${condition.op} `);
      return inside ? `(${text})` : text;
    }
    case "not":
      return `not ${printCondition(condition.of, true)}`;
    case "keyword":
      return keyword(condition.value, condition.cased === true);
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return `${name(condition.field)} ${comparisons[condition.op]} ${scalar(condition.value)}`;
    default:
      return `${name(condition.field)}:${valueText(condition)}`;
  }
}

/** A whole query. */
export function printQuery(query: Query): string {
  const parts: string[] = [];
  if (query.stats !== undefined) {
    const aggregates = query.stats.aggregates.map(
      (one) =>
        `${one.fn}(${one.field === undefined ? "" : name(one.field)})${one.as === columnOf(one.fn, one.field) ? "" : ` as ${name(one.as)}`}`,
    );
    parts.push(`stats ${aggregates.join(", ")}${query.stats.by.length > 0 ? ` by ${query.stats.by.map(name).join(", ")}` : ""}`);
  }
  if (query.sort !== undefined) parts.push(`sort ${query.sort.map((one) => (one.descending ? "-" : "") + name(one.by)).join(", ")}`);
  if (query.head !== undefined) parts.push(`head ${query.head}`);
  if (query.fields !== undefined) parts.push(`fields ${query.fields.map(name).join(", ")}`);
  const filter = query.where.op === "and" && query.where.of.length === 0 ? "" : printCondition(query.where);
  return filter === "" && parts.length > 0 ? `| ${parts.join(" | ")}` : [filter, ...parts].join(" | ");
}
