/** Makes rules and detectors ready to be judged against stored events: what runs, and what the store can rule out. Reads nothing. */

import type { Condition } from "@vedette/condition";
import { parseQuery } from "@vedette/condition";
import { detectors } from "@vedette/detect";
import { BadInputError } from "@vedette/kit";
import { formatRefusal, necessaryOf } from "@vedette/sigma";
import { type Compiled, compileProgram } from "../analyse.ts";
import { makeProgram, type Program, type ProgramFile } from "../program.ts";
import { correlationsOf, livingRules, rulesOf } from "../rules/living.ts";

/** What is to be tested: rule files, or detectors by name with their settings. */
export interface BacktestSubject {
  readonly rules: readonly ProgramFile[];
  /** Only these of the rules; all of them where absent. */
  readonly ids?: readonly string[];
  readonly detectors?: { readonly [name: string]: unknown };
}

/** What the subject is judged with. */
export type BacktestFixed = Pick<Program, "pipelines" | "lateness_s" | "placeholders">;

export interface BacktestPlan {
  readonly program: Program;
  readonly compiled: Compiled;
  /** Ids of the rules that are told of; others are there because they are needed. */
  readonly wanted: ReadonlySet<string> | undefined;
  /** Holds for every event that any of the rules could match or a detector looks at. */
  readonly where: Condition;
  readonly refused: readonly string[];
  /** Rules and detectors that are told of. */
  readonly told: number;
}

/**
 * @throws ConfigError for settings of detectors that do not fit
 * @throws BadInputError `not_found` for a detector that there is not, `rule_invalid` when no rule is left to test
 */
export async function planBacktest(subject: BacktestSubject, fixed: BacktestFixed): Promise<BacktestPlan> {
  const known = await detectors();
  for (const name of Object.keys(subject.detectors ?? {}))
    if (!known.has(name)) throw new BadInputError("not_found", `${name} is neither a rule's id nor a detector`);
  const settings = Object.fromEntries([...known.keys()].map((name) => [name, subject.detectors?.[name] ?? false]));
  const program = makeProgram({ ...fixed, rules: subject.rules, detectors: settings }, 0);
  const compiled = await compileProgram(program);
  const wanted = subject.ids && new Set(subject.ids);
  const needed = wanted && neededFor(wanted, program);
  const { rules } = compiled.rules;
  const numbers = rules.flatMap((rule, number) => (needed && !needed.has(rule.id) ? [] : [number]));
  const refused = [...rulesOf(program).refused, ...compiled.refused].map(formatRefusal);
  const watched = [...compiled.stage.detectors.values()];
  const names = [...numbers.map((number) => rules[number]!.id), ...watched.flatMap(({ spec, silent }) => (silent ? [] : [spec.name]))];
  const told = names.filter((name) => !compiled.silent.has(name) && (!wanted || wanted.has(name) || known.has(name))).length;
  if (told === 0)
    throw new BadInputError("rule_invalid", `no rule to test${refused.length > 0 ? `: ${refused.slice(0, 5).join("; ")}` : ""}`);
  const looks = watched.flatMap(({ spec }) => {
    const query = spec.where === "" ? undefined : parseQuery(spec.where);
    return query?.ok ? [query.query.where] : [];
  });
  const where = necessaryOf([...numbers.map((number) => compiled.rules.conditionOf(number)), ...looks]);
  return { program, compiled, wanted, where, refused, told };
}

/** The rules and those that their correlations are about. */
function neededFor(wanted: ReadonlySet<string>, program: Program): ReadonlySet<string> {
  const needed = new Set(wanted);
  const { correlations } = correlationsOf(livingRules(program), program.pipelines);
  // a set takes what is added while it is gone through
  for (const id of needed) for (const { rule, takes } of correlations) if (rule.id === id) for (const one of takes) needed.add(one);
  return needed;
}
