import { type Condition, evaluate, type FieldValue, type Readable } from "@vedette/condition";
import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { maxLookedAt } from "./frame.ts";
import { parsePipeline } from "./pipeline.ts";
import { parseRules, type SigmaRule } from "./rule.ts";
import { compileRules } from "./ruleset.ts";

const [base] = parseRules("title: T\nlogsource: {product: x}\ndetection: {s: {a: 1}, condition: s}\n", "t.yml").rules;
const ruleOf = (condition: Condition, i: number): SigmaRule => ({ ...base!, id: `r${i}`, condition, selections: [] });
const event = (fields: { [field: string]: FieldValue | undefined }, original?: string): Readable => ({
  fields: Object.assign(Object.create(null), fields),
  ...(original === undefined ? {} : { original }),
});

// A small world, so that random rules and events meet often.
const field = fc.constantFrom("a", "b", "c", "event.code", "winlog.channel", "event.dataset");
const word = fc.oneof(
  fc.constantFrom("", "1", "2", "10", "foo", "Foo", "FOOBAR", "o", "ob", "10.0.0.1", "c:\\x", "ΑΣ", "aς", "true", "İx", "*"),
  fc.string({ unit: fc.constantFrom("a", "B", "o", "É", "1"), maxLength: 4 }),
);
const scalar = fc.oneof({ weight: 4, arbitrary: word }, fc.integer({ min: 0, max: 12 }), fc.boolean(), fc.constant(null));
const cased = fc.constantFrom({}, {}, { cased: true });
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ op: fc.constant("eq" as const), field, value: scalar }),
  fc
    .tuple(fc.constantFrom("eq" as const, "contains" as const, "starts" as const, "ends" as const, "like" as const), field, word, cased)
    .map(([op, f, value, c]) => ({ op, field: f, value, ...c })),
  fc
    .tuple(field, fc.constantFrom("*o*b*", "?oo", "f*", "*", "a?*", "\\*", ""))
    .map(([f, value]) => ({ op: "like" as const, field: f, value })),
  fc
    .tuple(field, fc.constantFrom("fo+", "^foo", "(foo|1)$", "[Ff]oo", "o{2}b", "a|b"), fc.constantFrom({}, { flags: "i" }))
    .map(([f, value, fl]) => ({ op: "regex" as const, field: f, value, ...fl })),
  fc.record({ op: fc.constant("cidr" as const), field, value: fc.constantFrom("10.0.0.0/8", "::/0", "0.0.0.0/0") }),
  fc.record({
    op: fc.constantFrom("lt" as const, "lte" as const, "gt" as const, "gte" as const),
    field,
    value: fc.integer({ min: 0, max: 12 }),
  }),
  fc.record({ op: fc.constant("exists" as const), field }),
  fc.record({
    op: fc.constant("fieldref" as const),
    field,
    other: field,
    how: fc.constantFrom("eq" as const, "contains" as const, "starts" as const, "ends" as const),
  }),
  fc.tuple(fc.constantFrom("foo", "o*b", "1", "?a"), cased).map(([value, c]) => ({ op: "keyword" as const, value, ...c })),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(tie("node"), { maxLength: 3 }) }),
    fc.record({ op: fc.constant("not" as const), of: tie("node") }),
  ),
})).node;
const value = fc.oneof({ weight: 6, arbitrary: scalar }, fc.array(scalar, { maxLength: 3 }));
const readable = fc
  .tuple(fc.dictionary(field, value, { maxKeys: 5 }), fc.option(word, { nil: undefined }))
  .map(([fields, original]) => event(fields as { [f: string]: FieldValue }, original));
const patterns = new Map<string, RE2JS>();
const linear = (pattern: string, flags: string) => {
  const key = `${flags} ${pattern}`;
  const known = patterns.get(key) ?? RE2JS.compile(pattern, flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0);
  patterns.set(key, known);
  return known;
};
const plainly = (conditions: readonly Condition[], e: Readable) =>
  conditions.flatMap((c, i) => (evaluate(c, e, { regex: linear }) ? [i] : []));

