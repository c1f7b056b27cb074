/** Reads vedette.yaml, environment and flags into one checked configuration; every mistake is named with file, line and the nearest valid key. */
import { existsSync, readFileSync } from "node:fs";
import { ConfigError } from "@vedette/kit";
import { type Document, isMap, isNode, LineCounter, parse, parseDocument } from "yaml";
import { z } from "zod";
import { nearest } from "./nearest.ts";
import { type Config, configSchema, environmentNames } from "./schema.ts";

export interface Loaded {
  readonly config: Config;
  /** Which file was read, if any. */
  readonly file: string | undefined;
  /** Dotted key → where its value comes from (`default` for the rest). */
  readonly origins: ReadonlyMap<string, string>;
  /** For errors found later in a value (a source's own configuration). */
  place(path: readonly PropertyKey[]): string;
}

type Environment = { readonly [name: string]: string | undefined };
type Tree = { [key: string]: unknown };

const maxBytes = 1_048_576;

/** @param overrides dotted key → value, from flags */
export function loadConfig(
  file: string | undefined,
  environment: Environment,
  overrides: { readonly [key: string]: unknown } = {},
): Loaded {
  const used = file ?? environment["VEDETTE_CONFIG"] ?? (existsSync("vedette.yaml") ? "vedette.yaml" : undefined);
  const lines = new LineCounter();
  const document = used === undefined ? undefined : readDocument(used, lines);
  const origins = new Map<string, string>();
  const tree: Tree = document ? ((document.toJS({ maxAliasCount: 100 }) as Tree | null) ?? {}) : {};
  if (typeof tree !== "object" || Array.isArray(tree))
    throw new ConfigError("config_invalid", `${used}:1:1: expected a mapping of keys at the top level`);
  for (const [name, value] of Object.entries({ ...dotEnvironment(), ...environment })) {
    if (value === undefined || value === "") continue;
    const key = environmentNames[name] ?? (name.startsWith("VEDETTE__") ? name.slice(9).toLowerCase().split("__").join(".") : undefined);
    if (key === undefined) continue;
    setAt(tree, key, scalar(key, value));
    origins.set(key, `environment ${name}`);
  }
  for (const [key, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    setAt(tree, key, value);
    origins.set(key, "flag");
  }
  const place = (path: readonly PropertyKey[]): string => {
    const key = path.join(".");
    const set = origins.get(key);
    if (set) return set;
    for (let n = path.length; n >= 0 && document; n--) {
      const node = document.getIn(path.slice(0, n), true);
      const range = isNode(node) ? (keyRange(document, path.slice(0, n)) ?? node.range) : undefined;
      if (!range) continue;
      const { line, col } = lines.linePos(range[0]!);
      return `${used}:${line}:${col}`;
    }
    return used ?? "configuration";
  };
  const parsed = configSchema.safeParse(tree);
  if (!parsed.success)
    throw new ConfigError("config_invalid", parsed.error.issues.flatMap((issue) => describe(issue, place, configSchema)).join("\n"));
  return { config: parsed.data, file: used, origins, place };
}

/** One line an issue: place, key, what was expected, the nearest valid key. */
export function describe(
  issue: z.core.$ZodIssue,
  place: (path: readonly PropertyKey[]) => string,
  schema: z.ZodType,
  prefix: readonly PropertyKey[] = [],
): string[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const hint = near ? `did you mean "${near}"?` : `known keys: ${known.join(", ")}`;
      return `${place([...path, key])}: unknown key "${[...path, key].join(".")}"; ${hint}`;
    });
  }
  return [`${place(path)}: ${path.join(".")}: ${wordsOf(issue)}`];
}

/** What the checker says of a value, in words that need no knowledge of it. */
function wordsOf(issue: z.core.$ZodIssue): string {
  const message = issue.message.replace(/^Invalid (?:input|option): /, "");
  const [, expected] = /^(expected .+), received undefined$/.exec(message) ?? [];
  return expected === undefined ? message : `missing; ${expected}`;
}

/** What people most often get wrong in YAML, by the parser's code, in their words. */
const yamlMistakes: { readonly [code: string]: string } = {
  MULTILINE_IMPLICIT_KEY: "a key without its colon, or a line that is indented too far: expected `key: value`",
  BAD_INDENT: "indented otherwise than the lines it belongs to",
  TAB_AS_INDENT: "indented with a tab; YAML wants spaces",
  MISSING_CHAR: "something is never closed, or a colon is missing",
};

/** The parser says that of a list whose bracket is missing too, at the line after it. */
const yamlWords = ({ code, message }: { readonly code: string; readonly message: string }): string => {
  const [, bracket] = / and end with a ([\]}])/.exec(message) ?? [];
  return bracket === undefined
    ? (yamlMistakes[code] ?? message)
    : `expected ${bracket} before this line: what was opened above is never closed`;
};

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: unknown = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  for (const key of path)
    at = (at as { properties?: Tree; items?: unknown })?.properties?.[String(key)] ?? (at as { items?: unknown })?.items;
  return Object.keys((at as { properties?: object })?.properties ?? {});
}

function readDocument(file: string, lines: LineCounter): Document {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (e) {
    throw new ConfigError(
      "config_unreadable",
      `${file}: ${(e as NodeJS.ErrnoException).code === "ENOENT" ? "no such file" : (e as Error).message}`,
    );
  }
  if (text.length > maxBytes) throw new ConfigError("config_unreadable", `${file}: larger than ${maxBytes} bytes`);
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw new ConfigError("config_unreadable", `${file}:${line}:${col}: ${yamlWords(error)}`);
  }
  return document as unknown as Document;
}

/** A mistake in a mapping's value is best shown at its key. */
function keyRange(document: Document, path: readonly PropertyKey[]): readonly number[] | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find((p) => isNode(p.key) && String((p.key as { value?: unknown }).value) === String(path.at(-1)));
  return isNode(pair?.key) ? (pair.key.range ?? undefined) : undefined;
}

function dotEnvironment(): Environment {
  if (!existsSync(".env")) return {};
  const found: { [name: string]: string } = {};
  for (const line of readFileSync(".env", "utf8").split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(line);
    if (match) found[match[1]!] = match[2]!.trim().replace(/^(["'])(.*)\1$/, "$2");
  }
  return found;
}

/** Keys that hold text keep it; others are read as YAML so that numbers and booleans work. */
function scalar(key: string, value: string): unknown {
  if (/(_key|password|api_key|name|version|host|server|topic|user|db|prefix|data_dir|listen)$/.test(key)) return value;
  try {
    return parse(value) as unknown;
  } catch {
    return value;
  }
}

function setAt(tree: Tree, key: string, value: unknown): void {
  const parts = key.split(".");
  let at = tree;
  for (const part of parts.slice(0, -1)) {
    if (part === "__proto__") return;
    const next = at[part];
    if (typeof next !== "object" || next === null || Array.isArray(next)) at[part] = {};
    at = at[part] as Tree;
  }
  at[parts.at(-1)!] = value;
}
