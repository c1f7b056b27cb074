/** What every Sigma document tells about itself, whatever its kind: title, id, level, tags and our own `vedette` block. Knows no detection. */
import { hash } from "node:crypto";
import { nearest, Refused } from "./refusal.ts";
import { get, type MapTree, plain, type Tree } from "./yaml.ts";

export type Level = "informational" | "low" | "medium" | "high" | "critical";
export type Status = "stable" | "test" | "experimental" | "deprecated" | "unsupported";

/** Our own block of a rule file: what the platform needs beside the detection. Its keys are checked here, their contents by who uses them. */
export interface VedetteBlock {
  readonly tests?: unknown;
  readonly owner?: unknown;
  readonly review?: unknown;
  readonly entity?: unknown;
  readonly response?: unknown;
  readonly lateness?: unknown;
  readonly window?: unknown;
  readonly gap?: unknown;
}

export interface Header {
  /** The document's `id`; without one, derived from its title. */
  readonly id: string;
  /** By which correlations and filters may name it, beside its id. */
  readonly name?: string;
  readonly title: string;
  /** `medium` where the document names none. */
  readonly level: Level;
  readonly status?: Status;
  readonly tags: readonly string[];
  /** ATT&CK technique ids of the tags `attack.t…`, in capitals. */
  readonly attack: readonly string[];
  readonly description: string;
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
  readonly author: string;
  readonly date: string;
  readonly modified: string;
  /** Fields that the author thinks worth showing. */
  readonly fields: readonly string[];
  readonly file: string;
  /** Line of the document in its file, from 1. */
  readonly line: number;
  readonly vedette?: VedetteBlock;
}

const levels: ReadonlySet<string> = new Set(["informational", "low", "medium", "high", "critical"]);
const statuses: ReadonlySet<string> = new Set(["stable", "test", "experimental", "deprecated", "unsupported"]);
const vedetteKeys: ReadonlySet<string> = new Set(["tests", "owner", "review", "entity", "response", "lateness", "window", "gap"]);

/** Throws `Refused`. */
export function readHeader(tree: MapTree, file: string, line: number): Header {
  const title = textOf(tree, "title");
  if (title === "") throw new Refused(tree.at, "title", "a title", "add title: what the rule finds");
  const name = textOf(tree, "name");
  const tags = textsOf(tree, "tags");
  const status = wordOf(tree, "status", statuses) as Status | undefined;
  const vedette = readVedette(tree);
  return {
    id: textOf(tree, "id") || slug(title),
    ...(name === "" ? {} : { name }),
    title,
    level: (wordOf(tree, "level", levels) ?? "medium") as Level,
    ...(status === undefined ? {} : { status }),
    tags,
    attack: tags.flatMap((tag) => /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1]?.toUpperCase() ?? []),
    description: textOf(tree, "description"),
    falsepositives: textsOf(tree, "falsepositives"),
    references: textsOf(tree, "references"),
    author: textOf(tree, "author"),
    date: textOf(tree, "date"),
    modified: textOf(tree, "modified"),
    fields: textsOf(tree, "fields"),
    file,
    line,
    ...(vedette === undefined ? {} : { vedette }),
  };
}

function readVedette(document: MapTree): VedetteBlock | undefined {
  const tree = get(document, "vedette");
  if (tree === undefined) return undefined;
  if (tree.kind !== "map") throw new Refused(tree.at, "vedette", "a map", `use the keys ${[...vedetteKeys].join(", ")}`);
  onlyKeys(tree, vedetteKeys, "vedette.");
  return plain(tree) as VedetteBlock;
}

/** Refuses keys beyond the known ones. */
export function onlyKeys(tree: MapTree, known: Iterable<string>, prefix = ""): void {
  const names = [...known];
  for (const { key, keyAt } of tree.entries) {
    if (names.includes(key)) continue;
    const near = nearest(key, names);
    throw new Refused(
      keyAt,
      `${prefix}${key}`,
      `one of ${names.join(", ")}`,
      near === undefined ? "remove the key" : `did you mean ${near}?`,
    );
  }
}

/** A key's value as one of some words, in lower case. */
export function wordOf(tree: MapTree, key: string, known: ReadonlySet<string>): string | undefined {
  const value = get(tree, key);
  return value === undefined ? undefined : oneOf(value, key, known);
}

export function oneOf(value: Tree, key: string, known: ReadonlySet<string>): string {
  const word = value.kind === "scalar" ? String(value.value).toLowerCase() : `a ${value.kind}`;
  if (known.has(word)) return word;
  const near = nearest(word, known);
  throw new Refused(
    value.at,
    `${key}: ${word}`,
    `one of ${[...known].join(", ")}`,
    near === undefined ? "use one of these" : `did you mean ${near}?`,
  );
}

/** A key's value as text; "" where it is absent. */
export function textOf(tree: MapTree, key: string): string {
  const value = get(tree, key);
  if (value === undefined) return "";
  if (value.kind !== "scalar") throw new Refused(value.at, key, "text", "write one line of text");
  return value.value === null ? "" : String(value.value);
}

/** A key's value as a list of texts, one alone being a list too. */
export function textsOf(tree: MapTree, key: string): string[] {
  return scalarsOf(tree, key).flatMap(({ value }) => (value === null ? [] : [String(value)]));
}

/** As `textsOf`, with the places of the values. */
export function scalarsOf(tree: MapTree, key: string): Extract<Tree, { kind: "scalar" }>[] {
  const value = get(tree, key);
  if (value === undefined) return [];
  return (value.kind === "list" ? value.items : [value]).map((item) => {
    if (item.kind !== "scalar") throw new Refused(item.at, key, "a list of texts", "write plain text in the list");
    return item;
  });
}

/** Lower-case letters, digits and hyphens: an id that stays while the title does. */
export function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** The part of our block that decides findings. */
export function deciding(vedette: VedetteBlock | undefined): unknown {
  const { tests: _tests, owner: _owner, review: _review, ...rest } = vedette ?? {};
  return rest;
}

/** 128 bits of SHA-256 over canonical JSON (keys in code unit order), base64url. */
export function contentHash(value: unknown): string {
  return hash("sha256", canonical(value), "buffer").subarray(0, 16).toString("base64url");
}

/** ASCII that JSON writes as it stands, as nearly all of a rule is. */
const asItStands = /^[ !#-[\]-~]*$/;

/** As `JSON.stringify` with its keys in order; every rule is hashed when it is read, and a replacer takes three times as long. */
function canonical(value: unknown): string {
  if (typeof value === "string") return asItStands.test(value) ? `"${value}"` : JSON.stringify(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const record = value as { readonly [key: string]: unknown };
  const keys = Object.keys(record).filter((key) => record[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${canonical(key)}:${canonical(record[key])}`)
    .join(",")}}`;
}
