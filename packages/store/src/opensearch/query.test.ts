/** What a question over terms finds is what its condition means: judged by a reader of OpenSearch's clauses as its documentation tells them. */
import { type Condition, evaluate, type FieldValue, likeTest } from "@vedette/condition";
import type { Event } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { condition, eventsOf, leaf, shape } from "../testing/arbitraries.ts";
import { askedOf, type Clause } from "./query.ts";
import { isTermed, noTerms, type Terms, termsOf } from "./terms.ts";

type Lists = { readonly [list: string]: readonly string[] };
const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const only = (of: unknown) => Object.entries(of as object)[0] as [string, never];

/** Whether a document with these terms is found. */
function finds(clause: Clause, terms: Lists): boolean {
  const [kind, body] = only(clause);
  if (kind === "match_all") return true;
  if (kind === "match_none") return false;
  if (kind === "bool") {
    const { filter = [], should, must_not = [] } = body as { filter?: Clause[]; should?: Clause[]; must_not?: Clause[] };
    const every = filter.every((one) => finds(one, terms)) && !must_not.some((one) => finds(one, terms));
    return every && (should === undefined || should.some((one) => finds(one, terms)));
  }
  if (kind === "exists") return (terms[(body as { field: string }).field] ?? []).length > 0;
  const [list, asked] = only(body);
  const held = terms[list] ?? [];
  if (kind === "term") return held.includes(asked);
  if (kind === "terms") return held.some((one) => (asked as readonly string[]).includes(one));
  if (kind === "prefix") return held.some((one) => one.startsWith((asked as { value: string }).value));
  if (kind === "wildcard") return held.some(likeTest((asked as { value: string }).value, true));
  const { gt, gte, lt, lte } = asked as { [end: string]: string };
  return held.some(
    (one) =>
      (gt === undefined || compare(one, gt) > 0) &&
      (gte === undefined || compare(one, gte) >= 0) &&
      (lt === undefined || compare(one, lt) < 0) &&
      (lte === undefined || compare(one, lte) <= 0),
  );
}

const long = fc.constantFrom<FieldValue>("A".repeat(9_000), `${"x".repeat(40_000)}É`, ["a", "B".repeat(8_193)]);
const odd = fc.tuple(fc.constantFrom("message", "zeek.uid", "a\x7fb", "a\0b", "n".repeat(600)), long);
const some = fc.sample(fc.tuple(shape, odd), { numRuns: 80, seed: 5 });
const events: readonly Event[] = eventsOf(
  some.map(([one, [name, value]], i) => ({
    ...one,
    ...(i % 11 === 0 && { original: "Ä".repeat(8_193) }),
    fields: i % 7 === 0 ? [...one.fields, [name, value] as [string, FieldValue]] : one.fields,
  })),
  0,
);
const terms: readonly Terms[] = events.map(termsOf);

/** Comparisons with what some event holds, so that they meet it and its neighbours. */
const held = fc.constantFrom(...events).chain((event): fc.Arbitrary<Condition> => {
  const own = Object.entries(event.fields).flatMap(([name, value]) => [value ?? null].flat().map((one) => [name, one] as const));
  if (own.length === 0) return leaf;
  return fc.constantFrom(...own).chain(([name, value]) => {
    const text = String(value ?? "");
    const part = fc.nat({ max: Math.min(text.length, 40) }).map((n) => text.slice(0, n));
    return fc.oneof(
      fc.constant<Condition>({ op: "eq", field: name, value }),
      fc.record({
        op: fc.constantFrom("lt" as const, "lte" as const, "gt" as const, "gte" as const),
        field: fc.constant(name),
        value: fc.constant(text),
      }),
      fc.record({ op: fc.constantFrom("contains" as const, "starts" as const, "ends" as const), field: fc.constant(name), value: part }),
      fc.constant<Condition>({ op: "cidr", field: name, value: `${/^[0-9.]+$/.test(text) ? text : "::1"}/31` }),
      part.map((value): Condition => ({ op: "keyword", value })),
    );
  });
});
const wide = fc.array(leaf, { minLength: 20, maxLength: 40 }).map((of): Condition => ({ op: "or", of }));
const anything = fc.oneof(
  { weight: 4, arbitrary: condition },
  { weight: 4, arbitrary: held },
  { weight: 2, arbitrary: held.map((of): Condition => ({ op: "not", of })) },
  { weight: 1, arbitrary: wide },
);

test("finds every event a condition holds for; an exact question finds no other", () => {
  let exact = 0;
  fc.assert(
    fc.property(anything, (where) => {
      let asked: ReturnType<typeof askedOf>;
      try {
        evaluate(where, events[0]!);
        asked = askedOf(where);
      } catch {
        return; // no network, no pattern
      }
      if (asked.exact) exact++;
      for (const [n, event] of events.entries()) {
        const holds = evaluate(where, event);
        const found = finds(asked.may, terms[n] as unknown as Lists);
        if (holds) expect(found, `${JSON.stringify(where)} of ${n}`).toBe(true);
        const told = isTermed(event, asked.names);
        // what its own terms do not tell is told to be so
        if (!told) expect(finds(asked.odd, terms[n] as unknown as Lists)).toBe(true);
        if (!holds && asked.exact && told) expect(found, `${JSON.stringify(where)} of ${n}`).toBe(false);
      }
    }),
    { numRuns: 400 },
  );
  expect(exact).toBeGreaterThan(150);
});

test("an event without terms is let through whatever is asked", () => {
  fc.assert(
    fc.property(condition, (where) => {
      expect(finds(askedOf(where).may, noTerms as unknown as Lists)).toBe(true);
    }),
  );
});

test("a question beyond OpenSearch's limits is asked loosely, not refused", () => {
  const many = (op: "and" | "or", n: number): Condition => ({
    op,
    of: Array.from({ length: n }, (_, i) => ({ op: "contains", field: `f${i}`, value: "x" })),
  });
  const count = (clause: unknown): number =>
    typeof clause === "object" && clause !== null ? Object.values(clause).reduce<number>((sum, one) => sum + count(one), 1) : 0;
  for (const where of [many("and", 1_900), many("or", 1_900)]) {
    const { may, exact } = askedOf(where);
    expect(exact).toBe(false);
    expect(count(may)).toBeLessThan(4_000);
  }
  const deep = Array.from({ length: 40 }).reduce<Condition>(
    (of) => ({ op: "not", of: { op: "and", of: [of, { op: "exists", field: "a" }] } }),
    many("or", 2),
  );
  expect(askedOf(deep).exact).toBe(false);
  const { may } = askedOf({ op: "like", field: "a", value: `${"*x?".repeat(400)}${"y".repeat(5_000)}*z` });
  expect(JSON.stringify(may).length).toBeLessThan(500);
});