test("the indexed engine says what plain evaluation of each condition says, for a hundred thousand pairs of rule and event", () => {
  let pairs = 0;
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 10, maxLength: 24 }),
      fc.array(readable, { minLength: 10, maxLength: 16 }),
      (conditions, events) => {
        const set = compileRules(conditions.map(ruleOf));
        const out: number[] = [];
        const expected = events.map((e) => plainly(conditions, e));
        // Twice, so that remembered values are used too.
        for (const round of [1, 2]) {
          const found = events.map((e) => {
            set.match(e, out);
            return [...out];
          });
          expect(found, `round ${round}`).toEqual(expected);
        }
        pairs += conditions.length * events.length;
      },
    ),
    { numRuns: 600 },
  );
  expect(pairs).toBeGreaterThanOrEqual(100_000);
});

test("what does not match has no explanation", () => {
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 6 }), readable, (conditions, e) => {
      const set = compileRules(conditions.map(ruleOf));
      const matching = plainly(conditions, e);
      for (let i = 0; i < conditions.length; i++) if (!matching.includes(i)) expect(set.explain(i, e)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("changing to rarer witnesses changes no answer", () => {
  fc.assert(
    fc.property(
      fc.array(condition, { minLength: 5, maxLength: 12 }),
      fc.array(readable, { minLength: 2, maxLength: 5 }),
      (conditions, events) => {
        const set = compileRules(conditions.map(ruleOf));
        const expected = events.map((e) => plainly(conditions, e));
        const out: number[] = [];
        for (let n = 0; n < 3_000; n++) {
          set.match(events[n % events.length]!, out);
          const want = expected[n % events.length]!;
          if (out.length !== want.length || out.some((rule, i) => rule !== want[i])) expect(out).toEqual(want);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a witness that turns out common gives way to a rarer one", () => {
  const both: Condition = {
    op: "and",
    of: [
      { op: "contains", field: "a", value: "thought to be rare" },
      { op: "contains", field: "b", value: "rare" },
    ],
  };
  const set = compileRules([ruleOf(both, 0)]);
  for (let n = 0; n < 2_000; n++) set.match(event({ a: `thought to be rare ${n}`, b: "common" }), []);
  const before = set.costs()[0]!.evaluated;
  expect(before).toBeLessThan(1_000);
  for (let n = 0; n < 2_000; n++) set.match(event({ a: `thought to be rare ${n}`, b: "common" }), []);
  expect(set.costs()[0]!.evaluated).toBe(before);
  expect(set.match(event({ a: "thought to be rare", b: "rare" }), [])).toBe(1);
});

test("costs are sampled by the given clock; a quarantined rule matches nothing until it is taken back", () => {
  let now = 0;
  const slow = compileRules([ruleOf({ op: "exists", field: "a" }, 0), ruleOf({ op: "exists", field: "b" }, 1)], { clock: () => now++ });
  for (let n = 0; n < 610; n++) expect(slow.match(event({ a: "x" }), [])).toBe(1);
  expect(slow.costs()).toEqual([
    { evaluated: 610, timed: 10, estimated_ms: 610, longest_ms: 1 },
    { evaluated: 0, timed: 0, estimated_ms: 0, longest_ms: 0 },
  ]);
  slow.quarantine(0);
  expect([slow.isQuarantined(0), slow.match(event({ a: "x", b: "y" }), [])]).toEqual([true, 1]);
  slow.quarantine(0, false);
  expect(slow.match(event({ a: "x", b: "y" }), [])).toBe(2);
});

test("counts balance: seen = matched + not matched, and only kinds of events that a rule can meet are seen by it", () => {
  const of = (code: number): Condition => ({
    op: "and",
    of: [
      { op: "eq", field: "event.code", value: code },
      { op: "eq", field: "a", value: "x" },
    ],
  });
  const set = compileRules([of(1), of(2)].map(ruleOf));
  const out: number[] = [];
  for (const e of [
    event({ "event.code": "1", a: "X" }),
    event({ "event.code": 1, a: "y" }),
    event({ "event.code": "2" }),
    event({ "event.code": "3" }),
    event({}),
  ])
    set.match(e, out);
  expect(set.counts()).toEqual([
    { seen: 2, matched: 1, notMatched: 1 },
    { seen: 1, matched: 0, notMatched: 1 },
  ]);
  expect(set.seen()).toMatchObject({ r0: 2, r1: 1 });
  expect(set.rulesIn(set.bucketOf(event({ "event.code": "1" })))).toEqual([0]);
});

test("endless new kinds of events keep the buckets bounded and the counts right", () => {
  const rules: Condition[] = Array.from({ length: 60 }, (_, i) => ({
    op: "or",
    of: [
      { op: "eq", field: "event.code", value: i },
      { op: "eq", field: "winlog.channel", value: `c${i}` },
    ],
  }));
  const set = compileRules(rules.map(ruleOf));
  const out: number[] = [];
  const drained = rules.map(() => ({ seen: 0, matched: 0, evaluated: 0, estimated_ms: 0 }));
  const drain = () => {
    for (const { rule, ...use } of set.drain()) for (const [name, n] of Object.entries(use)) drained[rule]![name as "seen"] += n;
  };
  for (let i = 0; i < 60; i++) {
    for (let j = 0; j < 60; j++) set.match(event({ "event.code": String(i), "winlog.channel": `c${j}` }), out);
    if (i % 7 === 0) drain();
  }
  for (let i = 0; i < 10_000; i++) set.match(event({ "event.code": `unknown ${i}` }), out);
  expect(set.statistics().buckets).toBeLessThanOrEqual(2_048);
  for (const c of set.counts()) expect(c).toEqual({ seen: 119, matched: 119, notMatched: 0 });
  drain();
  expect(set.drain()).toEqual([]);
  for (const [rule, { evaluated, estimated_ms }] of set.costs().entries()) {
    expect(drained[rule]).toMatchObject({ seen: 119, matched: 119, evaluated });
    expect(drained[rule]!.estimated_ms).toBeCloseTo(estimated_ms, 6);
  }
});

test("hostile values neither throw nor match", () => {
  const ops: Condition[] = [
    { op: "contains", field: "a", value: "needle" },
    { op: "regex", field: "a", value: "(x+)+needle" },
    { op: "cidr", field: "a", value: "10.0.0.0/8" },
    { op: "lt", field: "a", value: 1 },
    { op: "keyword", value: "needle" },
    { op: "fieldref", field: "a", other: "b", how: "contains" },
    { op: "like", field: "a", value: "*n?edle*" },
  ];
  const set = compileRules(ops.map(ruleOf));
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const odd: unknown[] = [
    {},
    { toString: null },
    cyclic,
    [{}, undefined],
    () => 1,
    Symbol("x"),
    Number.NaN,
    Number.POSITIVE_INFINITY,
    10n,
    "\ud800",
    `${"x".repeat(200_000)}needle`,
    "a:b:c::d::e",
  ];
  for (const v of odd) expect(set.match({ fields: { a: v as FieldValue, b: v as FieldValue } }, [])).toBeLessThanOrEqual(1);
});

test("of a value, the first 64 Ki characters are looked at", () => {
  const set = compileRules([ruleOf({ op: "contains", field: "a", value: "needle" }, 0)]);
  expect(set.match(event({ a: `${"x".repeat(maxLookedAt - 6)}needle` }), [])).toBe(1);
  expect(set.match(event({ a: `${"x".repeat(maxLookedAt)}needle` }), [])).toBe(0);
});

test("an explanation names selection, field, value and comparison", () => {
  const { rules } = parseRules(
    "title: T\nlogsource: {product: linux, service: sshd}\ndetection:\n  selection:\n    message|contains: [Accepted, 'Failed password']\n    port: [22, 2222]\n  filter: {user: root}\n  condition: selection and not filter\n",
    "t.yml",
  );
  const pipeline = parsePipeline("name: p\ntransformations: [{type: add_condition, conditions: {event.dataset: linux.auth}}]\n", "p.yml");
  const set = compileRules(rules, { pipelines: [pipeline] });
  const e = event({ "event.dataset": "linux.auth", message: "failed password for ada", port: 22, user: "ada" });
  expect(set.match(e, [])).toBe(1);
  expect(set.explain(0, e)).toEqual([
    { clause: "logsource", field: "event.dataset", value: "linux.auth", comparison: 'eq "linux.auth"' },
    { clause: "selection", field: "message", value: "failed password for ada", comparison: 'contains "Failed password"' },
    { clause: "selection", field: "port", value: "22", comparison: "eq 22" },
  ]);
  expect(set.explain(0, event({ message: "x" }))).toEqual([]);
  expect(set.explain(7, e)).toEqual([]);
});

test("two rules of one id: the second is refused, named with the first", () => {
  const set = compileRules([ruleOf({ op: "exists", field: "a" }, 0), ruleOf({ op: "exists", field: "b" }, 0)]);
  expect(set.rules).toHaveLength(1);
  expect(set.refused[0]!.message).toContain("t.yml:1 has it already");
});
