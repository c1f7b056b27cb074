/** Everything besides the data that changes an answer, as one versioned document of the control topic. Stored format, docs/format/raw.md. */
import { contentHash } from "@vedette/kit";
import type { DecidedState, Micros, RuleChange, RuleOverlay, TableRef } from "@vedette/model";
import type { Placeholders } from "@vedette/sigma";

export interface ProgramFile {
  readonly file: string;
  readonly text: string;
  /** The pack it came in; absent for files that the configuration names. */
  readonly pack?: string;
}

/** Rules with their states, field mappings and detector settings: what an event is judged by. */
export interface Program {
  readonly kind: "program";
  /** Of all that can change a judgement; who decided it is not part of it. */
  readonly hash: string;
  /** When it took effect, in receive time. */
  readonly effective: Micros;
  readonly rules: readonly ProgramFile[];
  readonly pipelines: readonly ProgramFile[];
  /** Detector name → its configuration, or false to turn it off. */
  readonly detectors: { readonly [name: string]: unknown };
  readonly lateness_s: number;
  /** What `%name%` stands for in rules with `|expand`; absent in programs that know none. */
  readonly placeholders?: Placeholders;
  /** Enricher name → its configuration, or false; absent or empty: events stay as they were decoded. */
  readonly enrich?: { readonly [name: string]: unknown };
  /** What the user's pipelines do to events before rules see them; in the order of their names. */
  readonly event_pipelines?: readonly ProgramFile[];
  /** Which key pseudonyms are made with: another gives other ones. */
  readonly pseudonym_key?: string;
  /** By enricher: what it looks things up in, by content hash. */
  readonly tables?: { readonly [name: string]: TableRef };
  readonly overlay: RuleOverlay;
  readonly change?: RuleChange;
}

export type ProgramParts = Omit<Program, "kind" | "hash" | "effective" | "overlay"> & { readonly overlay?: RuleOverlay };

export const noOverlay: RuleOverlay = { packs: {}, rules: {} };

export function makeProgram(parts: ProgramParts, effective: Micros): Program {
  const sorted = {
    rules: parts.rules.map(plain).sort(byFile),
    pipelines: parts.pipelines.map(plain).sort(byFile),
    detectors: Object.fromEntries(entries(parts.detectors)),
    lateness_s: parts.lateness_s,
    ...(Object.keys(parts.placeholders ?? {}).length === 0 ? {} : { placeholders: Object.fromEntries(entries(parts.placeholders!)) }),
    ...(Object.keys(parts.enrich ?? {}).length === 0 ? {} : { enrich: Object.fromEntries(entries(parts.enrich!)) }),
    ...((parts.event_pipelines ?? []).length === 0 ? {} : { event_pipelines: parts.event_pipelines!.map(plain).sort(byFile) }),
    ...(parts.pseudonym_key === undefined ? {} : { pseudonym_key: parts.pseudonym_key }),
  };
  const tables = Object.keys(parts.tables ?? {}).length === 0 ? {} : { tables: Object.fromEntries(entries(parts.tables!)) };
  const contents = entries(parts.tables ?? {}).map(([name, { hash }]) => [name, hash]);
  const overlay = parts.overlay ?? noOverlay;
  const states = statesOf(overlay);
  const hash = contentHash(JSON.stringify(contents.length === 0 ? [sorted, states] : [sorted, states, contents]));
  return {
    kind: "program",
    hash,
    effective,
    ...sorted,
    ...tables,
    overlay,
    ...(parts.change === undefined ? {} : { change: parts.change }),
  };
}

/** Who decided on rules, and why, is no part of it. */
const statesOf = (overlay: RuleOverlay) => ({
  packs: entries(overlay.packs).map(([name, { state }]) => [name, state]),
  rules: entries(overlay.rules).map(([id, { state }]) => [id, state]),
});

/** Whether two programs have the same rules in the same states. */
export const sameRules = (a: Program, b: Program): boolean =>
  sameFiles(a.rules, b.rules) && JSON.stringify(statesOf(a.overlay)) === JSON.stringify(statesOf(b.overlay));

/** Whether two programs judge events alike, whatever they do to them before. */
export function sameJudges(a: Program, b: Program): boolean {
  const rest = ({ detectors, lateness_s, placeholders = {} }: Program) => JSON.stringify([detectors, lateness_s, placeholders]);
  return rest(a) === rest(b) && sameFiles(a.pipelines, b.pipelines) && sameRules(a, b);
}

/** Both in the order that `makeProgram` gives them. */
const sameFiles = (a: readonly ProgramFile[], b: readonly ProgramFile[]): boolean =>
  a.length === b.length && a.every(({ file, text, pack }, i) => file === b[i]!.file && text === b[i]!.text && pack === b[i]!.pack);

/** A rule's own decision, else its pack's, else on: what the configuration names is meant to run. */
export function stateOf(overlay: RuleOverlay, id: string, pack: string | undefined): DecidedState {
  return (own(overlay.rules, id) ?? (pack === undefined ? undefined : own(overlay.packs, pack)))?.state ?? "enabled";
}

/** Ids and names come from rule files: `constructor` must not be found where nobody put it. */
export const own = <T>(record: { readonly [key: string]: T }, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** Keys in one order: the hash is over the text. */
const plain = ({ file, text, pack }: ProgramFile): ProgramFile => (pack === undefined ? { file, text } : { file, text, pack });
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byFile = (a: ProgramFile, b: ProgramFile) => byName(a.file, b.file) || byName(a.text, b.text);
const entries = <T>(record: { readonly [key: string]: T }) => Object.entries(record).sort(([a], [b]) => byName(a, b));
