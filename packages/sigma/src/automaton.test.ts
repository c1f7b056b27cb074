import { foldCase } from "@vedette/condition";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Automaton, foldsToLatin } from "./automaton.ts";

const text = fc.string({
  unit: fc.constantFrom("a", "b", "A", "B", "k", "\u212a", "\u0130", "i", "É", "é", "Σ", "ς", "σ", "ß", "\u1e9e", "\u4e2d", "😀"),
  maxLength: 12,
});

test("finds just the literals that the folded text contains", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        text.map(foldCase).filter((t) => t !== ""),
        { minLength: 1, maxLength: 8 },
      ),
      fc.array(text),
      (literals, texts) => {
        const automaton = new Automaton(literals);
        // Long texts take another way through the scan.
        for (const t of [...texts, ...texts.map((one) => `${one}${"-".repeat(80)}${one}`)]) {
          const found: number[] = [];
          automaton.scan(t, found);
          expect([...new Set(found)].sort()).toEqual(literals.flatMap((l, i) => (foldCase(t).includes(l) ? [i] : [])));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("no other unit folds to Latin-1", () => {
  for (let unit = 256; unit < 65_536; unit++) {
    const folded = foldCase(String.fromCharCode(unit));
    const latin = [...folded].some((c) => c.charCodeAt(0) < 256);
    expect(latin, unit.toString(16)).toBe(foldsToLatin(unit));
  }
});
