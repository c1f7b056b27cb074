/** Formats that read documents meet values of the wrong type: no exception, and nothing but scalars and lists of them comes out. */
import type { DecodeResult, JsonKind, JsonObject, JsonValue } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formats } from "./index.ts";

const context = { preamble: undefined, received: 1_700_000_000_000_000, peer: undefined, source: "test", stream: "test" };
const known = await formats();

/** The document with the values at some of its places replaced. */
function confuse(value: JsonValue, replacements: readonly { readonly at: number; readonly by: JsonValue }[]): JsonValue {
  let place = 0;
  const walk = (one: JsonValue): JsonValue => {
    const found = replacements.find(({ at }) => at === place);
    place++;
    if (found !== undefined) return found.by;
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, walk(inner as JsonValue)]));
  };
  return walk(value);
}

function check(result: DecodeResult): void {
  if ("code" in result || "skip" in result) return;
  for (const { time, fields } of Array.isArray(result) ? result : [result]) {
    if (time !== undefined) expect(Number.isSafeInteger(time)).toBe(true);
    for (const key of Object.keys(fields)) {
      const value = fields[key];
      for (const scalar of Array.isArray(value) ? value : [value]) expect(typeof scalar).toMatch(/^(string|number|boolean)$/);
    }
  }
}

const hostile = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    "",
    -1,
    1e308,
    true,
    [],
    {},
    [null],
    [[1]],
    { "#text": {} },
    { __proto__: 1 },
    "\u0000",
    "9".repeat(30),
    "-",
  ),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>,
);

for (const [name, { json, examples }] of known) {
  if (json === undefined) continue;
  const documents = examples.flatMap(({ input }) => {
    try {
      return [JSON.parse(input) as JsonObject];
    } catch {
      return [];
    }
  });
  describe(name, () => {
    test("values of any type at any place", () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...documents),
          fc.array(fc.record({ at: fc.integer({ min: 1, max: 60 }), by: hostile }), { minLength: 1, maxLength: 4 }),
          (document, replacements) => decodes(json, confuse(document, replacements) as JsonObject),
        ),
        { numRuns: 500 },
      );
    });
    test("any document", () => {
      fc.assert(fc.property(fc.dictionary(fc.string(), hostile), (document) => decodes(json, document as JsonObject)));
    });
  });
}

function decodes(json: JsonKind, document: JsonObject): void {
  const certainty = json.claims(document, context);
  expect(certainty >= 0 && certainty <= 1).toBe(true);
  if (certainty >= 0.5) check(json.decode(document, JSON.stringify(document), context));
}
