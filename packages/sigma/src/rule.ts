/** Sigma rule documents: YAML text in, rules and refusals out. Knows no field mappings, no events and no files on disk. */
import { createHash } from "node:crypto";
import type { Condition } from "@vedette/condition";
import { join, readSelection } from "./detection.ts";
import { parseExpression } from "./expression.ts";
import { nearest, type Refusal, Refused, refusal } from "./refusal.ts";
import type { Placeholders } from "./transform.ts";
import { get, type Loaded, loadYaml, type MapTree, plain, type Tree } from "./yaml.ts";

export type Level = "informational" | "low" | "medium" | "high" | "critical";
export type Status = "stable" | "test" | "experimental" | "deprecated" | "unsupported";

/** Which events a rule is about, in Sigma's own words; pipelines turn it into conditions on fields. */
export interface Logsource {
  readonly category?: string;
  readonly product?: string;
  readonly service?: string;
}

/** A selection under its name, the very object that stands in the rule's condition. */
export interface NamedSelection {
  readonly name: string;
  readonly condition: Condition;
}

/** Our own block of a rule file: what the platform needs beside the detection. Its keys are checked here, their contents by who uses them. */
export interface VedetteBlock {
  readonly tests?: unknown;
  readonly owner?: unknown;
  readonly review?: unknown;
  readonly entity?: unknown;
  readonly response?: unknown;
  readonly lateness?: unknown;
  readonly window?: unknown;
}

export interface SigmaRule {
  /** The rule's `id`; without one, derived from its title. */
  readonly id: string;
  readonly title: string;
  /** `medium` where the rule names none. */
  readonly level: Level;
  readonly status?: Status;
  readonly logsource: Logsource;
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
  /** 128 bits of SHA-256 over what decides matches (id, logsource, detection, level, `vedette` less tests, owner and review), base64url. */
  readonly hash: string;
  readonly file: string;
  /** Line of the rule's document in its file, from 1. */
  readonly line: number;
  readonly vedette?: VedetteBlock;
  readonly selections: readonly NamedSelection[];
  /** The whole detection in the rule's own field names. */
  readonly condition: Condition;
}

export interface ParsedRules {
  readonly rules: SigmaRule[];
  readonly refused: Refusal[];
}

export interface ParseOptions {
  /** Values for `%name%` under `|expand`; a rule that needs one that is not here is refused by name. */
  readonly placeholders?: Placeholders;
}

const levels: ReadonlySet<string> = new Set(["informational", "low", "medium", "high", "critical"]);
const statuses: ReadonlySet<string> = new Set(["stable", "test", "experimental", "deprecated", "unsupported"]);
const vedetteKeys: ReadonlySet<string> = new Set(["tests", "owner", "review", "entity", "response", "lateness", "window"]);
/** Keys of `detection` that are no selections. */
const detectionKeys: ReadonlySet<string> = new Set(["condition", "timeframe"]);

/**
 * Reads every document of a rule file. Never throws: each document becomes a rule or a refusal, none disappears.
 * @param file name for messages; nothing is read from it
 */
export function parseRules(text: string, file: string, options: ParseOptions = {}): ParsedRules {
  const { documents, position } = loadYaml(text);
  const rules: SigmaRule[] = [];
  const refused: Refusal[] = [];
  const refuse = (reason: Refused, from: number, number: number): void => {
    const name = nameIn(text.slice(from), `document ${number}`);
    refused.push(refusal({ file, ...position(reason.at), ...name }, reason));
  };
  for (const [i, document] of documents.entries()) {
    const read = readDocument(document, file, position, options.placeholders ?? {});
    if (read instanceof Refused) refuse(read, document.from, i + 1);
    else rules.push(read);
  }
  return { rules, refused };
}

function readDocument(
  document: Loaded,
  file: string,
  position: (offset: number) => { line: number },
  placeholders: Placeholders,
): SigmaRule | Refused {
  if ("refused" in document) return document.refused;
  try {
    if (document.tree.kind !== "map")
      throw new Refused(
        document.tree.at,
        `a ${document.tree.kind}`,
        "a rule: a map with title, logsource and detection",
        "see the Sigma specification",
      );
    return new RuleReader(document.tree, placeholders).rule(file, position(document.tree.at).line);
  } catch (error) {
    if (error instanceof Refused) return error;
    // Deep but legal nesting can exhaust the stack; everything else is a mistake of ours and must be seen.
    if (error instanceof RangeError) return new Refused(document.tree.at, "nesting", "a shallower document", "flatten the rule");
    throw error;
  }
}

