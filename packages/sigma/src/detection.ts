/** Sigma's selections: `field|modifier: values` maps, lists of maps and keywords, read into Conditions. Knows no condition expressions. */
import { type Condition, parseNetwork, type Scalar, type TimePart } from "@vedette/condition";
import { type Key, readKey } from "./key.ts";
import { anyRun, compare, likeText, open, type Pattern, parsePattern } from "./pattern.ts";
import { Refused } from "./refusal.ts";
import { compilePattern } from "./regex.ts";
import { expandText, type Placeholders, transform } from "./transform.ts";
import type { Entry, ScalarTree, Tree } from "./yaml.ts";

/** Values one selection may list: SigmaHQ's longest list has under 2,000. */
const maxValues = 20_000;

/** Reads one named selection of a rule's `detection`. Throws `Refused`. */
export function readSelection(name: string, tree: Tree, placeholders: Placeholders): Condition {
  if (tree.kind === "map") {
    if (tree.entries.length === 0) throw new Refused(tree.at, `${name}: {}`, "at least one field", "write a field with a value");
    return join(
      "and",
      tree.entries.map((entry) => readEntry(entry, placeholders)),
    );
  }
  if (tree.kind === "list") {
    if (tree.items.length === 0) throw new Refused(tree.at, `${name}: []`, "at least one item", "write a map of fields or a keyword");
    return join(
      "or",
      tree.items.map((item) => (item.kind === "scalar" ? keyword(item, undefined, placeholders) : readSelection(name, item, placeholders))),
    );
  }
  if (tree.value === null)
    throw new Refused(tree.at, `${name}: (nothing)`, "a map of fields or a list of keywords", "write the selection's fields");
  return keyword(tree, undefined, placeholders);
}

/** One condition alone needs no `and` or `or` around it. */
export function join(op: "and" | "or", of: readonly Condition[]): Condition {
  return of.length === 1 ? of[0]! : { op, of };
}

function readEntry(entry: Entry, placeholders: Placeholders): Condition {
  const key = readKey(entry);
  const values = entry.value.kind === "list" ? entry.value.items : [entry.value];
  if (values.length === 0)
    throw new Refused(entry.value.at, `${key.written}: []`, "at least one value", "write a value, or null for an absent field");
  if (values.length > maxValues)
    throw new Refused(entry.value.at, `${key.written}: ${values.length} values`, `at most ${maxValues}`, "split the rule");
  const of = values.map((value) => {
    if (value.kind !== "scalar")
      throw new Refused(
        value.at,
        `${key.written}: a ${value.kind}`,
        "text, number, true, false or null",
        "write the values as a flat list",
      );
    return key.field === "" ? keyword(value, key, placeholders) : leaf(key, value, placeholders);
  });
  const joined = join(key.all ? "and" : "or", of);
  return key.negated ? { op: "not", of: joined } : joined;
}

function leaf(key: Key, tree: ScalarTree, placeholders: Placeholders): Condition {
  const { field } = key;
  const { value } = tree;
  const text = scalarText(tree);
  if (key.part !== undefined) return timeLeaf(key, key.part, tree);
  switch (key.comparison) {
    case "re":
      return join(
        "or",
        expanded(key, text, tree.at, placeholders, escapePattern).map((one) => regex(key, one, tree.at)),
      );
    case "cidr":
      return join(
        "or",
        expanded(key, text, tree.at, placeholders, String).map((one) => network(key, one, tree.at)),
      );
    case "exists":
      if (typeof value !== "boolean") throw new Refused(tree.at, `${key.written}: ${text}`, "true or false", `write ${key.written}: true`);
      return value ? { op: "exists", field } : { op: "not", of: { op: "exists", field } };
    case "fieldref":
      return { op: "fieldref", field, other: text, how: howOf(key), ...(key.cased ? { cased: true } : {}) };
    case "lt":
    case "lte":
    case "gt":
    case "gte": {
      if (typeof value !== "number" && !(typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)))) {
        throw new Refused(tree.at, `${key.written}: ${text}`, "a number", `write ${key.written}: 10`);
      }
      return { op: key.comparison, field, value: Number(value) };
    }
  }
  if (value === null) {
    if (key.anchors !== undefined || key.transforms.length > 0)
      throw new Refused(tree.at, `${key.written}: null`, "text", `write ${field}: null for an absent field`);
    return { op: "eq", field, value: null };
  }
  if (key.anchors === undefined && key.transforms.length === 0 && typeof value !== "string") {
    const exact: Condition = { op: "eq", field, value: exactScalar(tree) };
    // `5.0` and `007` are numbers to YAML; the author may have meant a version or a code.
    const otherwise = typeof value === "number" && tree.source !== String(value) && exact.value !== tree.source;
    return otherwise ? { op: "or", of: [exact, { op: "eq", field, value: tree.source }] } : exact;
  }
  if (key.transforms.length === 0) return compare(field, anchored(key, parsePattern(text)), key.cased);
  return join(
    "or",
    patterns(key, tree, placeholders).map((p) => compare(field, anchored(key, p), key.cased)),
  );
}

