/** The rules as people see them: state, decision, counts, cost, and which ones on trial are ready to be enabled. Decides nothing. */
import type { Decision, RuleLine } from "@vedette/model";
import { formatRefusal } from "@vedette/sigma";
import type { Version } from "../control.ts";
import { own } from "../program.ts";
import type { Catalogue, CatalogueEntry } from "./catalogue.ts";
import type { Trials } from "./trial.ts";

export interface Counts {
  readonly rules: ReadonlyMap<string, readonly [seen: number, matched: number]>;
  readonly capped: ReadonlyMap<string, number>;
}

/** What a promotion is held to. */
export interface Promotion {
  /** Alerts. */
  readonly budget_per_day: number;
  /** Was this content of a rule seen to fire? */
  readonly proved: (id: string, hash: string) => boolean;
}

/** A week of event time says how loud a rule is on working days and on the others. */
const trialDays = 7;

/** @param unknownFields of a rule, those that no event is known to carry */
export function ruleLines(
  catalogue: Catalogue,
  counts: Counts,
  trials: Trials,
  promotion: Promotion,
  unknownFields: (entry: CatalogueEntry) => readonly string[],
): RuleLine[] {
  const loaded = [...catalogue.entries.values()].map((entry): RuleLine => {
    const { rule, state, decision, pack } = entry;
    const reason = reasonOf(entry, catalogue);
    const [seen, matched] = countsOf(entry, counts);
    const unknown = unknownFields(entry);
    return {
      id: rule.id,
      title: rule.title,
      level: rule.level,
      status: rule.status ?? "",
      author: rule.author,
      state,
      file: `${rule.file}:${rule.line}`,
      ...(pack === undefined ? {} : { pack }),
      ...(reason === undefined ? {} : { reason }),
      attack: rule.attack,
      seen,
      matched,
      capped: counts.capped.get(rule.id) ?? 0,
      skipped: {},
      cost_ms: Math.round(trials.cost(rule.id).estimated_ms * 10) / 10,
      ...(decision === undefined ? {} : { decision: decisionOf(entry) }),
      ...(unknown.length === 0 ? {} : { unknown_fields: unknown }),
      ...(state === "shadow" ? { missing: missingFor(entry, catalogue, trials, promotion) } : {}),
    };
  });
  const refused = catalogue.refused.map(
    (r): RuleLine => ({
      id: r.id ?? "",
      title: r.title,
      level: "",
      status: "",
      author: "",
      state: "refused",
      file: `${r.file}:${r.line}`,
      reason: formatRefusal(r),
      attack: [],
      seen: 0,
      matched: 0,
      capped: 0,
      skipped: {},
      cost_ms: 0,
    }),
  );
  return [...loaded, ...refused];
}

/** A correlation looks at no event itself: it sees what its rules match, and how often it holds is told by its findings. */
function countsOf({ rule, takes }: CatalogueEntry, counts: Counts): readonly [seen: number, matched: number] {
  if (takes === undefined) return counts.rules.get(rule.id) ?? [0, 0];
  return [takes.reduce((n, id) => n + (counts.rules.get(id)?.[1] ?? 0), 0), 0];
}

function reasonOf({ state, decision, takes }: CatalogueEntry, { entries }: Catalogue): string | undefined {
  if (state === "quarantined") return decision?.reason;
  const missing = takes?.map((id) => entries.get(id)).find((taken) => taken?.state === "quarantined");
  return missing === undefined ? undefined : `not judged: it takes ${missing.rule.title}, which is quarantined`;
}

function decisionOf({ decision, rule }: CatalogueEntry): NonNullable<RuleLine["decision"]> {
  const { by, at, reason, owner, review } = decision!;
  // decisions keep a correlation's own content, not that of the rules it takes
  const changed = "hash" in decision! && decision.hash !== rule.hash;
  return { by, at, reason, ...(owner === undefined ? {} : { owner }), ...(review === undefined ? {} : { review }), changed };
}

/** What stands between a rule on trial and a proposal to enable it. */
function missingFor(
  { rule, hash }: CatalogueEntry,
  { silent }: Catalogue,
  trials: Trials,
  { budget_per_day, proved }: Promotion,
): string[] {
  if (silent.has(rule.id)) return ["raises nothing by itself; it is enabled with the correlation that takes it"];
  const week = trials.week(rule.id);
  const missing: string[] = [];
  if (rule.level !== "high" && rule.level !== "critical") missing.push(`level ${rule.level}; proposed from high on`);
  if (rule.status !== "test" && rule.status !== "stable") missing.push(`status ${rule.status ?? "none"}; proposed with test or stable`);
  if (week.seen === 0) missing.push("no event that it looks at has come in");
  if (!proved(rule.id, hash)) missing.push("not proved able to fire; vedette rule prove says why");
  if (week.days < trialDays) missing.push(`${week.days} of ${trialDays} days of events`);
  if (week.alerts > budget_per_day * trialDays)
    missing.push(`${week.alerts} alerts in ${week.days} days (${week.matched} matches); the budget is ${budget_per_day} a day`);
  return missing;
}

/** Every decision that was taken on a rule, newest first: its own and its packs'. */
export function historyOf(id: string, pack: string | undefined, versions: readonly Version[]) {
  const history: (Decision & { readonly version: number; readonly what: string })[] = [];
  let before: unknown;
  for (const { number, program } of versions) {
    const decision = own(program.overlay.rules, id) ?? (pack === undefined ? undefined : own(program.overlay.packs, pack));
    if (decision === undefined || JSON.stringify(decision) === before) continue;
    before = JSON.stringify(decision);
    const { state, by, at, reason, owner, review } = decision;
    const what = program.change?.what ?? "start";
    history.push({ version: number, what, state, by, at, reason, ...(owner ? { owner } : {}), ...(review ? { review } : {}) });
  }
  return history.reverse();
}
