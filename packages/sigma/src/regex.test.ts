import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { compilePattern, type Pattern } from "./regex.ts";

function compile(source: string, flags = ""): Pattern {
  const pattern = compilePattern(source, flags);
  if ("problem" in pattern) throw new Error(pattern.problem);
  return pattern;
}

test.each([
  ["net\\s+user", [["user"], ["net"]]],
  ["(?i)\\\\(venv|python3)\\\\lib", [["\\venv\\lib", "\\python3\\lib"]]],
  ["(foo|barbaz)\\d", [["foo", "barbaz"]]],
  ["[Ee]nc", [["enc"]]],
  ["a?bc+", [["b"], ["c"]]],
  ["(abc){2,3}", [["abc"]]],
  ["[a-z]+", []],
  ["(foo|)", []],
  ["é+foo", [["foo"]]],
  ["set.*&&(a|bc)d*.*(echo|set)$", [["set"], ["&&a", "&&bc"], ["echo", "set"]]],
  ["(a.*bcd|efg+)h", [["bcd", "ef"], ["h"]]],
])("what %s needs: %o", (source, needs) => {
  expect(compile(source).needs).toEqual(needs);
});

test.each([
  ["foo", 50_000, Number.MAX_SAFE_INTEGER],
  ["^foo$", Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  ["foo.*bar", 1_000, 10_000],
  ["(a+)+b", 0, 0],
  ["(?:a|aa)*b", 0, 0],
  ["(a?){30}a{30}", 0, 10],
  ["(.*)(.*)(.*)(.*)x", 0, 100],
])("V8 runs %s on at most so many characters", (source, least, most) => {
  const { nativeLength } = compile(source);
  expect(nativeLength).toBeGreaterThanOrEqual(least);
  expect(nativeLength).toBeLessThanOrEqual(most);
});

test.each(["(?=x)a", "(a)\\1", "(?<!x)a", "a{2000}", "(", "[z-a]", "*a"])("%s is not taken", (source) => {
  expect(compilePattern(source, "")).toHaveProperty("problem");
});

test.each(["\\pL+x", "(?P<n>x)", "[[:alpha:]]+", "\\Qa.b\\E", "a(?i:B)c"])("%s is left to RE2 whole", (source) => {
  expect(compile(source).nativeLength).toBe(0);
});

// Random patterns of the common syntax: V8 and RE2 must agree on every text, and needed literals must be there.
const atom = fc.constantFrom(
  "a",
  "b",
  "B",
  ".",
  "\\.",
  "\\s",
  "\\S",
  "\\w",
  "\\D",
  "[ab]",
  "[^a]",
  "[a-c0-9]",
  "[\\s.-]",
  "\\\\",
  "^",
  "$",
  "\\b",
  "é",
  " ",
);
const piece = fc
  .tuple(atom, fc.constantFrom("", "", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"))
  .map(([a, q]) => (/^[\^$]$|^\\b$/.test(a) ? a : a + q));
const group: fc.Arbitrary<string> = fc.letrec<{ part: string; whole: string }>((tie) => ({
  part: fc.oneof(
    { weight: 4, arbitrary: piece },
    tie("whole").map((w) => `(?:${w})`),
    tie("whole").map((w) => `(${w})?`),
  ),
  whole: fc.oneof(
    { depthSize: "small" },
    fc.array(piece, { minLength: 1, maxLength: 4 }).map((p) => p.join("")),
    fc.array(tie("part"), { maxLength: 3 }).map((p) => p.join("")),
    fc.tuple(tie("part"), tie("part")).map((p) => p.join("|")),
  ),
})).whole;
const text = fc.string({
  unit: fc.constantFrom("a", "b", "B", "A", "c", ".", " ", "\n", "\u00a0", "\\", "0", "é", "-", "😀"),
  maxLength: 12,
});

test("V8 and RE2 agree, and matching texts hold a literal of each needed set", () => {
  fc.assert(
    fc.property(group, fc.constantFrom("", "i", "s", "is"), fc.array(text, { minLength: 1, maxLength: 8 }), (source, flags, texts) => {
      const pattern = compilePattern(source, flags);
      if ("problem" in pattern) return;
      const linear = RE2JS.compile(source, (flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) | (flags.includes("s") ? RE2JS.DOTALL : 0));
      for (const t of texts) {
        const found = pattern.test(t);
        expect(found).toBe(linear.test(t));
        if (found) for (const set of pattern.needs) expect(set.some((l) => t.toLowerCase().includes(l))).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("a pattern that would backtrack for ever does not", () => {
  const pattern = compile("(a+)+$");
  expect(pattern.test(`${"a".repeat(50_000)}b`)).toBe(false);
});

test("a pattern that only one of the two engines takes is refused when it loads, not when a long value comes", () => {
  expect(compilePattern("^/(var/)?tmp/([^/]{1,255}/){0,8}\\.[^/.]", "")).toMatchObject({ problem: expect.stringMatching(/RE2 says/) });
});

test("what is taken without asking RE2 is what RE2 takes, up to its limits", () => {
  fc.assert(
    fc.property(group, fc.array(fc.integer({ min: 1, max: 1_200 }), { minLength: 1, maxLength: 3 }), (inner, counts) => {
      const source = counts.reduce((of, n) => `(?:${of}){0,${n}}`, inner);
      const pattern = compilePattern(source, "");
      if (!("problem" in pattern)) expect(() => RE2JS.compile(source)).not.toThrow();
    }),
    { numRuns: 100 },
  );
  for (const source of ["^.{0,1000}x", "^(?:a{0,31}b){0,32}x", `^(?:${"ab?".repeat(80)}){0,1000}x`])
    expect(compile(source).test("a".repeat(70_000)), source).toBe(false);
});
