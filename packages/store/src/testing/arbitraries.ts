/** Events and conditions that meet every corner of the condition language, for properties that hold of any event store. */
import type { Condition, FieldValue } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import { type Event, eventClasses } from "@vedette/model";
import fc from "fast-check";

/** Text that meets the store's own marks, JSON's escapes, LIKE's and RE2's characters, and several alphabets. */
const word = fc.oneof(
  fc.constantFrom(
    "",
    "\u0001",
    '\u0001"x"',
    "a",
    "A",
    "admin",
    "ADMIN",
    "x\\y",
    '"q"',
    "%",
    "_",
    "*",
    "?",
    "a.b",
    "é",
    "É",
    "ß",
    "😀",
    "\0",
    "\n",
    "4625",
    "1.5",
    "true",
    "null",
    "[]",
  ),
  fc.constantFrom(
    "10.0.0.1",
    "10.0.1.1",
    "::1",
    "2001:db8::7",
    "::ffff:10.0.0.9",
    "::ffff:a00:1",
    "010.0.0.1",
    "10.0.0.256",
    "1:2:3:4:5:6:7:8",
    "1::2::3",
    ":::",
    "fe80::1%eth0",
  ),
  fc.string({ maxLength: 6 }),
);
const number = fc.oneof(fc.integer(), fc.constantFrom(0, 4625, 1.5, -3, 1e15, 0.001));
const scalar = fc.oneof({ weight: 4, arbitrary: word }, number, fc.boolean(), fc.constant(null));
const value: fc.Arbitrary<FieldValue> = fc.oneof({ weight: 3, arbitrary: scalar }, fc.array(scalar, { maxLength: 3 }));
const names = [
  "source.ip",
  "source.port",
  "user.name",
  "event.category",
  "message",
  "zeek.uid",
  "a/b~c",
  'k"e\\y',
  "__proto__",
  "constructor",
  "",
];
export const field = fc.constantFrom(...names);
const fields = fc.array(fc.tuple(field, value), { maxLength: 6 });

export const shape = fc.record({
  tenant: fc.constant("main"),
  source: word,
  host: word,
  class: fc.constantFrom(...eventClasses),
  time: fc.integer({ min: 0, max: 2 ** 52 }),
  fields,
  original: fc.oneof(word, fc.string({ unit: "grapheme", maxLength: 40 })),
});
export function eventsOf(shapes: readonly (typeof shape extends fc.Arbitrary<infer T> ? T : never)[], from: number): Event[] {
  return shapes.map((one, i) => {
    const own = newFields();
    for (const [name, held] of one.fields) own[name] = held;
    return { ...one, fields: own, id: `e${from + i}`, received: from + i, seq: from + i };
  });
}

const network = fc.constantFrom(
  "10.0.0.0/8",
  "10.0.0.0/24",
  "10.0.0.1",
  "0.0.0.0/0",
  "::/0",
  "2001:db8::/32",
  "::1",
  "::ffff:10.0.0.0/120",
  "10.0.0.129/25",
);
const pattern = fc.array(fc.oneof(word, fc.constantFrom("*", "?", "\\*", "\\")), { maxLength: 4 }).map((parts) => parts.join(""));
const regex = fc.constantFrom("^a", "a$", "[0-9]+\\.[0-9]+", "(?:ad|x)min", "^$", "a.b", "é", "\\\\", "A");
const cased = fc.constantFrom({}, { cased: true });
export const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ op: fc.constant("eq" as const), field, value: scalar, c: cased }).map(({ c, ...rest }) => ({ ...rest, ...c })),
  fc
    .record({ op: fc.constantFrom("contains" as const, "starts" as const, "ends" as const), field, value: word, c: cased })
    .map(({ c, ...rest }) => ({ ...rest, ...c })),
  fc.record({ op: fc.constant("like" as const), field, value: pattern, c: cased }).map(({ c, ...rest }) => ({ ...rest, ...c })),
  fc.record({ op: fc.constant("keyword" as const), value: pattern, c: cased }).map(({ c, ...rest }) => ({ ...rest, ...c })),
  fc.record({ op: fc.constant("regex" as const), field, value: regex, flags: fc.constantFrom("", "i", "s") }),
  fc.record({ op: fc.constant("cidr" as const), field, value: network }),
  fc.record({ op: fc.constantFrom("lt" as const, "lte" as const, "gt" as const, "gte" as const), field, value: fc.oneof(number, word) }),
  fc.record({ op: fc.constant("exists" as const), field }),
  fc
    .record({
      op: fc.constant("fieldref" as const),
      field,
      other: field,
      how: fc.constantFrom("eq" as const, "contains" as const, "starts" as const, "ends" as const),
      c: cased,
    })
    .map(({ c, ...rest }) => ({ ...rest, ...c })),
);
export const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    { weight: 4, arbitrary: leaf },
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(tie("condition"), { maxLength: 3 }) }),
    fc.record({ op: fc.constant("not" as const), of: tie("condition") }),
  ),
}));
