import { foldCase } from "@vedette/condition";
import fc from "fast-check";
import { expect, test } from "vitest";
import { maxLookedAt } from "./frame.ts";
import { WordSearch } from "./wordsearch.ts";

const text = (maxLength: number) =>
  fc.string({
    unit: fc.constantFrom("a", "b", "A", "B", "k", "\u212a", "\u0130", "i", "É", "é", "Σ", "ς", "\u4e2d", "\xff", "\0"),
    maxLength,
  });

const findAll = (search: WordSearch, texts: readonly string[]) => {
  const found: number[] = [];
  for (const one of texts) search.add(one, found);
  search.finish(found);
  return [...new Set(found)].sort();
};

test("finds just the literals that one of the folded texts contains, and none that spans two", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        text(12)
          .map(foldCase)
          .filter((t) => t !== ""),
        { minLength: 1, maxLength: 8 },
      ),
      fc.array(fc.array(text(40), { maxLength: 6 }), { maxLength: 5 }),
      (literals, events) => {
        const search = new WordSearch(literals);
        for (const texts of events) {
          const expected = literals.flatMap((l, i) => (texts.some((t) => foldCase(t).includes(l)) ? [i] : []));
          expect(findAll(search, texts)).toEqual(expected);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("an event of many long texts is searched in parts, and of each text every character", () => {
  const search = new WordSearch(["needle", "é!"]);
  const filler = "x".repeat(maxLookedAt - 6);
  expect(findAll(search, Array<string>(5).fill(filler))).toEqual([]);
  for (let at = 0; at < 5; at++) {
    const texts = Array<string>(5).fill(filler);
    texts[at] = `${filler}neeDLE`;
    expect(findAll(search, texts)).toEqual([0]);
    texts[at] = `${filler.slice(0, -1)}É!`;
    expect(findAll(search, texts)).toEqual([1]);
  }
});
