import fc from "fast-check";
import { expect, test } from "vitest";
import { always, type Condition, type FieldValue, never } from "./condition.ts";
import { evaluate } from "./evaluate.ts";
import { narrowed, rowsOf, sightOf, unseenFields, type View, wholeText } from "./view.ts";

const site = (name: string): Condition => ({ op: "eq", field: "site", value: name });
const user = (value: string): Condition => ({ op: "eq", field: "user.name", value });
const view = (...parts: View["parts"]): View => ({ parts });

const a = { fields: { site: "a", "user.name": "ann" }, original: "ann at a" };
const b = { fields: { site: "b", "user.name": "bob" }, original: "bob at b" };

test("without a part nothing is seen", () => {
  expect(rowsOf(view())).toEqual(never);
  expect(evaluate(narrowed(always, view()), a)).toBe(false);
  expect(sightOf(view())(a)).toBeUndefined();
});

test("a masked field is found by no question, not by its absence either", () => {
  const both = view({ rows: site("a"), masks: [] }, { rows: site("b"), masks: ["user.*"] });
  const finds = (where: Condition) => [a, b].map((one) => evaluate(narrowed(where, both), one));
  expect(finds(user("ann"))).toEqual([true, false]);
  expect(finds(user("bob"))).toEqual([false, false]);
  expect(finds({ op: "not", of: user("bob") })).toEqual([true, true]);
  expect(finds({ op: "exists", field: "user.name" })).toEqual([true, false]);
  expect(finds({ op: "eq", field: "user.name", value: null })).toEqual([false, true]);
  expect(finds({ op: "keyword", value: "at" })).toEqual([true, false]);
  expect(finds({ op: "fieldref", field: "site", other: "user.name", how: "starts" })).toEqual([false, false]);
  expect(unseenFields({ op: "and", of: [user("x"), site("b"), { op: "keyword", value: "x" }] }, both)).toEqual(["user.name", wholeText]);
});

test("the part that lets a record through says what of it is shown", () => {
  const both = view({ rows: site("a"), masks: [] }, { rows: always, masks: ["user.name"] });
  const sight = sightOf(both);
  expect(sight(a)?.("user.name")).toBe(true);
  expect([sight(b)?.("user.name"), sight(b)?.("message"), sight(b)?.("site")]).toEqual([false, false, true]);
});

const fields = ["site", "user.name", "x", "message"] as const;
const value: fc.Arbitrary<FieldValue | undefined> = fc.oneof(
  fc.constantFrom("a", "b", "", undefined, null, 1),
  fc.array(fc.constantFrom("a", "b", null), { maxLength: 2 }),
);
const record = fc
  .record({ site: value, "user.name": value, x: value, message: value })
  .chain((of) => fc.record({ fields: fc.constant(of), original: fc.constantFrom("a", "b", "") }));
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ op: fc.constant("eq" as const), field: fc.constantFrom(...fields), value: fc.constantFrom("a", "b", 1, null) }),
  fc.record({ op: fc.constant("exists" as const), field: fc.constantFrom(...fields) }),
  fc.record({ op: fc.constant("like" as const), field: fc.constantFrom(...fields), value: fc.constantFrom("*", "a*", "?") }),
  fc.record({ op: fc.constant("keyword" as const), value: fc.constantFrom("a", "b") }),
  fc.record({
    op: fc.constant("fieldref" as const),
    field: fc.constantFrom(...fields),
    other: fc.constantFrom(...fields),
    how: fc.constant("eq" as const),
  }),
);
const condition = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(tie("tree"), { maxLength: 3 }) }),
    fc.record({ op: fc.constant("not" as const), of: tie("tree") }),
  ),
})).tree;
const anyView = fc
  .array(
    fc.record({
      rows: fc.constantFrom<Condition>(always, site("a"), site("b"), { op: "not", of: site("a") }, user("a")),
      masks: fc.subarray(["user.*", "x", "message", "site"]),
    }),
    { maxLength: 3 },
  )
  .map((parts): View => ({ parts }));

test("what is not shown changes no answer: any other value of a masked field, any record not seen", () => {
  fc.assert(
    fc.property(anyView, condition, record, record, (seen, where, one, other) => {
      const sight = sightOf(seen);
      const shows = sight(one);
      const asked = narrowed(where, seen);
      if (shows === undefined) {
        expect(evaluate(asked, one)).toBe(false);
        return;
      }
      // the same record with every hidden value another one, as long as the same parts let it through
      const twin = {
        fields: Object.fromEntries(fields.map((name) => [name, shows(name) ? one.fields[name] : other.fields[name]])),
        original: shows(wholeText) ? one.original : other.original,
      };
      const still = sight(twin);
      fc.pre(still !== undefined && [...fields, wholeText].every((name) => still(name) === shows(name)));
      expect(evaluate(asked, twin)).toBe(evaluate(asked, one));
    }),
    { numRuns: 2_000 },
  );
});

test("where everything is shown, the question is the one that was asked", () => {
  fc.assert(
    fc.property(condition, record, (where, one) => {
      expect(narrowed(where, view({ rows: always, masks: [] }))).toEqual(where);
      expect(evaluate(narrowed(where, view({ rows: site("a"), masks: [] })), one)).toBe(evaluate(site("a"), one) && evaluate(where, one));
    }),
  );
});
