/**
 * What a correlation remembers of one key's events and whether its condition holds: counts, distinct values, rules seen, ordered chains.
 * Knows neither windows nor episodes. States are JSON, bounded, and never changed in place.
 */
import { type Bound, holds, type SigmaCorrelation } from "./correlation.ts";

/** One event as a correlation counts it. */
export interface Hit {
  readonly time: number;
  readonly event: string;
  /** Positions of the matched rules in the correlation's list, ascending. */
  readonly rules: readonly number[];
  /** Of value counts: texts. Of sums and the like: numbers. */
  readonly values: readonly (string | number)[];
}

/** That a condition holds, and from when. */
export interface Verdict {
  readonly start: number;
  /** What was counted, for people: `12 events`. */
  readonly figure: string;
  /** The contributing events: how many, and the ids of the newest thousand at most. */
  evidence(): { readonly events: readonly string[]; readonly count: number };
}

/** How far a key has come, whether its condition holds or not. */
export interface Progress {
  /** What was counted, for people. */
  readonly figure: string;
  /** The same as a number that grows: events, values, rules. */
  readonly reached: number;
  /** What it still waits for, for people; "" where nothing is missing. */
  readonly wants: string;
}

export interface Measure<M> {
  readonly empty: M;
  /** Forgets what is older than `from`, then takes the hit in. */
  add(state: M, hit: Hit, from: number): M;
  /** Undefined while the condition does not hold. */
  verdict(state: M, from: number): Verdict | undefined;
  /** As of the newest hit. */
  progress(state: M): Progress;
}

const boundWords: { readonly [op in Bound["op"]]: string } = {
  gt: "more than",
  gte: "at least",
  lt: "less than",
  lte: "at most",
  eq: "exactly",
  neq: "other than",
};
const wantedOf = (bounds: readonly Bound[], figure: number): string =>
  bounds
    .filter((bound) => !holds(bound, figure))
    .map(({ op, value }) => `${boundWords[op]} ${value}`)
    .join(" and ");

/** Entries of a key that are kept one by one; beyond them neighbours are merged, so that the window's edge is blurred by their distance. */
const maxEntries = 1_024;
const maxEvents = 1_000;

export function measureOf(correlation: SigmaCorrelation): Measure<unknown> {
  switch (correlation.type) {
    case "value_count":
      return distinct(correlation) as Measure<unknown>;
    case "temporal":
      return (correlation.terms.length > 0 ? together(correlation) : numberOfRules(correlation)) as Measure<unknown>;
    case "temporal_ordered":
      return inOrder(correlation) as Measure<unknown>;
    default:
      return counted(correlation) as Measure<unknown>;
  }
}

/** Time, weight, value and event id of an entry; `blurred` once entries were merged. */
type Entry = readonly [time: number, weight: number, value: number, event: string];
interface Counted {
  readonly entries: readonly Entry[];
  readonly blurred?: boolean;
}

