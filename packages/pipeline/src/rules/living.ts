/** A program's rules as they are judged: parsed, edited copies in the place of their originals, quarantined ones left out. Knows no event. */
import { detectorReferences } from "@vedette/detect";
import {
  type CompileOptions,
  type CorrelationSet,
  compileRules,
  linkCorrelations,
  type ParsedRules,
  type Pipeline,
  parsePipeline,
  parseRules,
  type Refusal,
  type RuleCache,
  type RuleSet,
  type SigmaCorrelation,
  type SigmaFilter,
  type SigmaRule,
} from "@vedette/sigma";
import { type Program, type ProgramFile, stateOf } from "../program.ts";

export interface OwnedRule {
  readonly rule: SigmaRule;
  /** The pack its file came in. */
  readonly pack: string | undefined;
}

export interface OwnedCorrelation {
  readonly correlation: SigmaCorrelation;
  readonly pack: string | undefined;
}

export interface LivingRules {
  readonly rules: readonly SigmaRule[];
  readonly correlations: readonly SigmaCorrelation[];
  readonly filters: readonly SigmaFilter[];
  /** What correlations may take of detectors. */
  readonly detectors?: readonly string[];
  /** Ids of rules and correlations in shadow. */
  readonly shadow: ReadonlySet<string>;
}

type Reader = Pick<RuleCache, "parseRules" | "parsePipeline" | "compileRules">;
const plain: Reader = { parseRules, parsePipeline, compileRules };
let reader = plain;
let keep: (() => void) | undefined;

/**
 * From now on this thread looks there for what it has not read yet; undefined: it reads and maps by itself.
 * @param keeping writes what the cache took up, for the threads that read after this one and for the next start
 */
export function readRulesFrom(cache: Reader | undefined, keeping?: () => void): void {
  reader = cache ?? plain;
  keep = keeping;
}

/** As `compileRules`: each rule is mapped once by whoever reads it first. */
export function compileWhole(rules: readonly SigmaRule[], options: CompileOptions): RuleSet {
  const set = reader.compileRules(rules, options);
  keep?.();
  return set;
}

interface Known {
  readonly text: string;
  readonly words: string;
  readonly parsed: ParsedRules;
}
/**
 * What a file was read as last: from one program to the next few files change, and parts of a program are compiled by themselves; reading YAML
 * is most of what either costs.
 */
const known = new Map<string, Known>();
/** Field mappings as they were read last: every part of a program that is compiled by itself asks for them. */
const knownPipelines = new Map<string, { readonly text: string; readonly pipeline: Pipeline | Refusal }>();

export const pipelinesOf = (files: readonly ProgramFile[]): (Pipeline | Refusal)[] =>
  files.map(({ file, text }) => {
    const before = knownPipelines.get(file);
    if (before?.text === text) return before.pipeline;
    if (knownPipelines.size > maxKnown) knownPipelines.clear();
    const pipeline = reader.parsePipeline(text, file);
    knownPipelines.set(file, { text, pipeline });
    return pipeline;
  });

/** Several times what SigmaHQ has; beyond it all is read afresh. */
const maxKnown = 20_000;

/** Each file's rules and refusals, in order. */
export function parseFiles(files: readonly ProgramFile[], placeholders: Program["placeholders"] = {}): readonly ParsedRules[] {
  if (known.size > maxKnown) known.clear();
  // in one order, as in a program: the words of a file say whether it was read before
  const ordered = Object.fromEntries(Object.entries(placeholders).sort(([a], [b]) => (a < b ? -1 : 1)));
  const words = JSON.stringify(ordered);
  return files.map(({ file, text }) => {
    const before = known.get(file);
    if (before?.text === text && before.words === words) return before.parsed;
    const parsed = reader.parseRules(text, file, { placeholders: ordered });
    known.set(file, { text, words, parsed });
    return parsed;
  });
}

/**
 * Every rule of the files. Where two have the same id, one from disk goes before a pack's and a pack before those after it by name: so a
 * rule that was copied and edited stays edited when its pack is pulled again. Twins of one pack both stay, for the compiler to refuse one.
 */
