import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { incomplete, invalid, maxJsonDepth, nestsTooDeep, scanValue, tooDeep, ValueSkipper } from "./json_scan.ts";

const scan = (text: string, from = 0) => {
  const bytes = Buffer.from(text);
  return scanValue(bytes, from, bytes.length);
};
const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
/** Text that is nearly JSON. */
const nearJson = fc
  .array(
    fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      ",",
      ":",
      " ",
      "\n",
      "\\",
      "\\u00e9",
      "\\u0",
      "\\x",
      "0",
      "1",
      "-",
      "1.5",
      ".",
      "e",
      "1e+",
      "true",
      "tru",
      "null",
      '"a"',
      '"é"',
      "\u0001",
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("scanValue", () => {
  test("agrees with JSON.parse on whole values", () => {
    fc.assert(
      fc.property(fc.oneof(nearJson, fc.json()), (text) => {
        const bytes = Buffer.from(text);
        const end = scanValue(bytes, 0, bytes.length);
        // Behind the value there may be white space, which JSON.parse takes and we leave.
        expect(end > 0 && text.trim() !== "" && /^[ \t\r\n]*$/.test(bytes.toString("utf8", end))).toBe(parses(text));
      }),
      { numRuns: 5_000 },
    );
  });

  test("every beginning of a bracketed value is incomplete, and nothing behind it matters", () => {
    fc.assert(
      fc.property(fc.json(), nearJson, (value, behind) => {
        const text = `[${value}]`;
        const bytes = Buffer.from(text);
        for (let length = 0; length < bytes.length; length++) expect(scanValue(bytes, 0, length)).toBe(incomplete);
        expect(scan(text + behind)).toBe(bytes.length);
      }),
      { numRuns: 200 },
    );
  });

  test.each([
    ["", incomplete],
    ["  ", incomplete],
    ["[1,]", invalid],
    ['{"a"}', invalid],
    ["{,}", invalid],
    ["[1}", invalid],
    ["01", 1],
    ['"\u0000"', invalid],
    [" [] x", 3],
  ])("%j", (text, expected) => expect(scan(text)).toBe(expected));

  test("depth: 64 is taken, 65 is not, a million neither parses nor overflows", () => {
    expect(scan("[".repeat(maxJsonDepth) + "]".repeat(maxJsonDepth))).toBe(2 * maxJsonDepth);
    expect(scan("[".repeat(maxJsonDepth + 1) + "]".repeat(maxJsonDepth + 1))).toBe(tooDeep);
    expect(scan('{"a":'.repeat(1_000_000))).toBe(tooDeep);
  });
});

describe("nestsTooDeep", () => {
  test("agrees with scanValue on JSON, and looks into no string", () => {
    for (const depth of [1, maxJsonDepth, maxJsonDepth + 1, 1_000]) {
      const bytes = Buffer.from(`${'{"a":['.repeat(depth / 2)}"[[[[\\"{{{{"`);
      expect(nestsTooDeep(bytes)).toBe(Math.floor(depth / 2) * 2 > maxJsonDepth);
    }
    const quoted = Buffer.from(JSON.stringify({ a: "[".repeat(1_000) }));
    expect(nestsTooDeep(quoted)).toBe(false);
  });
});

describe("ValueSkipper", () => {
  test("ends where scanValue does, however the bytes are cut, at any depth", () => {
    fc.assert(
      fc.property(fc.json(), fc.nat({ max: 50 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (value, depth, cuts) => {
        const bytes = Buffer.from(`${"[".repeat(depth + 1)}${value}${"]".repeat(depth + 1)}, more`);
        const skipper = new ValueSkipper();
        let at = 0;
        for (let i = 0; ; i++) {
          const to = Math.min(bytes.length, at + cuts[i % cuts.length]!);
          const end = skipper.feed(bytes, at, to);
          if (end !== incomplete) {
            expect(end).toBe(bytes.length - ", more".length);
            return;
          }
          at = to;
          expect(at).toBeLessThan(bytes.length);
        }
      }),
    );
  });
});
