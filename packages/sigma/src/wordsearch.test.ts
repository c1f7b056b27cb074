import { foldCase } from "@vedette/condition";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxLookedAt } from "./frame.ts";
import { WordIndex } from "./wordindex.ts";
import { WordSearch } from "./wordsearch.ts";

const text = (maxLength: number) =>
  fc.string({
    unit: fc.constantFrom("a", "b", "A", "B", "k", "\u212a", "\u0130", "i", "É", "é", "Σ", "ς", "\u4e2d", "\xff", "\0"),
    maxLength,
  });
const literals = fc.uniqueArray(
  text(12)
    .map(foldCase)
    .filter((t) => t !== ""),
  { minLength: 1, maxLength: 8 },
);

test("finds just the literals that the folded text contains", () => {
  fc.assert(
    fc.property(literals, fc.array(text(60), { maxLength: 6 }), (literals, texts) => {
      const search = new WordSearch(literals);
      for (const t of texts) {
        const found: number[] = [];
        search.find(t, found);
        expect([...new Set(found)].sort()).toEqual(literals.flatMap((l, i) => (foldCase(t).includes(l) ? [i] : [])));
      }
    }),
    { numRuns: 500 },
  );
});

const indexOf = (literals: readonly string[]) =>
  new WordIndex(
    literals.map((text, rule) => ({ literal: { field: "", kind: "part", text }, rule })),
    (texts) => new WordSearch(texts),
  );

test("of an event's texts none is left out, and what is found beyond them reaches over two", () => {
  const event = fc.record({
    original: fc.option(text(20), { nil: undefined }),
    fields: fc.dictionary(fc.string(), fc.oneof(text(40), fc.array(text(10)))),
  });
  fc.assert(
    fc.property(literals, fc.array(event, { maxLength: 4 }), (literals, events) => {
      const index = indexOf(literals);
      for (const { original, fields } of events) {
        const texts = [...(original === undefined ? [] : [original]), ...Object.values(fields).flat()].map(foldCase);
        const found = new Set(index.candidates({ fields, ...(original === undefined ? {} : { original }) }));
        for (const [rule, literal] of literals.entries()) {
          const expected = texts.some((t) => t.includes(literal));
          if (expected) expect(found).toContain(rule);
          else if (!literal.includes("\n")) expect(found).not.toContain(rule);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("an event of many long texts is searched in parts, and of each text every character", () => {
  const index = indexOf(["needle", "é!"]);
  const filler = "x".repeat(maxLookedAt - 6);
  const found = (texts: readonly string[]) => [...index.candidates({ fields: Object.fromEntries(texts.map((t, i) => [`f${i}`, t])) })];
  expect(found(Array<string>(5).fill(filler))).toEqual([]);
  for (let at = 0; at < 5; at++) {
    const texts = Array<string>(5).fill(filler);
    texts[at] = `${filler}neeDLE`;
    expect(found(texts)).toEqual([0]);
    texts[at] = `${filler.slice(0, -1)}É!`;
    expect(found(texts)).toEqual([1]);
  }
});
