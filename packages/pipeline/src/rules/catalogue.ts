/** What a program's rule files come to: every rule with its state, every refusal, the compiled set. Knows no event and no history. */
import type { DecidedState, Decision } from "@vedette/model";
import { compileRules, formatRefusal, type Pipeline, parsePipeline, type Refusal, type RuleSet, type SigmaRule } from "@vedette/sigma";
import { own, type Program, type ProgramFile, stateOf } from "../program.ts";
import { rulesOf } from "./living.ts";

export interface CatalogueEntry {
  readonly rule: SigmaRule;
  readonly pack: string | undefined;
  readonly state: DecidedState;
  /** Who decided its state; undefined for rules that are on because the configuration names them. */
  readonly decision: Decision | undefined;
  /** Its number in the compiled set. */
  readonly number: number;
}

export interface Catalogue {
  readonly entries: ReadonlyMap<string, CatalogueEntry>;
  readonly refused: readonly Refusal[];
  /** Rules that another with the same id stands in for. */
  readonly notes: readonly string[];
  readonly set: RuleSet;
}

type Parts = Pick<Program, "rules" | "pipelines" | "overlay">;

/** Quarantined rules are in it too: they load, and somebody may turn them on. */
export function catalogueOf({ rules: files, pipelines, overlay }: Parts): Catalogue {
  const { rules, refused, notes } = rulesOf(files);
  const packs = new Map(rules.map(({ rule, pack }) => [rule, pack]));
  const set = compileRules([...packs.keys()], { pipelines: pipelinesOf(pipelines) });
  const entries = new Map<string, CatalogueEntry>();
  for (const [number, rule] of set.rules.entries()) {
    const pack = packs.get(rule);
    const decision = own(overlay.rules, rule.id) ?? (pack === undefined ? undefined : own(overlay.packs, pack));
    entries.set(rule.id, { rule, pack, state: stateOf(overlay, rule.id, pack), decision, number });
  }
  return { entries, refused: [...refused, ...set.refused], notes, set };
}

export const pipelinesOf = (files: readonly ProgramFile[]): (Pipeline | Refusal)[] =>
  files.map(({ file, text }) => parsePipeline(text, file));

export const refusalLines = ({ refused }: Catalogue): string[] => refused.map(formatRefusal);
