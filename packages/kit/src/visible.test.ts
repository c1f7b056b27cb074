import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonText, visible } from "./index.ts";

const nothingHidden = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u;
/** Cf of scripts that are written with them: signs before numbers, which show. */
const shown = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}\u{13430}-\u{1345f}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}]/gu;

test("nothing hidden or steering is left, and what can be seen stays", () => {
  expect(visible("a\u001b[31mb\u202ec\u200bd\r\ne\u009b2J\u{e0041}")).toBe(
    "a\\u001b[31mb\\u202ec\\u200bd\\u000d\\u000ae\\u009b2J\\udb40\\udc41",
  );
  expect(visible("Grüße, 世界 🙂 <b>")).toBe("Grüße, 世界 🙂 <b>");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(visible(text).replace(shown, "")).toMatch(nothingHidden);
    }),
  );
});

test("JSON reads back as it was, and shows nothing hidden either", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const written = jsonText({ [text]: text });
      expect(JSON.parse(written)).toEqual({ [text]: text });
      expect(written.replace(shown, "")).toMatch(nothingHidden);
    }),
  );
  expect(jsonText([1, { a: "\u2028" }], 2)).toBe('[\n  1,\n  {\n    "a": "\\u2028"\n  }\n]');
});
