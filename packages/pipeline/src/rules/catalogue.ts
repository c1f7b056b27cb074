/** What a program's rule files come to: every rule with its state, every refusal, the compiled set. Knows no event and no history. */
import { detectorReferences } from "@vedette/detect";
import type { DecidedState, Decision } from "@vedette/model";
import { formatRefusal, linkCorrelations, type Refusal, type RuleSet, type SigmaCorrelation, type SigmaRule } from "@vedette/sigma";
import { own, type Program, stateOf } from "../program.ts";
import { compileWhole, correlationsOf, livingRules, pipelinesOf, restingOn, rulesOf } from "./living.ts";

export interface CatalogueEntry {
  readonly rule: SigmaRule | SigmaCorrelation;
  /** Of its content, as its findings carry it: a correlation's counts the rules it takes in. */
  readonly hash: string;
  readonly pack: string | undefined;
  readonly state: DecidedState;
  /** Who decided its state; undefined for rules that are on because the configuration names them. */
  readonly decision: Decision | undefined;
  /** A rule's number in the compiled set; a correlation has none. */
  readonly number?: number;
  /** Ids of what a correlation takes. */
  readonly takes?: readonly string[];
}

export interface Catalogue {
  /** Rules and correlations by id. */
  readonly entries: ReadonlyMap<string, CatalogueEntry>;
  readonly refused: readonly Refusal[];
  /** Rules that another with the same id stands in for. */
  readonly notes: readonly string[];
  readonly set: RuleSet;
  /** Ids of what raises no findings of its own, only feeding correlations that are judged. */
  readonly silent: ReadonlySet<string>;
  /** Ids of the rules and correlations that a correlation rests on, through others too. */
  readonly resting: (id: string) => ReadonlySet<string>;
}

type Parts = Pick<Program, "rules" | "pipelines" | "overlay" | "placeholders"> & Partial<Pick<Program, "detectors">>;

/** Quarantined rules are in it too: they load, and somebody may turn them on. */
export function catalogueOf(program: Parts): Catalogue {
  const { rules, correlations, filters, refused, notes } = rulesOf(program);
  const packs = new Map([
    ...rules.map(({ rule, pack }) => [rule.id, pack] as const),
    ...correlations.map(({ correlation, pack }) => [correlation.id, pack] as const),
  ]);
  const pipelines = pipelinesOf(program.pipelines);
  const plain = rules.map(({ rule }) => rule);
  const set = compileWhole(plain, { pipelines, filters });
  const linked = linkCorrelations(
    correlations.map(({ correlation }) => correlation),
    plain,
    { pipelines, filters, ...(program.detectors && { detectors: detectorReferences(program.detectors) }) },
  );
  const decided = (id: string): Pick<CatalogueEntry, "pack" | "state" | "decision"> => {
    const pack = packs.get(id);
    const { overlay } = program;
    const decision = own(overlay.rules, id) ?? (pack === undefined ? undefined : own(overlay.packs, pack));
    return { pack, state: stateOf(overlay, id, pack), decision };
  };
  const entries = new Map<string, CatalogueEntry>();
  for (const [number, rule] of set.rules.entries()) entries.set(rule.id, { rule, hash: rule.hash, number, ...decided(rule.id) });
  for (const { rule, hash, takes } of linked.correlations) entries.set(rule.id, { rule, hash, takes, ...decided(rule.id) });
  return {
    entries,
    refused: [...refused, ...set.refused, ...linked.refused],
    notes,
    set,
    silent: correlationsOf(livingRules(program), program.pipelines).silent,
    resting: restingOn(linked),
  };
}

/** A rule on single events, not a correlation. */
export const isPlain = (rule: CatalogueEntry["rule"]): rule is SigmaRule => "logsource" in rule;

export const refusalLines = ({ refused }: Catalogue): string[] => refused.map(formatRefusal);
