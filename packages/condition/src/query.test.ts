import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Condition, FieldValue, Readable } from "./condition.ts";
import { evaluate } from "./evaluate.ts";
import { escapeLike } from "./like.ts";
import { parseQuery } from "./parse.ts";
import { printCondition, printQuery } from "./print.ts";
import { maxQueryDepth, maxQueryLength, maxQueryNodes, type Query } from "./query.ts";
import { closest, suggestField } from "./suggest.ts";

const read = (text: string): Query => {
  const result = parseQuery(text);
  if (!result.ok) throw new Error(`${text}: ${result.message} at ${result.position}`);
  return result.query;
};
const where = (text: string) => read(text).where;
const eq = (field: string, value: string | number | boolean | null): Condition => ({ op: "eq", field, value });
const keyword = (value: string): Condition => ({ op: "keyword", value });

describe("filters", () => {
  test.each<[string, Condition]>([
    ["", { op: "and", of: [] }],
    ["*", { op: "and", of: [] }],
    ["not *", { op: "or", of: [] }],
    [
      "process.name:bash and destination.ip:10.0.0.0/8 and not user.name:root",
      {
        op: "and",
        of: [
          eq("process.name", "bash"),
          { op: "cidr", field: "destination.ip", value: "10.0.0.0/8" },
          { op: "not", of: eq("user.name", "root") },
        ],
      },
    ],
    ['f:(a or "b c")', { op: "or", of: [eq("f", "a"), eq("f", "b c")] }],
    [
      "f:(not a and >5)",
      {
        op: "and",
        of: [
          { op: "not", of: eq("f", "a") },
          { op: "gt", field: "f", value: 5 },
        ],
      },
    ],
    ["a:1 OR b:2 And c:3", { op: "or", of: [eq("a", 1), { op: "and", of: [eq("b", 2), eq("c", 3)] }] }],
    ["a:1 b:2 or c:3", { op: "or", of: [{ op: "and", of: [eq("a", 1), eq("b", 2)] }, eq("c", 3)] }],
    ["(a:1 or b:2) c:3", { op: "and", of: [{ op: "or", of: [eq("a", 1), eq("b", 2)] }, eq("c", 3)] }],
    ["failed password", { op: "and", of: [keyword("failed"), keyword("password")] }],
    ['"failed * password"', keyword("failed \\* password")],
    ["fail*ed", keyword("fail*ed")],
    ["f:*", { op: "exists", field: "f" }],
    ["f:a*", { op: "starts", field: "f", value: "a" }],
    ["f:*a", { op: "ends", field: "f", value: "a" }],
    ["f:*a*", { op: "contains", field: "f", value: "a" }],
    ["f:a*b?", { op: "like", field: "f", value: "a*b?" }],
    ["f:a\\*", eq("f", "a*")],
    ["f:C:\\Windows\\x.exe", eq("f", "C:\\Windows\\x.exe")],
    ['f:"C:\\Windows\\x.exe"', eq("f", "C:\\Windows\\x.exe")],
    ['f:"say \\"hi\\" \\\\"', eq("f", 'say "hi" \\')],
    ["f >= 1.5", { op: "gte", field: "f", value: 1.5 }],
    ["@timestamp<2026-11-21T06:30:00Z", { op: "lt", field: "@timestamp", value: "2026-11-21T06:30:00Z" }],
    ['f > "5"', { op: "gt", field: "f", value: "5" }],
    ["f:/^a+b/i", { op: "regex", field: "f", value: "^a+b", flags: "i" }],
    ["f:/a\\/b c/", { op: "regex", field: "f", value: "a/b c" }],
    ["f:/etc/passwd", eq("f", "/etc/passwd")],
    ["url.path:/admin/*", { op: "starts", field: "url.path", value: "/admin/" }],
    ["ip:2001:db8::/32", { op: "cidr", field: "ip", value: "2001:db8::/32" }],
    ["ip:2001:db8::1", eq("ip", "2001:db8::1")],
    ["f:null g:true h:4625 i:04625", { op: "and", of: [eq("f", null), eq("g", true), eq("h", 4625), eq("i", "04625")] }],
    ['f:"4625"', eq("f", "4625")],
    ["f:=Bash", { op: "eq", field: "f", value: "Bash", cased: true }],
    ["f:=*Bash*", { op: "contains", field: "f", value: "Bash", cased: true }],
    ["=Bash", { op: "keyword", value: "Bash", cased: true }],
    ["f:$(g)", { op: "fieldref", field: "f", other: "g", how: "eq" }],
    ["f:=*$(g)*", { op: "fieldref", field: "f", other: "g", how: "contains", cased: true }],
    ['"odd field":x', eq("odd field", "x")],
    ["f : x", eq("f", "x")],
    ['not:x "and"', { op: "and", of: [eq("not", "x"), keyword("and")] }],
    ["__proto__:x", eq("__proto__", "x")],
  ])("%s", (text, expected) => {
    expect(where(text)).toEqual(expected);
  });
});