export function rulesOf({ rules: files, placeholders }: Pick<Program, "rules" | "placeholders">): {
  readonly rules: readonly OwnedRule[];
  readonly correlations: readonly OwnedCorrelation[];
  readonly filters: readonly SigmaFilter[];
  readonly refused: readonly Refusal[];
  readonly notes: readonly string[];
} {
  const ranked = [...files].sort((a, b) => ((a.pack ?? "") < (b.pack ?? "") ? -1 : (a.pack ?? "") > (b.pack ?? "") ? 1 : 0));
  const rules: OwnedRule[] = [];
  const refused: Refusal[] = [];
  const notes: string[] = [];
  const correlations: OwnedCorrelation[] = [];
  const filters: SigmaFilter[] = [];
  const owners = new Map<string, { readonly place: string; readonly pack: string | undefined }>();
  for (const [i, parsed] of parseFiles(ranked, placeholders).entries()) {
    const { pack } = ranked[i]!;
    refused.push(...parsed.refused);
    const used = ({ id, file, line }: { readonly id: string; readonly file: string; readonly line: number }): boolean => {
      const owner = owners.get(id);
      if (owner === undefined) owners.set(id, { place: `${file}:${line}`, pack });
      else if (owner.pack !== pack) notes.push(`${file}:${line}: not used, ${owner.place} has its id ${id}`);
      return owner === undefined || owner.pack === pack;
    };
    for (const rule of parsed.rules) if (used(rule)) rules.push({ rule, pack });
    for (const correlation of parsed.correlations) if (used(correlation)) correlations.push({ correlation, pack });
    for (const filter of parsed.filters) if (used(filter)) filters.push(filter);
  }
  return { rules, correlations, filters, refused, notes };
}

export function livingRules(
  program: Pick<Program, "rules" | "overlay" | "placeholders"> & Partial<Pick<Program, "detectors">>,
): LivingRules {
  const { rules, correlations, filters } = rulesOf(program);
  const shadow = new Set<string>();
  const lives = (id: string, pack: string | undefined): boolean => {
    const state = stateOf(program.overlay, id, pack);
    if (state === "shadow") shadow.add(id);
    return state !== "quarantined";
  };
  return {
    rules: rules.flatMap(({ rule, pack }) => (lives(rule.id, pack) ? [rule] : [])),
    correlations: correlations.flatMap(({ correlation, pack }) => (lives(correlation.id, pack) ? [correlation] : [])),
    filters,
    ...(program.detectors && { detectors: detectorReferences(program.detectors) }),
    shadow,
  };
}

/** The same in pass 1 and pass 2, which is why it does not depend on what the compiler refused. */
export function correlationsOf(living: Omit<LivingRules, "shadow">, files: Program["pipelines"]): CorrelationSet {
  const { rules, correlations, filters, detectors } = living;
  if (correlations.length === 0) return linkCorrelations([], []);
  return linkCorrelations(correlations, rules, {
    filters,
    ...(detectors && { detectors }),
    pipelines: pipelinesOf(files),
  });
}

/** What a correlation is about, and what that is about in turn, by ids; nothing for a rule. */
export function restingOn({ correlations }: CorrelationSet): (id: string) => ReadonlySet<string> {
  const takes = new Map(correlations.map((one) => [one.rule.id, one.takes]));
  return (id) => {
    const found = new Set(takes.get(id));
    // a set takes what is added while it is gone through
    for (const one of found) for (const inner of takes.get(one) ?? []) found.add(inner);
    return found;
  };
}

/** The files of some rules, and all filters with what they name: thousands of rules nobody asked for are neither compiled nor judged. */
export function filesOf(ids: ReadonlySet<string>, program: Program): readonly ProgramFile[] {
  const { rules, correlations, filters } = rulesOf(program);
  // a filter that names a rule which is not there is refused as a whole
  const named = new Set([...ids, ...filters.flatMap(({ rules: of = [] }) => of.map(({ to }) => to))]);
  const all = [...rules.map(({ rule }) => rule), ...correlations.map(({ correlation }) => correlation)];
  const found = all.filter(({ id, name }) => named.has(id) || (name !== undefined && named.has(name)));
  const files = new Set([...found, ...filters].map(({ file }) => file));
  return program.rules.filter(({ file }) => files.has(file));
}
