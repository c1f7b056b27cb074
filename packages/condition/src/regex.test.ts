import fc from "fast-check";
import { expect, test } from "vitest";
import { ConditionError, linearForm, regexTest } from "./regex.ts";

test("patterns that are linear for certain run natively", () => {
  for (const pattern of [
    "^cmd",
    "powershell(\\.exe)?$",
    "a|b|c",
    "foo[a-z]{1,8}bar",
    "id=[0-9]+;",
    "^\\s*-[a-z]+ ",
    "\\d+$",
    ".*evil.*",
    "(?:GET|POST) [^ ]* HTTP",
    "x{3}",
  ])
    expect([pattern, linearForm(pattern, "i")]).not.toContain(undefined);
});

test("what could be retried, and what cannot be judged, is refused without an engine", () => {
  for (const pattern of [
    "(a+)+$",
    "(a|a)*b",
    "a.*b.*c",
    "x\\d+\\d+y",
    "(.)\\1",
    "(?=a)b",
    "(?<=a)b",
    "(?<n>a)\\k<n>",
    "(a{0,30}){0,30}b",
    "aa+b",
    "\\p{L}",
    "[",
    "a**",
    "(",
    ")",
    "a{2000}",
    "b[^a]*a".repeat(3),
  ]) {
    expect([pattern, linearForm(pattern, "")]).toEqual([pattern, undefined]);
    expect(() => regexTest(pattern, "")).toThrow(ConditionError);
  }
  expect(linearForm("a", "g")).toBeUndefined();
});

test("an injected engine takes the rest", () => {
  const asked: string[] = [];
  const factory = (pattern: string, flags: string) => {
    asked.push(`${pattern}/${flags}`);
    return { test: (text: string) => text === "yes" };
  };
  expect(regexTest("a.*b.*c", "i", factory).test("yes")).toBe(true);
  expect(regexTest("^a", "", factory).test("abc")).toBe(true);
  expect(asked).toEqual(["a.*b.*c/i"]);
  const refusing = () => {
    throw new Error("no");
  };
  expect(() => regexTest("a.*b.*c", "", refusing)).toThrow("linear-time dialect");
});

const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "\\d", "1", "(?:a|b1)", "(ab?)", "^", "$", "\\b");
const quantifier = fc.constantFrom("", "", "", "*", "+", "?", "{1,2}", "+?");
const pattern = fc
  .array(fc.tuple(atom, quantifier), { maxLength: 6 })
  .map((items) => items.map(([one, many]) => (["^", "$", "\\b"].includes(one) ? one : one + many)).join(""));

test("the rewritten form matches exactly the same texts", () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 2 }).map((several) => several.join("|")),
      fc.string({ unit: fc.constantFrom("a", "b", "1", "A", " ", "é"), maxLength: 10 }),
      fc.constantFrom("", "i"),
      (source, text, flags) => {
        const form = linearForm(source, flags);
        fc.pre(form !== undefined);
        expect(new RegExp(form, flags).test(text)).toBe(new RegExp(source, flags).test(text));
      },
    ),
    { numRuns: 5000 },
  );
});