function counted({ type, bounds, values, percentile }: SigmaCorrelation): Measure<Counted> {
  // whether there are at least so many is told by the newest so many
  const least = type === "event_count" && bounds.every(({ op }) => op === "gt" || op === "gte");
  const enough = least ? Math.max(1, ...bounds.map(({ value }) => Math.floor(value) + 1)) : Number.POSITIVE_INFINITY;
  const additive = type !== "value_percentile" && type !== "value_median";
  const merged = (a: Entry, b: Entry): Entry => [b[0], a[1] + b[1], additive ? a[2] + b[2] : b[2], b[3]];
  const figureOf = (entries: readonly Entry[]): number => {
    const sum = (of: (e: Entry) => number) => entries.reduce((n, e) => n + of(e), 0);
    if (type === "event_count") return sum((e) => e[1]);
    if (type === "value_sum") return sum((e) => e[2]);
    if (type === "value_avg") return sum((e) => e[2]) / sum((e) => e[1]);
    return quantile(entries, type === "value_median" ? 0.5 : percentile / 100);
  };
  const words: { readonly [type: string]: (n: string) => string } = {
    event_count: (n) => `${n} events`,
    value_sum: (n) => `sum of ${values[0]} ${n}`,
    value_avg: (n) => `average of ${values[0]} ${n}`,
    value_median: (n) => `median of ${values[0]} ${n}`,
    value_percentile: (n) => `percentile ${percentile} of ${values[0]} ${n}`,
  };
  const textOf = (figure: number, blurred = false) => `${blurred ? "about " : ""}${Number(figure.toPrecision(12))}`;
  return {
    empty: { entries: [] },
    add({ entries, blurred }, hit, from) {
      const numbers = type === "event_count" ? [0] : (hit.values as readonly number[]);
      const every = [...entries.filter((e) => e[0] >= from), ...numbers.map((value): Entry => [hit.time, 1, value, hit.event])];
      const all = every.length > enough ? every.slice(-enough) : every;
      if (all.length <= maxEntries) return { entries: all, ...(blurred ? { blurred } : {}) };
      return { entries: all.flatMap((e, i) => (i % 2 === 1 ? [merged(all[i - 1]!, e)] : i === all.length - 1 ? [e] : [])), blurred: true };
    },
    progress({ entries, blurred }) {
      if (entries.length === 0) return { figure: "nothing", reached: 0, wants: wantedOf(bounds, 0) };
      const reached = figureOf(entries);
      return { figure: words[type]!(textOf(reached, blurred)), reached, wants: wantedOf(bounds, reached) };
    },
    verdict({ entries, blurred }) {
      if (entries.length === 0) return undefined;
      const figure = figureOf(entries);
      if (!bounds.every((bound) => holds(bound, figure))) return undefined;
      const text = textOf(figure, blurred);
      const evidence = () => {
        const found = evidenceOf(entries.map((e) => e[3]));
        return blurred ? { ...found, count: entries.reduce((n, e) => n + e[1], 0) } : found;
      };
      return { start: entries[0]![0], figure: words[type]!(text), evidence };
    },
  };
}

/** Linear between the neighbouring values, as SQL's `percentile_cont`. */
function quantile(entries: readonly Entry[], share: number): number {
  const sorted = [...entries].sort((a, b) => a[2] - b[2]);
  const total = sorted.reduce((n, e) => n + e[1], 0);
  const at = share * (total - 1);
  const valueAt = (index: number): number => {
    let seen = 0;
    for (const [, weight, value] of sorted) {
      seen += weight;
      if (index < seen) return value;
    }
    return sorted.at(-1)![2];
  };
  const low = valueAt(Math.floor(at));
  return low + (valueAt(Math.ceil(at)) - low) * (at - Math.floor(at));
}

/** Each value at its newest event, oldest first. */
type Distinct = readonly (readonly [value: string, time: number, event: string])[];

function distinct({ bounds, values }: SigmaCorrelation): Measure<Distinct> {
  // twice the bound: forgetting the oldest beyond it changes no answer about `at least`
  const limit = Math.max(maxEntries, 2 * Math.max(...bounds.map((b) => b.value)));
  return {
    empty: [],
    add(state, hit, from) {
      const fresh = new Set(hit.values);
      const kept = state.filter(([value, time]) => time >= from && !fresh.has(value));
      return [...kept, ...[...fresh].map((value) => [String(value), hit.time, hit.event] as const)].slice(-limit);
    },
    progress: ({ length }) => ({
      figure: `${length} different ${values.join(" with ")}`,
      reached: length,
      wants: wantedOf(bounds, length),
    }),
    verdict(state) {
      if (state.length === 0 || !bounds.every((bound) => holds(bound, state.length))) return undefined;
      const figure = `${state.length} different ${values.join(" with ")}`;
      const start = state.reduce((least, v) => Math.min(least, v[1]), Number.POSITIVE_INFINITY);
      return { start, figure, evidence: () => evidenceOf(state.map((v) => v[2])) };
    },
  };
}

/** The newest time and event of each rule, by position. */
type Seen = readonly (readonly [time: number, event: string] | null)[];

function seenBy(state: Seen, hit: Hit, from: number, rules: number): Seen {
  return Array.from({ length: rules }, (_, i) => {
    if (hit.rules.includes(i)) return [hit.time, hit.event] as const;
    const before = state[i] ?? null;
    return before !== null && before[0] >= from ? before : null;
  });
}

function verdictOf(seen: Seen, positions: readonly number[], figure: string): Verdict {
  const of = positions.map((i) => seen[i]!);
  return { start: Math.min(...of.map((s) => s[0])), figure, evidence: () => evidenceOf(of.map((s) => s[1])) };
}

