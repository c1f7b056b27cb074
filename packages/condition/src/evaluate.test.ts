import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, FoldMemo } from "./compile.ts";
import type { Condition, FieldValue, Readable } from "./condition.ts";
import { evaluate } from "./evaluate.ts";
import { likeTest } from "./like.ts";
import { foldCase } from "./text.ts";

const field = fc.constantFrom("a", "b", "user.name", "__proto__", "constructor");
const text = fc.oneof(
  fc.constantFrom("root", "Root", "", "4625", "-1.5", "10.1.2.3", "2001:db8::1", "true", "ΑΣ", "ας", "a*b", "a\\b", "💡x", "2026-01-01"),
  fc.string({ unit: fc.constantFrom("a", "A", "b", "*", "?", "\\", "1", "💡"), maxLength: 6 }),
);
const scalar = fc.oneof(text, fc.constantFrom(4625, -1.5, 0, 1e21), fc.boolean(), fc.constant(null));
const cased = fc.constantFrom({}, {}, { cased: true });
const bound = fc.oneof(text, fc.constantFrom(4625, -1.5, 5));
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(field, scalar, cased).map(([field, value, c]): Condition => ({ op: "eq", field, value, ...c })),
  fc
    .tuple(fc.constantFrom("contains", "starts", "ends", "like"), field, text, cased)
    .map(([op, field, value, c]) => ({ op, field, value, ...c }) as Condition),
  fc.tuple(fc.constantFrom("lt", "lte", "gt", "gte"), field, bound).map(([op, field, value]) => ({ op, field, value }) as Condition),
  fc.tuple(field, fc.constantFrom("^a", "b$", "[0-9]{2}", "A|b")).map(([field, value]): Condition => ({ op: "regex", field, value })),
  fc
    .tuple(field, fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"))
    .map(([field, value]): Condition => ({ op: "cidr", field, value })),
  field.map((field): Condition => ({ op: "exists", field })),
  fc
    .tuple(field, field, fc.constantFrom("eq", "contains", "starts", "ends"), cased)
    .map(([field, other, how, c]) => ({ op: "fieldref", field, other, how, ...c }) as Condition),
  fc
    .tuple(field, fc.constantFrom("hour" as const, "week" as const), fc.constantFrom("eq" as const, "gte" as const), fc.nat(60))
    .map(([f, part, how, value]): Condition => ({ op: "time", field: f, part, how, value })),
  fc.tuple(text, cased).map(([value, c]): Condition => ({ op: "keyword", value, ...c })),
);
const condition: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.tuple(fc.constantFrom("and", "or"), fc.array(tie("tree"), { maxLength: 4 })).map(([op, of]) => ({ op, of }) as Condition),
    tie("tree").map((of): Condition => ({ op: "not", of })),
  ),
})).tree;
const readable: fc.Arbitrary<Readable> = fc.record({
  fields: fc.array(fc.tuple(field, fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }))), { maxLength: 4 }).map((entries) => {
    const fields = Object.create(null) as { [name: string]: FieldValue };
    for (const [name, value] of entries) fields[name] = value;
    return fields;
  }),
  original: fc.oneof(text, fc.constant(undefined)),
}) as fc.Arbitrary<Readable>;

test("compile says what evaluate says, also with a memo shared between conditions and events", () => {
  const memo = new FoldMemo();
  fc.assert(
    fc.property(condition, fc.array(readable, { minLength: 1, maxLength: 3 }), (tree, events) => {
      const shared = compile(tree, { memo });
      const own = compile(tree);
      for (const event of events) {
        const expected = evaluate(tree, event);
        expect(shared(event)).toBe(expected);
        expect(own(event)).toBe(expected);
      }
    }),
    { numRuns: 3000 },
  );
});

test("plain objects lend no inherited members", () => {
  const event: Readable = { fields: {} };
  for (const name of ["constructor", "toString", "__proto__"]) {
    expect(evaluate({ op: "exists", field: name }, event)).toBe(false);
    expect(compile({ op: "contains", field: name, value: "" })(event)).toBe(false);
  }
});

const event = (fields: Readable["fields"], original?: string): Readable => ({ fields, ...(original !== undefined && { original }) });
const says = (tree: Condition, on: Readable): boolean => {
  const found = evaluate(tree, on);
  expect(compile(tree)(on)).toBe(found);
  return found;
};