describe("pipes", () => {
  test("all of them", () => {
    expect(read("a:b | stats count() as n, count, distinct(user.name) by host.name, f2 | sort -n, host.name | head 20 | fields n")).toEqual(
      {
        where: eq("a", "b"),
        stats: {
          aggregates: [
            { fn: "count", as: "n" },
            { fn: "count", as: "count" },
            { fn: "distinct", field: "user.name", as: "distinct(user.name)" },
          ],
          by: ["host.name", "f2"],
        },
        sort: [
          { by: "n", descending: true },
          { by: "host.name", descending: false },
        ],
        head: 20,
        fields: ["n"],
      },
    );
    expect(read("| stats sum(b) | sort sum(b) desc").sort).toEqual([{ by: "sum(b)", descending: true }]);
    expect(read("|head 5").where).toEqual({ op: "and", of: [] });
  });
});

describe("mistakes are placed and explained", () => {
  test.each<[string, number, number, string, string?]>([
    ["a:b and", 7, 0, "missing at the end"],
    ["and a", 0, 3, "both sides"],
    ["(a:b", 0, 1, "never closed"],
    ["a:b)", 3, 1, "closes nothing"],
    ['a:"b', 2, 2, "closing"],
    ["a:", 2, 0, "value is missing"],
    ["a:)", 2, 1, "value is missing"],
    ["f:(a b)", 5, 1, "between the values", "or "],
    ["ip:10.0.0.0/33", 3, 11, "not a network"],
    ["f:/(/", 2, 3, "regular expression"],
    ["user.name=root", 0, 14, "not an operator", "user.name:root"],
    ["user.name == root", 0, 17, "not an operator", "user.name:root"],
    ["a:1 user.name != root", 4, 17, "not an operator", "not user.name:root"],
    ["a && b", 2, 2, "`and`", "and"],
    ["a || b", 2, 2, "`or`", "or"],
    ["!a", 0, 1, "`not`", "not "],
    ["-user.name:root", 0, 1, "exclude", "not "],
    ["user.*:root", 0, 6, "wildcards"],
    ["f > a*", 4, 2, "no wildcards"],
    ["f >", 2, 1, "missing"],
    ["a | where b:1", 4, 5, "in front of the first pipe"],
    ["a | limit 5", 4, 5, "head", "head"],
    ["a | stat count()", 4, 4, "no command", "stats"],
    ["a | stats dc(x)", 10, 2, "no function", "distinct"],
    ["a | stats sum", 10, 3, "needs a field", "sum(field)"],
    ["a | stats count(), count()", 9, 17, "two columns"],
    ["a | stats count() as n | sort m", 30, 1, "no column m", "n"],
    ["a | head 0", 9, 1, "number of rows"],
    ["a | head 5 | head 6", 13, 4, "once each"],
    ["a | head 5 b", 11, 1, "expected |"],
    ["a |", 3, 0, "command is missing"],
    ["SELECT * FROM events", 0, 20, "SQL", "user.name:root | stats count() by host.name"],
    ["process where process.name == 'x'", 0, 33, "EQL", "process.name:bash and user.name:root"],
    ["index=main error", 0, 10, "SPL", "index:main"],
  ])("%s", (text, position, length, message, suggestion) => {
    const result = parseQuery(text);
    expect(result).toMatchObject({ ok: false, position, length, ...(suggestion !== undefined && { suggestion }) });
    expect(!result.ok && result.message).toContain(message);
  });

  test("caps", () => {
    expect(parseQuery("a".repeat(maxQueryLength + 1))).toMatchObject({ ok: false, position: maxQueryLength });
    expect(parseQuery("(".repeat(maxQueryDepth + 1))).toMatchObject({ ok: false, position: maxQueryDepth + 1 });
    expect(parseQuery("not ".repeat(4000))).toMatchObject({ ok: false });
    expect(parseQuery("a ".repeat(maxQueryNodes + 1))).toMatchObject({ ok: false, message: `more than ${maxQueryNodes} conditions` });
  });
});

