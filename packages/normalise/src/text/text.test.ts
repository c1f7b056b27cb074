/** Rows and pairs come apart as they were put together, and end where they should. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { cefPairs, delimitedPairs } from "../extension/pairs.ts";
import keyValue from "../formats/key_value.ts";
import { splitCsv } from "./csv.ts";
import { keyValuePairs } from "./key_value.ts";

test("CSV: any values survive quoting", () => {
  const quote = (value: string) => `"${value.replaceAll('"', '""')}"`;
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(",", ";", "\t", "||"),
      (values, by) => {
        expect(splitCsv(values.map(quote).join(by), by)).toEqual(values);
      },
    ),
    { numRuns: 200 },
  );
  expect(splitCsv("a,,b", ",")).toEqual(["a", "", "b"]);
  expect(splitCsv('"a', ",")).toBeUndefined();
  expect(splitCsv('"a"b', ",")).toBeUndefined();
  expect(splitCsv(",".repeat(2_000), ",")).toBeUndefined();
});

test("logfmt: quoted values, escapes, words between, a message in front", () => {
  expect(keyValuePairs('a=1 b="two \\"x\\" words" c= d="open')).toEqual({
    pairs: { a: "1", b: 'two "x" words', c: "", d: "open" },
    count: 4,
    before: "",
    whole: true,
  });
  expect(keyValuePairs("started a=1 and b=2")).toMatchObject({ before: "started", whole: false, pairs: { a: "1", b: "2" } });
  expect(keyValuePairs("no pairs here: a = b")).toBeUndefined();
  expect(Object.keys(keyValuePairs("__proto__=x a=1")!.pairs)).toEqual(["__proto__", "a"]);
});

test("CEF: values with blanks and escaped equals signs run to the next key", () => {
  expect({ ...cefPairs("src=192.0.2.1 msg=a \\= b and c\\nd cs1Label=x y act=blocked") }).toEqual({
    src: "192.0.2.1",
    msg: "a = b and c\nd",
    cs1Label: "x y",
    act: "blocked",
  });
  expect({ ...delimitedPairs("a=1^b=x=y^^c", "^") }).toEqual({ a: "1", b: "x=y" });
});

test("a line without pairs in a stream of them is a message, not a dead letter", () => {
  const decode = keyValue.decoder(keyValue.config.parse({}));
  const result = decode("  at java.lang.Thread.run", { preamble: undefined, received: 0, peer: undefined, source: "s", stream: "s" });
  expect(result).toMatchObject({ time: undefined, fields: { message: "  at java.lang.Thread.run", "event.dataset": "key_value" } });
});
