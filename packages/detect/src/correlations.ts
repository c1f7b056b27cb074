/** Sigma correlations as keyed detectors: the engine folds them as it folds any other. Knows no rule's condition and no state of a key. */
import { type Claim, type DetectorSpec, newFields, z } from "@vedette/kit";
import type { Entity, Event, Fields, Micros, Observation } from "@vedette/model";
import {
  type Correlation,
  type CorrelationSet,
  type CorrelationState,
  type Episode,
  groupValues,
  necessaryOf,
  type RuleSet,
} from "@vedette/sigma";
import { detectorOf } from "./registry.ts";
import { observation, type PreparedDetector } from "./stage.ts";

export interface CorrelationStage {
  readonly detectors: readonly PreparedDetector[];
  /**
   * What one event shows to the correlations of the rules it matched.
   * @param seen watermark of the event's (source, stream, host) before it
   * @param stream by which it came; "" for what is judged from the store
   */
  observe(event: Event, matched: readonly string[], seen: Micros, demo: boolean, stream?: string): readonly Observation[];
}

/**
 * Carried by observations: the rules that matched the event, or the correlation whose claim it is. No client sets it, and no event has it: a
 * correlation may well count the `rule.id` of events.
 */
export const matchedBy = "vedette.rules";
/** Shown as evidence beside what a correlation groups by and counts. */
const shown = ["host.name", "user.name", "source.ip", "event.action", "process.executable"];
const noSettings = z.strictObject({});
const none: readonly Observation[] = [];

/**
 * @param lateness the program's, µs; a correlation may ask for more
 * @param shadow ids of rules and correlations on trial
 * @param rules the rules they take, for whoever judges stored events again
 */
export function prepareCorrelations(set: CorrelationSet, lateness: Micros, shadow: ReadonlySet<string>, rules?: RuleSet): CorrelationStage {
  const prepared = new Map<Correlation, PreparedDetector>();
  const inner = new Set(set.correlations.map(({ rule }) => rule.id));
  for (const correlation of set.correlations) {
    const { rule, hash, takes } = correlation;
    const follows = takes.flatMap((id) => (inner.has(id) ? [id] : (detectorOf(id) ?? [])));
    const spec = specOf(correlation, follows);
    const again = rules && follows.length === 0 ? judgedAgain(correlation, spec, rules) : undefined;
    prepared.set(correlation, {
      spec,
      config: {},
      hash,
      lateness: Math.max(lateness, rule.lateness ?? 0),
      kind: "sigma",
      ...(set.silent.has(rule.id) ? { silent: true } : {}),
      // what rests on a rule on trial is on trial itself
      ...([rule.id, ...takes].some((id) => shadow.has(id)) ? { shadow: true } : {}),
      ...(again ? { again } : {}),
    });
  }
  return {
    detectors: [...prepared.values()],
    observe(event, matched, seen, demo, stream = "") {
      let found: Observation[] | undefined;
      for (const correlation of new Set(matched.flatMap((id) => set.taking(id)))) {
        const observations = observationsOf(correlation, prepared.get(correlation)!.spec, event, matched, seen, demo, stream);
        if (observations.length > 0) found = found ? [...found, ...observations] : [...observations];
      }
      return found ?? none;
    },
  };
}

function observationsOf(
  correlation: Correlation,
  spec: DetectorSpec,
  event: Event,
  matched: readonly string[],
  seen: Micros,
  demo: boolean,
  stream: string,
): readonly Observation[] {
  const ids = matched.filter((id) => correlation.takes.includes(id));
  const found = correlation.contributions(ids, event.fields);
  if (found.length === 0) return none;
  const fields = newFields();
  for (const name of spec.fields) if (event.fields[name] !== undefined) fields[name] = event.fields[name];
  if (event.fields["vedette.historical"] === true) fields["vedette.historical"] = true;
  fields[matchedBy] = ids;
  return found.map(({ key }) => observation(spec, key, { ...event, fields }, seen, demo, stream));
}

/** What stored events show to a correlation; what it takes of other correlations is not stored. */
function judgedAgain(correlation: Correlation, spec: DetectorSpec, rules: RuleSet): PreparedDetector["again"] {
  const numbers = rules.rules.flatMap(({ id }, n) => (correlation.takes.includes(id) ? [n] : []));
  const matched: number[] = [];
  return {
    where: necessaryOf(numbers.map((n) => rules.conditionOf(n))),
    observe: (events) =>
      events.flatMap((event) => {
        rules.match(event, matched);
        const ids = matched.map((n) => rules.rules[n]!.id);
        return observationsOf(correlation, spec, event, ids, Number.NEGATIVE_INFINITY, event.fields["vedette.demo"] === true, "");
      }),
  };
}