const text = fc.oneof(
  fc.constantFrom("a", "and", "null", "true", "4625", "10.0.0.0/8", "/x/", "=x", "$(x)", "*", "a b", "!x", "-x", "", "\\", 'q"', "\u00a0"),
  fc.string({ maxLength: 6 }),
  fc.string({ unit: fc.constantFrom(...'a*?\\/:()"|<>= $!,-.\n\u2003💡'), maxLength: 6 }),
);
const name = fc.oneof(fc.constantFrom("user.name", "not", "odd name", "@timestamp"), text);
const some = text.filter((one) => one !== "");
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((one) => !Object.is(one, -0));
const cased = fc.constantFrom<{ cased?: true }>({}, { cased: true });
/** Conditions in the form the parser gives; others print as an equal one. */
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.tuple(name, fc.oneof(text, number, fc.boolean()), cased).map(([field, value, c]): Condition => ({ op: "eq", field, value, ...c })),
  name.map((field) => eq(field, null)),
  fc
    .tuple(fc.constantFrom("contains", "starts", "ends"), name, some, cased)
    .map(([op, field, value, c]) => ({ op, field, value, ...c }) as Condition),
  fc
    .tuple(name, some, some, cased)
    .map(([field, a, b, c]): Condition => ({ op: "like", field, value: `${escapeLike(a)}*?${escapeLike(b)}`, ...c })),
  fc
    .tuple(name, fc.constantFrom("^a", "a/b", "[/ ]+", "\\d\\\\", ""), fc.constantFrom({}, { flags: "i" }))
    .map(([field, value, f]): Condition => ({ op: "regex", field, value, ...f })),
  fc.tuple(name, fc.constantFrom("10.0.0.0/8", "::1/128")).map(([field, value]): Condition => ({ op: "cidr", field, value })),
  fc
    .tuple(fc.constantFrom("lt", "lte", "gt", "gte"), name, fc.oneof(text, number))
    .map(([op, field, value]) => ({ op, field, value }) as Condition),
  name.map((field): Condition => ({ op: "exists", field })),
  fc
    .tuple(name, name, fc.constantFrom("eq", "contains", "starts", "ends"), cased)
    .map(([field, other, how, c]) => ({ op: "fieldref", field, other, how, ...c }) as Condition),
  fc
    .tuple(
      name,
      fc.constantFrom("hour" as const, "week" as const),
      fc.constantFrom("eq" as const, "lt" as const, "gte" as const),
      fc.nat(9999),
    )
    .map(([field, part, how, value]): Condition => ({ op: "time", field, part, how, value })),
  fc.tuple(text, cased).map(([value, c]): Condition => ({ op: "keyword", value: escapeLike(value), ...c })),
  fc.tuple(text, text).map(([a, b]): Condition => keyword(`${escapeLike(a)}?${escapeLike(b)}`)),
);
const tree: fc.Arbitrary<Condition> = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.constantFrom("and", "or"), fc.array(tie("tree"), { minLength: 2, maxLength: 4 }))
      .map(([op, of]) => ({ op, of }) as Condition),
    tie("tree").map((of): Condition => ({ op: "not", of })),
  ),
})).tree;
const unique = (most: number) => fc.uniqueArray(name, { minLength: 1, maxLength: most });
const query: fc.Arbitrary<Query> = fc.oneof(
  fc.record({ where: tree, head: fc.integer({ min: 1, max: 10_000 }), fields: unique(3) }, { requiredKeys: ["where"] }),
  fc.tuple(tree, unique(7), fc.integer({ min: 0, max: 6 })).map(([where, columns, split]): Query => {
    const by = columns.slice(split);
    const aliases = columns.slice(0, split);
    if (aliases.length === 0) return { where };
    return {
      where,
      stats: { aggregates: aliases.map((as, i) => (i % 2 === 0 ? { fn: "count", as } : { fn: "avg", field: aliases[0]!, as })), by },
      sort: [{ by: aliases[0]!, descending: true }],
    };
  }),
) as fc.Arbitrary<Query>;