/** Smallest and largest value of each part. */
const partRange: { readonly [part in TimePart]: readonly [number, number] } = {
  minute: [0, 59],
  hour: [0, 23],
  day: [1, 31],
  week: [1, 53],
  month: [1, 12],
  year: [1, 9_999],
};

function timeLeaf(key: Key, part: TimePart, tree: ScalarTree): Condition {
  const value = Number(scalarText(tree).trim() || Number.NaN);
  const [least, most] = partRange[part];
  if (!Number.isInteger(value) || value < least || value > most)
    throw new Refused(
      tree.at,
      `${key.written}: ${scalarText(tree)}`,
      `a whole number from ${least} to ${most}`,
      `write ${key.written}: ${least}`,
    );
  return { op: "time", field: key.field, part, how: (key.comparison ?? "eq") as "eq" | "lt" | "lte" | "gt" | "gte", value };
}

/** A number that a double cannot hold exactly is compared by its digits. */
function exactScalar(tree: ScalarTree): Scalar {
  return typeof tree.value === "number" && Number.isInteger(tree.value) && !Number.isSafeInteger(tree.value) ? tree.source : tree.value;
}

/** A number as it is written: comparisons of text are about that. */
function scalarText(tree: ScalarTree): string {
  if (tree.value === null) return "";
  return typeof tree.value === "number" ? tree.source : String(tree.value);
}

function anchored(key: Key, pattern: Pattern): Pattern {
  return key.anchors === undefined ? pattern : open(pattern, key.anchors.start, key.anchors.end);
}

function howOf(key: Key): "eq" | "contains" | "starts" | "ends" {
  if (key.anchors === undefined) return "eq";
  if (key.anchors.start && key.anchors.end) return "contains";
  return key.anchors.start ? "ends" : "starts";
}

function patterns(key: Key, tree: ScalarTree, placeholders: Placeholders): readonly Pattern[] {
  const result = transform(parsePattern(scalarText(tree)), key.transforms, placeholders);
  if ("construct" in result) throw new Refused(tree.at, result.construct, result.expected, result.suggestion);
  return result;
}

function regex(key: Key, text: string, at: number): Condition {
  const { anchors } = key;
  let compiled = compilePattern(text, key.flags);
  if (!("problem" in compiled) && anchors !== undefined && !(anchors.start && anchors.end)) {
    // Lines of a text are none of its own ends.
    const [start, end] = compiled.flags.includes("m") ? ["\\A", "\\z"] : ["^", "$"];
    compiled = compilePattern(`${anchors.start ? "" : start}(?:${compiled.source})${anchors.end ? "" : end}`, compiled.flags);
  }
  if ("problem" in compiled) {
    throw new Refused(at, `${key.written}: ${text}`, "a regular expression without look-around or back-references (RE2)", compiled.problem);
  }
  return { op: "regex", field: key.field, value: compiled.source, ...(compiled.flags === "" ? {} : { flags: compiled.flags }) };
}

function network(key: Key, text: string, at: number): Condition {
  if (parseNetwork(text) === undefined)
    throw new Refused(at, `${key.written}: ${text}`, "an IPv4 or IPv6 network such as 10.0.0.0/8", "write address/prefix length");
  return { op: "cidr", field: key.field, value: text };
}

/** The text with the values of its placeholders where it has some to expand. */
function expanded(key: Key, text: string, at: number, placeholders: Placeholders, write: (value: string) => string): readonly string[] {
  if (key.transforms.length === 0) return [text];
  const found = expandText(text, placeholders, write);
  if ("construct" in found) throw new Refused(at, found.construct, found.expected, found.suggestion);
  return found;
}

const escapePattern = (value: string): string => value.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** A value that belongs to no field: searched in the whole event. */
function keyword(tree: ScalarTree, key: Key | undefined, placeholders: Placeholders): Condition {
  if (tree.value === null || tree.value === "") throw new Refused(tree.at, "an empty keyword", "text", "remove it, or name the field");
  if (key?.comparison !== undefined) {
    throw new Refused(tree.at, `|${key.comparison} on keywords`, "a field before the modifier", `write field|${key.comparison}`);
  }
  if (key?.anchors !== undefined && !(key.anchors.start && key.anchors.end))
    throw new Refused(tree.at, key.written, "|contains or no comparison: a keyword may stand anywhere", `write field${key.written}`);
  const found = key === undefined ? [parsePattern(scalarText(tree))] : patterns(key, tree, placeholders);
  const cased = key?.cased ? { cased: true } : {};
  return join(
    "or",
    found.map((p) => {
      // A match anywhere in the text is what `keyword` means: wildcards at the ends say nothing more.
      const inner = p.slice(p[0] === anyRun ? 1 : 0, p.length > 1 && p.at(-1) === anyRun ? -1 : undefined);
      if (inner.length === 0) throw new Refused(tree.at, `keyword ${scalarText(tree)}`, "text beside the wildcard", "remove it");
      return { op: "keyword", value: likeText(inner), ...cased };
    }),
  );
}
