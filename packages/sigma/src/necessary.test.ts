import { type Condition, evaluate } from "@vedette/condition";
import fc from "fast-check";
import { expect, test } from "vitest";
import { necessaryOf } from "./index.ts";

const field = fc.constantFrom("a", "b", "c");
const text = fc.constantFrom("x", "xy", "yx", "X", "1", "");
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ op: fc.constantFrom("eq" as const, "contains" as const, "starts" as const, "ends" as const), field, value: text }),
  fc.record({ op: fc.constant("eq" as const), field, value: fc.constant(null) }),
  fc.record({ op: fc.constant("regex" as const), field, value: fc.constantFrom("x+y", "^x|y$", "[xy]1?", "x1|y") }),
  fc.record({ op: fc.constant("exists" as const), field }),
);
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(tie("condition"), { maxLength: 3 }) }),
    fc.record({ op: fc.constant("not" as const), of: tie("condition") }),
  ),
}));
const event = fc.record({ fields: fc.dictionary(field, fc.oneof(text, fc.array(text, { maxLength: 2 }))) });

test("whatever satisfies one of the conditions satisfies what they need", () => {
  let decided = 0;
  fc.assert(
    fc.property(fc.array(condition, { minLength: 1, maxLength: 5 }), fc.array(event, { maxLength: 8 }), (conditions, events) => {
      const necessary = necessaryOf(conditions);
      for (const one of events) {
        const needed = evaluate(necessary, one);
        if (!needed) decided++;
        if (conditions.some((c) => evaluate(c, one))) expect(needed).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(decided).toBeGreaterThan(200);
});

test("of many rules it asks for less, and never for what one of them does not need", () => {
  const kind: Condition = { op: "eq", field: "kind", value: "k" };
  const rules = (n: number): Condition[] =>
    Array.from({ length: n }, (_, i) => ({
      op: "and",
      of: [
        kind,
        { op: "or", of: [0, 1].map((k) => ({ op: "eq", field: "a", value: `${i}-${k}` })) },
        { op: "eq", field: "b", value: `rule ${i}` },
      ],
    }));
  const told = (n: number) => JSON.stringify(necessaryOf(rules(n)));
  expect([told(10).includes("9-1"), told(10).includes('"b"')]).toEqual([true, true]);
  expect([told(2_000).includes("rule 1999"), told(2_000).includes("9-1")]).toEqual([true, false]);
});
