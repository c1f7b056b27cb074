import { describe, expect, test } from "vitest";
import { openingOf, sureWords } from "./guidance_words.ts";

describe("openingOf", () => {
  test("what is short is whole", () => {
    expect(openingOf(" One  sentence.\nAnother. ")).toEqual(["One sentence. Another.", ""]);
  });
  test("what is long is cut behind a sentence", () => {
    const long = `${"Words ".repeat(40)}end. ${"More ".repeat(40)}end.`;
    const [opening, rest] = openingOf(long);
    expect(opening).toMatch(/^Words .* end\.$/);
    expect(`${opening} ${rest}`).toBe(long);
  });
  test("one sentence without an end stays whole", () => {
    expect(openingOf("x".repeat(400))).toEqual(["x".repeat(400), ""]);
  });
});

test("how sure it is says what was counted, and no more", () => {
  const none = { true_positive: 0, benign: 0, false_positive: 0 };
  expect(sureWords({ status: "", verdicts: none })).toBe("none of its alerts has been closed with a verdict yet");
  expect(sureWords({ status: "beta", verdicts: { ...none, benign: 1 } })).toBe(
    "rule is beta; of its one closed alert 0 true, 1 benign, 0 false",
  );
  expect(sureWords({ status: "", verdicts: { true_positive: 3, benign: 1, false_positive: 2 } })).toBe(
    "of its newest 6 closed alerts 3 true, 1 benign, 2 false",
  );
});