test("what is printed reads back the same", () => {
  fc.assert(
    fc.property(query, (one) => {
      expect(read(printQuery(one))).toEqual(one);
    }),
    { numRuns: 3000 },
  );
});

test("any condition prints as one that means the same", () => {
  const free = fc.oneof(
    leaf,
    fc.tuple(name, text).map(([field, value]): Condition => ({ op: "like", field, value })),
    text.map(keyword),
    fc.constantFrom<Condition>(
      { op: "and", of: [] },
      { op: "or", of: [{ op: "or", of: [] }] },
      { op: "contains", field: "user.name", value: "" },
    ),
  );
  const fields = fc.dictionary(name, fc.oneof(text, number, fc.constant(null))) as fc.Arbitrary<{ [name: string]: FieldValue }>;
  fc.assert(
    fc.property(free, fields, text, (condition, values, original) => {
      const event: Readable = { fields: values, original };
      expect(evaluate(where(printCondition(condition)), event)).toBe(evaluate(condition, event));
    }),
    { numRuns: 3000 },
  );
});

test("no text makes the parser throw, and what it accepts it prints and reads back", () => {
  const piece = fc.constantFrom(
    "a",
    "f:",
    "(",
    ")",
    "and ",
    "or ",
    "not ",
    '"',
    "/",
    "*",
    "\\",
    "|",
    " ",
    "stats ",
    "sort ",
    ">",
    "=",
    "$(",
    ",",
    "count()",
    "head 3",
    "10.0.0.0/8",
    "by ",
    "-",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")),
      ),
      (source) => {
        const result = parseQuery(source);
        if (result.ok) expect(read(printQuery(result.query))).toEqual(result.query);
        else {
          expect(result.position).toBeGreaterThanOrEqual(0);
          expect(result.position + result.length).toBeLessThanOrEqual(source.length);
        }
      },
    ),
    { numRuns: 5000 },
  );
});

test("names are suggested", () => {
  const known = ["user.name", "source.ip", "destination.ip", "process.name", "process.command_line"];
  expect(suggestField("user.nmae", known)).toBe("user.name");
  expect(suggestField("User.Name", known)).toBe("user.name");
  expect(suggestField("source_ip", known)).toBe("source.ip");
  expect(suggestField("commandline", known)).toBe("process.command_line");
  expect(suggestField("zzz", known)).toBeUndefined();
  expect(suggestField("x".repeat(5000), known)).toBeUndefined();
  expect(closest("sort", ["stats", "sort"])).toBe("sort");
});
