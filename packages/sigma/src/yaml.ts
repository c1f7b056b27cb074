/** Bounded reading of YAML documents into a small located tree; knows nothing of rules. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import { readQuickly } from "./quickyaml.ts";
import { Refused } from "./refusal.ts";
import type { Entry, MapTree, ScalarTree, Tree } from "./yamltree.ts";

export type { Entry, MapTree, ScalarTree, Tree } from "./yamltree.ts";

/** The largest rule of SigmaHQ has 31 kB; a file of several documents stays well under 1 MiB. */
const maxText = 1 << 20;
/** The largest rule of SigmaHQ has under 1,000 nodes; aliases are counted each time they are used, so an alias bomb ends here. */
const maxNodes = 50_000;
/** A rule needs 6 levels; `vedette.tests` carries events of up to 8 more. */
const maxDepth = 32;

/** One document of a file: its tree, or why it has none. */
export type Loaded = { readonly tree: Tree; readonly from: number } | { readonly refused: Refused; readonly from: number };

export interface LoadedFile {
  readonly documents: readonly Loaded[];
  /** Line and column, both from 1, of an offset. */
  position(offset: number): { line: number; column: number };
}

/** Reads every document of a YAML file. Never throws; empty documents are left out. */
export function loadYaml(text: string): LoadedFile {
  const trees = text.length <= maxText ? readQuickly(text) : undefined;
  if (trees === undefined) return loadYamlFully(text);
  return { documents: trees.map((tree) => ({ tree, from: tree.at })), position: (offset) => placeOf(text, offset) };
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

/** As `loadYaml`, by the reader of all of YAML. */
export function loadYamlFully(text: string): LoadedFile {
  const lines = new LineCounter();
  const position = (offset: number) => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  if (text.length > maxText) {
    const refused = new Refused(0, `a file of ${text.length} characters`, `at most ${maxText}`, "put one rule in a file");
    return { documents: [{ refused, from: 0 }], position };
  }
  const documents: Loaded[] = [];
  try {
    if (deepFlow(text)) throw new RangeError("nesting");
    const parsed = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false, logLevel: "silent" });
    for (const document of Array.isArray(parsed) ? parsed : []) {
      const from = document.range?.[0] ?? 0;
      const loaded = loadDocument(document, text, from);
      if (loaded !== undefined) documents.push(loaded);
    }
  } catch (error) {
    const what = error instanceof RangeError ? "nesting too deep to read" : "YAML that cannot be read";
    documents.push({ refused: new Refused(0, what, `at most ${maxDepth} levels`, "flatten the document"), from: 0 });
  }
  return { documents, position };
}

/** The YAML reader recurses on flow collections; more brackets open at once than any document needs would overflow its stack. */
function deepFlow(text: string): boolean {
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x5b || c === 0x7b) open++;
    else if ((c === 0x5d || c === 0x7d) && open > 0) open--;
    else if (c === 0x0a && text.startsWith("---", i + 1)) open = 0;
    // Brackets within strings count too, hence a limit far above what a document nests but far below the stack's.
    if (open > 2_000) return true;
  }
  return false;
}

function loadDocument(document: Document, text: string, from: number): Loaded | undefined {
  const error = document.errors[0];
  if (error !== undefined) return { refused: yamlError(error.code, error.message, error.pos[0], text), from };
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return undefined;
  try {
    return { tree: new Walk(document).tree(document.contents, 0), from };
  } catch (error) {
    if (error instanceof Refused) return { refused: error, from };
    throw error;
  }
}

function yamlError(code: string, message: string, at: number, text: string): Refused {
  const end = text.indexOf("\n", at);
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, end < 0 ? undefined : end).trim();
  if (code === "DUPLICATE_KEY")
    return new Refused(at, `duplicate key in "${line}"`, "each key once", "merge the two values into a list, or rename one");
  return new Refused(at, `YAML: ${message.split("\n")[0]}`, "valid YAML", "quote the value, or check the indentation");
}

/** Walks one document's nodes, counting them. */
class Walk {
  readonly #document: Document;
  #nodes = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  tree(node: unknown, depth: number): Tree {
    if (++this.#nodes > maxNodes)
      throw new Refused(
        offsetOf(node),
        "a document that grows without end",
        `at most ${maxNodes} values, aliases counted where used`,
        "write fewer values or split the rule",
      );
    if (depth > maxDepth) throw new Refused(offsetOf(node), "deep nesting", `at most ${maxDepth} levels`, "flatten the document");
    const at = offsetOf(node);
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined)
        throw new Refused(at, `alias *${node.source}`, "an anchor defined before it", `define &${node.source} first`);
      return this.tree(target, depth + 1);
    }
    if (isMap(node)) return { kind: "map", at, entries: node.items.map((pair) => this.#entry(pair, depth)) };
    if (isSeq(node)) return { kind: "list", at, items: node.items.map((item) => this.tree(item, depth + 1)) };
    if (isScalar(node)) return this.#scalar(node.value, node.source, at);
    return { kind: "scalar", value: null, source: "", at };
  }

  #entry(pair: { key: unknown; value: unknown }, depth: number): Entry {
    const keyAt = offsetOf(pair.key);
    if (!isScalar(pair.key)) throw new Refused(keyAt, "a key that is not text", "text as key", "write the key as plain text");
    return { key: String(pair.key.value ?? ""), keyAt, value: this.tree(pair.value, depth + 1) };
  }

  #scalar(value: unknown, source: string | undefined, at: number): ScalarTree {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null) {
      return { kind: "scalar", value, source: source ?? String(value), at };
    }
    return { kind: "scalar", value: String(value), source: source ?? String(value), at };
  }
}

function offsetOf(node: unknown): number {
  return (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
}

/** The tree as plain data, with null-prototype records. */
export function plain(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(plain);
  const record: Record<string, unknown> = Object.create(null);
  for (const { key, value } of tree.entries) record[key] = plain(value);
  return record;
}

/** A map's value for one key. */
export function get(tree: MapTree, key: string): Tree | undefined {
  return tree.entries.find((e) => e.key === key)?.value;
}