function specOf(correlation: Correlation, follows: readonly string[]): DetectorSpec<typeof noSettings, CorrelationState> {
  const { rule } = correlation;
  const entity = typeof rule.vedette?.entity === "string" ? [rule.vedette.entity] : [];
  return {
    kind: "detector",
    name: rule.id,
    title: rule.title,
    summary: rule.description,
    stability: "stable",
    config: noSettings,
    where: "",
    fields: [...new Set([...correlation.fields, matchedBy, ...entity, ...shown])],
    by: correlation.shared,
    follows: [...new Set(follows)],
    key: (fields) => correlation.contributions(idsOf(fields), fields).map(({ key }) => key),
    fold(input, state) {
      const found = correlation.contributions(idsOf(input.fields), input.fields).find(({ key }) => key === input.key);
      if (found === undefined) return { state };
      const step = correlation.fold({ time: input.time, event: input.event, rules: found.rules, values: found.values }, state);
      // the input is none of a window that was over before it
      const about = correlation.closes ? newFields() : input.fields;
      return { state: step.state, ...(step.episode ? { claims: [claimOf(correlation, step.episode, input.key, about)] } : {}) };
    },
    ...(correlation.closes && {
      closes: correlation.closes,
      close(state: CorrelationState, key: string) {
        const episode = correlation.close!(state);
        return episode ? [claimOf(correlation, episode, key, newFields())] : [];
      },
    }),
    expires: (state) => correlation.expires(state),
    examples: [],
  };
}

function idsOf(fields: Fields): readonly string[] {
  const ids = fields[matchedBy];
  return Array.isArray(ids) ? ids.map(String) : ids === undefined ? [] : [String(ids)];
}

function claimOf(correlation: Correlation, episode: Episode, key: string, fields: Fields): Claim {
  const { rule } = correlation;
  const values = groupValues(correlation, key);
  const group = newFields();
  for (const [i, name] of rule.groupBy.entries()) group[name] = values[i]!;
  return {
    window: { start: episode.start, end: episode.end },
    severity: rule.level,
    summary: summaryOf(correlation, episode, values),
    events: episode.events,
    count: episode.count,
    entities: entitiesOf(correlation, values, fields),
    attack: rule.attack,
    fields: group,
  };
}

/** `12 events within 5m, user.name ada, source.ip 203.0.113.9` */
function summaryOf({ rule, groups }: Correlation, { figure }: Episode, values: readonly string[]): string {
  const by = groups.map((name, i) => `, ${name} ${values[i]}`).join("");
  return `${figure} within ${lengthOf(rule.timespan)}${by}`;
}

/** The largest unit that divides it. */
function lengthOf(micros: Micros): string {
  for (const [unit, length] of [
    ["d", 86_400e6],
    ["h", 3_600e6],
    ["m", 60e6],
  ] as const)
    if (micros % length === 0) return `${micros / length}${unit}`;
  return `${micros / 1e6}s`;
}

/** What it groups by, the rule's `vedette.entity` first; without either, whom the newest event is about, else the rule itself. */
function entitiesOf({ rule, groups }: Correlation, values: readonly string[], fields: Fields): readonly Entity[] {
  const found: Entity[] = [];
  const add = (type: string, id: string | undefined) => {
    if (id !== undefined && id !== "" && !found.some((one) => one.type === type)) found.push({ type, id });
  };
  const textOf = (type: string): string | undefined => {
    const value = fields[type];
    const one = Array.isArray(value) ? value[0] : value;
    return one === undefined || one === null ? undefined : String(one).slice(0, 512);
  };
  const preferred = rule.vedette?.entity;
  if (typeof preferred === "string") add(preferred, values[groups.indexOf(preferred)] ?? textOf(preferred));
  for (const [i, type] of groups.entries()) add(type, values[i]);
  if (found.length === 0) for (const type of ["host.name", "user.name", "source.ip"]) add(type, textOf(type));
  return found.length > 0 ? found : [{ type: "rule.id", id: rule.id }];
}
