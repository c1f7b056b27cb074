/** Keys of selections, `field|modifier|modifier`, taken apart and checked. Knows no values. */
import { type TimePart, timeParts } from "@vedette/condition";
import { nearest, Refused } from "./refusal.ts";
import { transforms } from "./transform.ts";
import type { Entry } from "./yaml.ts";

const comparisons = new Set(["contains", "startswith", "endswith", "re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte"]);
const orders = new Set(["lt", "lte", "gt", "gte"]);
/** Comparisons that may hold for a part of the text alone, and those whose values may come of placeholders. */
const anchorable = new Set(["fieldref", "re"]);
const expandable = new Set(["re", "cidr"]);
const charsets = new Set(["wide", "utf16le", "utf16be", "utf16"]);
const known = new Set([
  ...transforms,
  ...comparisons,
  ...timeParts,
  "all",
  "cased",
  "neq",
  "i",
  "m",
  "s",
  "ignorecase",
  "multiline",
  "dotall",
]);
/** The flags of `re`, with the longer names of the specification's earlier drafts. */
const regexFlags: { readonly [name: string]: string } = { i: "i", m: "m", s: "s", ignorecase: "i", multiline: "m", dotall: "s" };
/** A key of a selection, taken apart. */
export interface Key {
  readonly field: string;
  readonly written: string;
  readonly transforms: readonly string[];
  readonly comparison: string | undefined;
  readonly part: TimePart | undefined;
  readonly anchors: { readonly start: boolean; readonly end: boolean } | undefined;
  readonly flags: string;
  readonly all: boolean;
  readonly cased: boolean;
  readonly negated: boolean;
}

/** Keys read lately: a collection's rules write a few hundred. */
const readKeys = new Map<string, Key>();
const maxReadKeys = 1_024;

/** Throws `Refused`. */
export function readKey(entry: Entry): Key {
  let key = readKeys.get(entry.key);
  if (key === undefined) {
    key = takenApart(entry);
    if (readKeys.size >= maxReadKeys) readKeys.clear();
    readKeys.set(entry.key, key);
  }
  return key;
}

function takenApart(entry: Entry): Key {
  const [field = "", ...names] = entry.key.split("|");
  const refuse = (construct: string, expected: string, suggestion: string) => new Refused(entry.keyAt, construct, expected, suggestion);
  for (const name of names) {
    if (known.has(name)) continue;
    const near = nearest(name, known);
    throw refuse(
      `|${name} in ${entry.key}`,
      "a modifier of Sigma 2.1",
      near === undefined ? `one of ${[...known].join(", ")}` : `did you mean |${near}?`,
    );
  }
  const found = names.filter((name) => comparisons.has(name));
  const anchor = found.find((name) => name === "contains" || name === "startswith" || name === "endswith");
  const others = found.filter((name) => name !== anchor);
  const [other] = others;
  if (others.length > 1 || (anchor !== undefined && other !== undefined && !anchorable.has(other)) || found.length > 2) {
    throw refuse(entry.key, "one comparison in a key", `keep one of ${found.map((n) => `|${n}`).join(", ")}`);
  }
  if (other === "re" && found[0] !== "re") throw refuse(entry.key, `|re before |${anchor}`, `write ${field}|re|${anchor}`);
  const parts = timeParts.filter((part) => names.includes(part));
  if (parts.length > 1) throw refuse(entry.key, "one part of a time in a key", `keep one of ${parts.map((n) => `|${n}`).join(", ")}`);
  if (parts.length === 1 && (field === "" || names.some((name) => !orders.has(name) && name !== "neq" && name !== parts[0])))
    throw refuse(entry.key, `|${parts[0]} on a field, with lt, lte, gt, gte or neq`, `write ${field || "field"}|${parts[0]}`);
  if (names.includes("cased") && other !== undefined && other !== "fieldref")
    throw refuse(entry.key, `|cased with a comparison of text`, other === "re" ? "remove it: |re reads the case" : "remove |cased");
  const changes = names.filter((name) => transforms.has(name));
  const lost = other === undefined ? undefined : changes.find((name) => name !== "expand" || !expandable.has(other));
  if (lost !== undefined) throw refuse(entry.key, `|${lost} with a comparison of text`, `remove |${lost} or |${other}`);
  const encoded = changes.findIndex((name) => name.startsWith("base64"));
  const late = encoded < 0 ? undefined : changes.slice(encoded).find((name) => charsets.has(name));
  if (late !== undefined) throw refuse(entry.key, "the encoding of characters before base64", `write |${late} before |${changes[encoded]}`);
  const flags = names.map((name) => regexFlags[name] ?? "").join("");
  if (flags !== "" && other !== "re") throw refuse(entry.key, "flags after |re only", `write ${field}|re|${[...flags].join("|")}`);
  return {
    field,
    written: entry.key,
    transforms: changes,
    comparison: other,
    part: parts[0],
    anchors: anchor === undefined ? undefined : { start: anchor !== "startswith", end: anchor !== "endswith" },
    flags: [...new Set(flags)].join(""),
    all: names.includes("all"),
    cased: names.includes("cased"),
    negated: names.includes("neq"),
  };
}