/** Title and id as far as the text shows them, for documents that cannot be read. */
function nameIn(text: string, otherwise: string): { title: string; id?: string } {
  const document = text.replace(/^---[^\n]*\n/, "").split(/^---/m, 1)[0]!;
  const value = (key: string) =>
    new RegExp(`^${key}:[ \\t]*(\\S[^\\n]{0,200})`, "m")
      .exec(document)?.[1]
      ?.trim()
      .replace(/^(['"])(.*)\1$/, "$2");
  const id = value("id");
  return { title: value("title") ?? id ?? otherwise, ...(id === undefined ? {} : { id }) };
}

class RuleReader {
  readonly #tree: MapTree;
  readonly #placeholders: Placeholders;

  constructor(tree: MapTree, placeholders: Placeholders) {
    this.#tree = tree;
    this.#placeholders = placeholders;
  }

  rule(file: string, line: number): SigmaRule {
    this.#refuseOtherKinds();
    const title = this.#text("title");
    if (title === "") throw new Refused(this.#tree.at, "title", "a title", "add title: what the rule finds");
    const selections = this.#selections();
    const tags = this.#texts("tags");
    const status = this.#word("status", statuses) as Status | undefined;
    const vedette = this.#vedette();
    const id = this.#text("id") || slug(title);
    const logsource = this.#logsource();
    const level = (this.#word("level", levels) ?? "medium") as Level;
    return {
      id,
      title,
      level,
      ...(status === undefined ? {} : { status }),
      logsource,
      tags,
      attack: tags.flatMap((tag) => /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1]?.toUpperCase() ?? []),
      description: this.#text("description"),
      falsepositives: this.#texts("falsepositives"),
      references: this.#texts("references"),
      author: this.#text("author"),
      date: this.#text("date"),
      modified: this.#text("modified"),
      fields: this.#texts("fields"),
      hash: contentHash([id, logsource, level, plain(get(this.#tree, "detection")!), deciding(vedette)]),
      file,
      line,
      ...(vedette === undefined ? {} : { vedette }),
      selections: [...selections].map(([name, condition]) => ({ name, condition })),
      condition: this.#condition(selections),
    };
  }

  /** Correlations, filters and Sigma's old global documents are no single-event rules. */
  #refuseOtherKinds(): void {
    for (const { key, keyAt } of this.#tree.entries) {
      if (key === "correlation")
        throw new Refused(
          keyAt,
          "correlation",
          "a rule with detection (a correlation needs the correlation engine)",
          "use a keyed detector for counting over time",
        );
      if (key === "filter")
        throw new Refused(
          keyAt,
          "filter",
          "a rule with detection (a filter needs the correlation engine)",
          "write the exception into the rule, or suppress its alerts",
        );
      if (key === "action")
        throw new Refused(keyAt, "action", "documents that stand alone", "repeat the shared keys in each document of the file");
    }
  }

  #selections(): Map<string, Condition> {
    const detection = get(this.#tree, "detection");
    if (detection?.kind !== "map")
      throw new Refused(
        detection?.at ?? this.#tree.at,
        "detection",
        "a map of selections and a condition",
        "add detection: {selection: {...}, condition: selection}",
      );
    const selections = new Map<string, Condition>();
    for (const { key, keyAt, value } of detection.entries) {
      if (key === "timeframe")
        throw new Refused(keyAt, "timeframe", "a condition on single events", "write a correlation rule (needs the correlation engine)");
      if (!detectionKeys.has(key)) selections.set(key, readSelection(key, value, this.#placeholders));
    }
    if (selections.size === 0) throw new Refused(detection.at, "detection", "at least one selection", "add selection: {field: value}");
    return selections;
  }

  #condition(selections: ReadonlyMap<string, Condition>): Condition {
    const detection = get(this.#tree, "detection") as MapTree;
    const condition = get(detection, "condition");
    if (condition === undefined) throw new Refused(detection.at, "detection", "a condition", "add condition: selection");
    const trees: readonly Tree[] = condition.kind === "list" ? condition.items : [condition];
    if (trees.length === 0) throw new Refused(condition.at, "condition: []", "an expression", "write condition: selection");
    return join(
      "or",
      trees.map((tree) => this.#expression(tree, selections)),
    );
  }

  #expression(tree: Tree, selections: ReadonlyMap<string, Condition>): Condition {
    if (tree.kind !== "scalar" || typeof tree.value !== "string")
      throw new Refused(tree.at, "condition", "an expression as text", "write condition: selection");
    const read = parseExpression(tree.value, selections);
    if (!("construct" in read)) return read;
    // Within a plain one-line scalar the text stands as it is in the file; elsewhere the value's start is near enough.
    const inside = tree.source === tree.value && !tree.value.includes("\n") ? read.offset : 0;
    throw new Refused(tree.at + inside, read.construct, read.expected, read.suggestion);
  }

  #logsource(): Logsource {
    const tree = get(this.#tree, "logsource");
    if (tree?.kind !== "map")
      throw new Refused(
        tree?.at ?? this.#tree.at,
        "logsource",
        "a map of category, product and service",
        "add logsource: {product: linux, service: sshd}",
      );
    const logsource: { category?: string; product?: string; service?: string } = {};
    for (const { key, value } of tree.entries) {
      if (key !== "category" && key !== "product" && key !== "service") continue;
      if (value.kind !== "scalar" || typeof value.value !== "string")
        throw new Refused(value.at, `logsource.${key}`, "text", "write one word");
      logsource[key] = value.value.toLowerCase();
    }
    if (Object.keys(logsource).length === 0)
      throw new Refused(tree.at, "logsource", "category, product or service", "name at least one of the three");
    return logsource;
  }

  #vedette(): VedetteBlock | undefined {
    const tree = get(this.#tree, "vedette");
    if (tree === undefined) return undefined;
    if (tree.kind !== "map") throw new Refused(tree.at, "vedette", "a map", `use the keys ${[...vedetteKeys].join(", ")}`);
    for (const { key, keyAt } of tree.entries) {
      if (vedetteKeys.has(key)) continue;
      const near = nearest(key, vedetteKeys);
      throw new Refused(
        keyAt,
        `vedette.${key}`,
        `one of ${[...vedetteKeys].join(", ")}`,
        near === undefined ? "remove the key" : `did you mean ${near}?`,
      );
    }
    return plain(tree) as VedetteBlock;
  }

  #word(key: string, known: ReadonlySet<string>): string | undefined {
    const tree = get(this.#tree, key);
    if (tree === undefined) return undefined;
    const word = tree.kind === "scalar" ? String(tree.value).toLowerCase() : "";
    if (known.has(word)) return word;
    const near = nearest(word, known);
    throw new Refused(
      tree.at,
      `${key}: ${word}`,
      `one of ${[...known].join(", ")}`,
      near === undefined ? "use one of these" : `did you mean ${near}?`,
    );
  }

  #text(key: string): string {
    const tree = get(this.#tree, key);
    if (tree === undefined) return "";
    if (tree.kind !== "scalar") throw new Refused(tree.at, key, "text", "write one line of text");
    return tree.value === null ? "" : String(tree.value);
  }

  #texts(key: string): string[] {
    const tree = get(this.#tree, key);
    if (tree === undefined) return [];
    const items = tree.kind === "list" ? tree.items : [tree];
    return items.flatMap((item) => {
      if (item.kind !== "scalar") throw new Refused(item.at, key, "a list of texts", "write plain text in the list");
      return item.value === null ? [] : [String(item.value)];
    });
  }
}

/** Lower-case letters, digits and hyphens: an id that stays while the title does. */
function slug(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

function deciding(vedette: VedetteBlock | undefined): unknown {
  const { tests: _tests, owner: _owner, review: _review, ...rest } = vedette ?? {};
  return rest;
}

/** 128 bits of SHA-256 over canonical JSON (keys in code unit order), base64url. */
export function contentHash(value: unknown): string {
  const canonical = JSON.stringify(value, (_key, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
  return createHash("sha256").update(canonical).digest().subarray(0, 16).toString("base64url");
}
