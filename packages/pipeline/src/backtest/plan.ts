/** Makes rules and detectors ready to be judged against stored events: what runs, and what the store can rule out. Reads nothing. */
import type { Condition } from "@vedette/condition";
import { parseQuery } from "@vedette/condition";
import { detectorOf, detectors } from "@vedette/detect";
import { BadInputError } from "@vedette/kit";
import type { RuleOverlay } from "@vedette/model";
import { formatRefusal, necessaryOf } from "@vedette/sigma";
import { type Compiled, compileProgram } from "../analyse.ts";
import { makeProgram, type Program, type ProgramFile } from "../program.ts";
import { correlationsOf, filesOf, livingRules, restingOn, rulesOf } from "../rules/living.ts";

/** What is to be tested: rule files, or detectors by name with their settings. */
export interface BacktestSubject {
  readonly rules: readonly ProgramFile[];
  /** Only these of the rules; all of them where absent. */
  readonly ids?: readonly string[];
  /** Rules that it quarantines are left out, as in production; without it every rule is judged. */
  readonly overlay?: RuleOverlay;
  readonly detectors?: { readonly [name: string]: unknown };
}

/** What the subject is judged with. */
export type BacktestFixed = Pick<Program, "pipelines" | "lateness_s" | "placeholders"> & {
  /** Settings of the detectors that correlations take findings of; their defaults where absent. */
  readonly detectors?: Program["detectors"];
};

export const fixedOf = ({ pipelines, lateness_s, placeholders, detectors }: Program): BacktestFixed => ({
  pipelines,
  lateness_s,
  detectors,
  ...(placeholders && { placeholders }),
});

export interface BacktestPlan {
  /** As it was asked for, without the files that are not needed: what another thread plans the same from. */
  readonly subject: BacktestSubject;
  readonly program: Program;
  readonly compiled: Compiled;
  /** Whether a rule or detector is told of, by its id or name; others are there because they are needed. */
  readonly tells: (id: string) => boolean;
  /** Holds for every event that any of the rules could match or a detector looks at. */
  readonly where: Condition;
  readonly refused: readonly string[];
  /** Rules and detectors that are told of. */
  readonly told: number;
  /** Ids of the rules and correlations that a correlation rests on. */
  readonly taken: (id: string) => ReadonlySet<string>;
}

/**
 * @throws ConfigError for settings of detectors that do not fit
 * @throws BadInputError `not_found` for a detector that there is not, `rule_invalid` when no rule is left to test
 */
export async function planBacktest(subject: BacktestSubject, fixed: BacktestFixed): Promise<BacktestPlan> {
  const known = await detectors();
  for (const name of Object.keys(subject.detectors ?? {}))
    if (!known.has(name)) throw new BadInputError("not_found", `${name} is neither a rule's id nor a detector`);
  const asked = subject.detectors ?? {};
  const wanted = subject.ids && new Set(subject.ids);
  const site = makeProgram({ ...fixed, ...subject, detectors: { ...fixed.detectors, ...asked } }, 0);
  const linked = correlationsOf(livingRules(site), site.pipelines);
  const taken = restingOn(linked);
  const resting = [...(wanted ?? linked.correlations.map(({ rule }) => rule.id))].flatMap((id) => [...taken(id)]);
  const followed = new Set(resting.flatMap((id) => detectorOf(id) ?? []));
  const settingsOf = (name: string) => asked[name] ?? (followed.has(name) ? (fixed.detectors?.[name] ?? {}) : false);
  const whole = { ...site, detectors: Object.fromEntries([...known.keys()].map((name) => [name, settingsOf(name)])) };
  const needed = wanted && new Set([...wanted].flatMap((id) => [id, ...taken(id)]));
  const program = needed ? { ...whole, rules: filesOf(needed, whole) } : whole;
  const compiled = await compileProgram(program);
  const { rules } = compiled.rules;
  const numbers = rules.flatMap((rule, number) => (needed && !needed.has(rule.id) ? [] : [number]));
  const refused = [...rulesOf(program).refused, ...compiled.refused]
    .filter(({ id }) => needed === undefined || (id !== undefined && needed.has(id)))
    .map(formatRefusal);
  const watched = [...compiled.stage.detectors.values()];
  const names = [...numbers.map((number) => rules[number]!.id), ...watched.flatMap(({ spec, silent }) => (silent ? [] : [spec.name]))];
  const tells = (name: string) => (known.has(name) ? Object.hasOwn(asked, name) : !wanted || wanted.has(name));
  const told = names.filter((name) => !compiled.silent.has(name) && tells(name)).length;
  if (told === 0)
    throw new BadInputError("rule_invalid", `no rule to test${refused.length > 0 ? `: ${refused.slice(0, 5).join("; ")}` : ""}`);
  const looks = watched.flatMap(({ spec }) => {
    const query = spec.where === "" ? undefined : parseQuery(spec.where);
    return query?.ok ? [query.query.where] : [];
  });
  const where = necessaryOf([...numbers.map((number) => compiled.rules.conditionOf(number)), ...looks]);
  return { subject: { ...subject, rules: program.rules }, program, compiled, tells, where, refused, told, taken };
}