/** All rules of one term within the window, in any order. */
function together({ rules, terms }: SigmaCorrelation): Measure<Seen> {
  return {
    empty: [],
    add: (state, hit, from) => seenBy(state, hit, from, rules.length),
    progress: (seen) => termProgress(terms, rules, seen, ", ", (need) => need.filter((i) => seen[i]).length),
    verdict(seen) {
      const term = terms.find(({ need, none }) => need.every((i) => seen[i]) && !none.some((i) => seen[i]));
      return term && verdictOf(seen, term.need, term.need.map((i) => rules[i]!.to).join(", "));
    },
  };
}

/** So many different rules within the window. */
function numberOfRules({ rules, bounds }: SigmaCorrelation): Measure<Seen> {
  return {
    empty: [],
    add: (state, hit, from) => seenBy(state, hit, from, rules.length),
    progress(seen) {
      const found = seen.flatMap((s, i) => (s ? [rules[i]!.to] : []));
      return { figure: found.join(", "), reached: found.length, wants: wantedOf(bounds, found.length) };
    },
    verdict(seen) {
      const found = seen.flatMap((s, i) => (s ? [i] : []));
      if (found.length === 0 || !bounds.every((bound) => holds(bound, found.length))) return undefined;
      return verdictOf(seen, found, found.map((i) => rules[i]!.to).join(", "));
    },
  };
}

/** Of the ways to hold, the one that came furthest. @param done how many of its rules have come */
function termProgress(
  terms: SigmaCorrelation["terms"],
  rules: SigmaCorrelation["rules"],
  seen: Seen,
  joint: string,
  done: (need: readonly number[], term: number) => number,
): Progress {
  const ordered = joint !== ", ";
  const [best] = terms
    .map(({ need, none }, t) => {
      const reached = done(need, t);
      const come = ordered ? need.slice(0, reached) : need.filter((i) => seen[i]);
      const missing = (ordered ? need.slice(reached) : need.filter((i) => !seen[i])).map((i) => rules[i]!.to);
      const unwanted = none.filter((i) => seen[i]).map((i) => `no ${rules[i]!.to}`);
      return { reached, figure: come.map((i) => rules[i]!.to).join(joint), wants: [...missing, ...unwanted].join(joint) };
    })
    .sort((a, b) => b.reached - a.reached);
  return best!;
}

/** Of each beginning of a term's order, the chain that began last. */
type Chain = { readonly start: number; readonly events: readonly string[] } | null;
interface Ordered {
  readonly chains: readonly (readonly Chain[])[];
  readonly seen: Seen;
}

/** The rules of one term one after the other; events of one time stand in the order key's order. */
function inOrder({ rules, terms }: SigmaCorrelation): Measure<Ordered> {
  const step = (chains: readonly Chain[], need: readonly number[], hit: Hit, from: number): readonly Chain[] => {
    const next = need.map((_, k) => {
      const chain = chains[k] ?? null;
      return chain !== null && chain.start >= from ? chain : null;
    });
    // backwards, so that one event does not take two places
    for (let k = need.length - 1; k >= 0; k--) {
      if (!hit.rules.includes(need[k]!)) continue;
      if (k === 0) next[0] = { start: hit.time, events: [hit.event] };
      else if (next[k - 1]) next[k] = { start: next[k - 1]!.start, events: [...next[k - 1]!.events, hit.event] };
    }
    return next;
  };
  return {
    empty: { chains: [], seen: [] },
    add: ({ chains, seen }, hit, from) => ({
      chains: terms.map(({ need }, t) => step(chains[t] ?? [], need, hit, from)),
      seen: seenBy(seen, hit, from, rules.length),
    }),
    progress: ({ chains, seen }) =>
      termProgress(terms, rules, seen, ", then ", (_, t) => (chains[t] ?? []).reduce((most, chain, k) => (chain ? k + 1 : most), 0)),
    verdict({ chains, seen }) {
      for (const [t, { need, none }] of terms.entries()) {
        const chain = chains[t]?.at(-1);
        if (chain && !none.some((i) => seen[i]))
          return { start: chain.start, figure: need.map((i) => rules[i]!.to).join(", then "), evidence: () => evidenceOf(chain.events) };
      }
      return undefined;
    },
  };
}

function evidenceOf(all: readonly string[]): { readonly events: readonly string[]; readonly count: number } {
  const events = [...new Set(all)];
  return { events: events.slice(-maxEvents), count: events.length };
}
