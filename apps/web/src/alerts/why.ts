/** Gathers an alert's matches over all evidence: which clause matched which field and value, in which events. Pure. */
import type { EvidenceEvent, FieldValue, Match } from "../api/types.ts";

export interface Reason extends Match {
  /** Positions in the evidence, from 0. */
  readonly events: readonly number[];
}

export function gatherReasons(evidence: readonly EvidenceEvent[]): Reason[] {
  const reasons = new Map<string, Match & { events: number[] }>();
  evidence.forEach((event, at) => {
    for (const match of event.matches) {
      const key = JSON.stringify([match.clause, match.field, match.value]);
      const known = reasons.get(key);
      if (known === undefined) reasons.set(key, { ...match, events: [at] });
      else if (known.events.at(-1) !== at) known.events.push(at);
    }
  });
  return [...reasons.values()];
}

export interface FieldLine {
  readonly field: string;
  readonly value: FieldValue;
  /** Clauses that matched this field; empty for the rest. */
  readonly clauses: readonly string[];
}

/** The fields of one event, those that matched first, each part in alphabetical order. */
export function orderFields(fields: { readonly [ecs: string]: FieldValue }, matches: readonly Match[]): FieldLine[] {
  const lines = Object.keys(fields)
    .sort()
    .map((field) => ({
      field,
      value: fields[field]!,
      clauses: [...new Set(matches.filter((match) => match.field === field).map((match) => match.clause))],
    }));
  return [...lines.filter((line) => line.clauses.length > 0), ...lines.filter((line) => line.clauses.length === 0)];
}

/** Where each moment stands between first and last, 0 to 1; a single moment stands in the middle. */
export function placeInTime(times: readonly string[], first: string, last: string): number[] {
  const from = Math.min(Date.parse(first), ...times.map((time) => Date.parse(time)));
  const to = Math.max(Date.parse(last), ...times.map((time) => Date.parse(time)));
  return times.map((time) => (to > from ? (Date.parse(time) - from) / (to - from) : 0.5));
}