describe("documented meaning", () => {
  test("text compares without case unless cased", () => {
    expect(says({ op: "eq", field: "u", value: "ROOT" }, event({ u: "root" }))).toBe(true);
    expect(says({ op: "eq", field: "u", value: "ROOT", cased: true }, event({ u: "root" }))).toBe(false);
  });
  test("both small sigmas are one letter, wherever in the word", () => {
    expect(says({ op: "eq", field: "u", value: "ας" }, event({ u: "ΑΣ" }))).toBe(true);
    expect(says({ op: "starts", field: "u", value: "ΑΣ" }, event({ u: "ΑΣΑ" }))).toBe(true);
    expect(says({ op: "like", field: "u", value: "ΑΣ*Α" }, event({ u: "ασα" }))).toBe(true);
  });
  test("numbers equal their decimal text", () => {
    expect(says({ op: "eq", field: "c", value: "4625" }, event({ c: 4625 }))).toBe(true);
    expect(says({ op: "eq", field: "c", value: 4625 }, event({ c: "4625" }))).toBe(true);
    expect(says({ op: "gte", field: "c", value: "5" }, event({ c: "40" }))).toBe(true);
    expect(says({ op: "lt", field: "c", value: 5 }, event({ c: "x" }))).toBe(false);
    expect(says({ op: "lt", field: "c", value: 5 }, event({ c: "" }))).toBe(false);
  });
  test("absent is false, also under an order; null, absent and empty arrays are null", () => {
    for (const fields of [{}, { f: null }, { f: [] }]) {
      expect(says({ op: "eq", field: "f", value: null }, event(fields))).toBe(true);
      expect(says({ op: "exists", field: "f" }, event(fields))).toBe(false);
      expect(says({ op: "lt", field: "f", value: 5 }, event(fields))).toBe(false);
      expect(says({ op: "fieldref", field: "f", other: "f", how: "eq" }, event(fields))).toBe(false);
    }
  });
  test("any element satisfies", () => {
    expect(says({ op: "starts", field: "f", value: "b" }, event({ f: ["a", "B2"] }))).toBe(true);
  });
  test("networks", () => {
    const inside = (value: string, ip: string) => says({ op: "cidr", field: "ip", value }, event({ ip }));
    expect(inside("10.0.0.0/8", "10.255.0.1")).toBe(true);
    expect(inside("10.0.0.0/8", "11.0.0.1")).toBe(false);
    expect(inside("10.0.0.0/8", "::ffff:10.0.0.1")).toBe(true);
    expect(inside("10.0.0.0/8", "0:0:0:0:0:ffff:10.0.0.1")).toBe(true);
    expect(inside("10.0.0.0/8", "10.0.0.01")).toBe(false);
    expect(inside("192.168.1.5", "192.168.1.5")).toBe(true);
    expect(inside("0.0.0.0/0", "255.1.1.1")).toBe(true);
    expect(inside("2001:db8::/33", "2001:db8:7fff::1")).toBe(true);
    expect(inside("2001:db8::/33", "2001:db8:8000::1")).toBe(false);
    expect(inside("fe80::/10", "fe80::1%eth0")).toBe(true);
    expect(inside("::/0", "::1")).toBe(true);
    for (const bad of ["10.0.0.0/33", "10.0.0/8", "::/129", "x", "1::2::3/64", "1:2:3:4:5:6:7:8:9/64", "10.0.0.0/"])
      expect(() => compile({ op: "cidr", field: "ip", value: bad })).toThrow("not a network");
  });
  test("keywords look into every field and the original", () => {
    expect(says({ op: "keyword", value: "fail?d*root" }, event({}, "Failed password for ROOT"))).toBe(true);
    expect(says({ op: "keyword", value: "22" }, event({ port: 2222 }))).toBe(true);
    expect(says({ op: "keyword", value: "a\\" }, event({ path: "a\\b" }))).toBe(true);
    expect(says({ op: "keyword", value: "x" }, event({ y: "y" }))).toBe(false);
  });
});

/** By dynamic programming over characters: slow and plain. */
function likeOracle(pattern: string, whole: string): boolean {
  const tokens: { wild?: string; char?: string }[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const c = chars[i]!;
    if (c === "*" || c === "?") tokens.push({ wild: c });
    else if (c === "\\" && ["*", "?", "\\"].includes(chars[i + 1] ?? "")) tokens.push({ char: chars[++i]! });
    else tokens.push({ char: c });
  }
  let reach = new Set([0]);
  const characters = Array.from(whole);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const at of reach) {
      if (token.wild === "*") for (let i = at; i <= characters.length; i++) next.add(i);
      else if (at < characters.length && (token.wild === "?" || token.char === characters[at])) next.add(at + 1);
    }
    reach = next;
  }
  return reach.has(characters.length);
}

test("like equals matching character by character", () => {
  const unit = fc.constantFrom("a", "b", "*", "?", "\\", "💡");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 12 }), (pattern, whole) => {
      expect(likeTest(pattern, true)(whole)).toBe(likeOracle(pattern, whole));
      expect(likeTest(pattern, false)(foldCase(whole))).toBe(likeOracle(foldCase(pattern), foldCase(whole)));
    }),
    { numRuns: 5000 },
  );
});
