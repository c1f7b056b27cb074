/** Sigma documents: YAML text in; rules, correlations, filters and refusals out. Knows no field mappings, no events and no files on disk. */
import { writtenOut } from "./collection.ts";
import { readCorrelation, type SigmaCorrelation } from "./correlation.ts";
import { type DetectionBlock, readDetectionBlock } from "./detectionblock.ts";
import { readFilter, type SigmaFilter } from "./filter.ts";
import { contentHash, deciding, type Header, readHeader } from "./header.ts";
import { type Logsource, readLogsource } from "./logsource.ts";
import { type Refusal, Refused, refusal } from "./refusal.ts";
import type { Placeholders } from "./transform.ts";
import { get, type Loaded, type LoadedFile, loadYaml, type MapTree, plain, type Tree } from "./yaml.ts";

/** A rule about single events: `selections` and `condition` are in its own field names. */
export interface SigmaRule extends Header, DetectionBlock {
  readonly logsource: Logsource;
  /** 128 bits of SHA-256 over what decides matches (id, logsource, detection, level, `vedette` less tests, owner and review), base64url. */
  readonly hash: string;
}

export interface ParsedRules {
  readonly rules: SigmaRule[];
  readonly correlations: SigmaCorrelation[];
  readonly filters: SigmaFilter[];
  readonly refused: Refusal[];
}

export interface ParseOptions {
  /** Values for `%name%` under `|expand`; a rule that needs one that is not here is refused by name. */
  readonly placeholders?: Placeholders;
}

const noOthers: ReadonlySet<string> = new Set();

/**
 * Reads every document of a rule file. Never throws: each document becomes a rule, a correlation, a filter or a refusal, none disappears.
 * @param file name for messages; nothing is read from it
 */
export function parseRules(text: string, file: string, options: ParseOptions = {}): ParsedRules {
  const { documents, position } = loadYaml(text);
  const parsed: ParsedRules = { rules: [], correlations: [], filters: [], refused: [] };
  for (const [i, document] of writtenOut(documents).entries()) {
    const trouble = readDocument(document, file, position, options.placeholders ?? {}, parsed);
    if (trouble === undefined) continue;
    const name = "tree" in document ? nameOf(document.tree) : nameIn(text.slice(document.from));
    parsed.refused.push(refusal({ file, ...position(trouble.at), title: name.title ?? name.id ?? `document ${i + 1}`, ...name }, trouble));
  }
  return parsed;
}

/** As `parseRules`, over many files. */
export function parseRuleFiles(files: Iterable<{ readonly file: string; readonly text: string }>, options: ParseOptions = {}): ParsedRules {
  const all: ParsedRules = { rules: [], correlations: [], filters: [], refused: [] };
  for (const { file, text } of files) {
    const parsed = parseRules(text, file, options);
    all.rules.push(...parsed.rules);
    all.correlations.push(...parsed.correlations);
    all.filters.push(...parsed.filters);
    all.refused.push(...parsed.refused);
  }
  return all;
}

function readDocument(
  document: Loaded,
  file: string,
  position: LoadedFile["position"],
  placeholders: Placeholders,
  into: ParsedRules,
): Refused | undefined {
  if ("refused" in document) return document.refused;
  const { tree } = document;
  try {
    if (tree.kind !== "map")
      throw new Refused(tree.at, `a ${tree.kind}`, "a rule: a map with title, logsource and detection", "see the Sigma specification");
    if (get(tree, "correlation") !== undefined) into.correlations.push(readCorrelation(tree, file, position));
    else if (get(tree, "filter") !== undefined) into.filters.push(readFilter(tree, file, position, placeholders));
    else into.rules.push(readRule(tree, file, position(tree.at).line, placeholders));
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error;
    // Deep but legal nesting can exhaust the stack; everything else is a mistake of ours and must be seen.
    if (error instanceof RangeError) return new Refused(tree.at, "nesting", "a shallower document", "flatten the rule");
    throw error;
  }
}

interface Name {
  readonly title?: string;
  readonly id?: string;
}

/** As far as the text shows it, for documents that cannot be read. */
function nameIn(text: string): Name {
  const document = text.replace(/^---[^\n]*\n/, "").split(/^---/m, 1)[0]!;
  return named((key) =>
    new RegExp(`^${key}:[ \\t]*(\\S[^\\n]{0,200})`, "m")
      .exec(document)?.[1]
      ?.trim()
      .replace(/^(['"])(.*)\1$/, "$2"),
  );
}

function nameOf(tree: Tree): Name {
  return named((key) => {
    const value = tree.kind === "map" ? get(tree, key) : undefined;
    return value?.kind === "scalar" && value.value !== null ? String(value.value) : undefined;
  });
}

function named(value: (key: string) => string | undefined): Name {
  const [title, id] = [value("title"), value("id")];
  return { ...(title === undefined ? {} : { title }), ...(id === undefined ? {} : { id }) };
}

function readRule(tree: MapTree, file: string, line: number, placeholders: Placeholders): SigmaRule {
  const header = readHeader(tree, file, line);
  const detection = get(tree, "detection");
  if (detection?.kind !== "map")
    throw new Refused(
      detection?.at ?? tree.at,
      "detection",
      "a map of selections and a condition",
      "add detection: {selection: {...}, condition: selection}",
    );
  const block = readDetectionBlock(detection, noOthers, placeholders);
  const logsource = readLogsource(tree);
  const hash = contentHash([header.id, logsource, header.level, plain(detection), deciding(header.vedette)]);
  return { ...header, logsource, hash, ...block };
}
