import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sharedSet, sigmaHqTexts } from "./corpora.test.data.ts";
import { readQuickly } from "./quickyaml.ts";
import { loadYamlFully } from "./yaml.ts";

/** What the full reader gives: the documents' trees, or undefined where there is a mistake. */
function fully(text: string): unknown {
  const { documents } = loadYamlFully(text);
  return documents.every((document) => "tree" in document) ? documents.map((document) => document.tree) : undefined;
}

const set = sharedSet("sigma");

test.each(["pipelines", "rules"])("our own %s are all read quickly, and as the full reader reads them", (kind) => {
  const folder = new URL(`../../../content/${kind}/`, import.meta.url);
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".yml")) continue;
    const text = readFileSync(new URL(name, folder), "utf8");
    // anchors are left to the full reader
    if (!/: &\w/.test(text)) expect(readQuickly(text), name).toEqual(fully(text));
  }
});

describe.skipIf(set === undefined)("SigmaHQ", () => {
  test("what is read quickly is what the full reader reads, places included, and nearly all is", () => {
    const texts = sigmaHqTexts(set!, /^(rules|deprecated|unsupported)/);
    let quick = 0;
    for (const [i, { file, text }] of texts.entries()) {
      const tree = readQuickly(text);
      if (tree === undefined) continue;
      quick++;
      // The full reader takes milliseconds a rule.
      if (i % 5 === 0) expect(tree, file).toEqual(fully(text));
    }
    expect(quick / texts.length).toBeGreaterThan(0.9);
  }, 60_000);
});

const lines = fc.constantFrom(
  "a: b",
  "b: 'it''s'",
  'c: "q\\\\"',
  "d:",
  "  e: 1",
  "  f|all:",
  "    - x",
  "    - g: h",
  "      i: null",
  "- j",
  "-",
  "-k",
  "  - ",
  "l: |",
  "m: |-",
  "ma: >",
  "mb: >-",
  "  text  ",
  "    deeper",
  "  text # no comment",
  "",
  "   ",
  "# comment",
  "  # comment",
  "n: x # comment",
  "o: x#y",
  "p: x: y",
  "q: http://x",
  "'r|all': s",
  "t: [1, 2]",
  "ta: [x, 'it''s', \"q\", -1.5, null, [y], {z: 1}]",
  "tb: {a: b, c|all: [d e, f], 'g': {h: ~}}",
  "tc: {a: 1, a: 2}",
  "td: []",
  "te: {}",
  "tf: [a, ]",
  "tg: [a: b]",
  "th: [a # comment",
  "ti: [",
  "  ti1, ti2,",
  "  ]",
  "]",
  "tj: {tj1: x,",
  "  tj2: y }",
  "tk: [http://x, a:b, a:]",
  "tl: [x] y",
  "tm: [&v w, *v]",
  "tn: {x, y}",
  "to: {? x}",
  "tp: [x y, -, -z, ?]",
  "tq: [x}, y]",
  "  - {r: s, t: u}",
  "  - [v]",
  '"dq": x',
  "[a]: b",
  "{a: b}",
  "u: &v w",
  "w: *v",
  "x: 0x10",
  "y: 1e3",
  "z: -1.50",
  "aa: +1",
  "bb: ~",
  "cc: True",
  "dd: tRue",
  "ee: 007",
  "ff: .5",
  "gg: - x",
  "hh: ?x",
  "ii: >",
  "jj: 12345678901234567890",
  "true: x",
  "---",
  "...",
  "\tkk: x",
  "ll: x ",
  "  continued",
  "mm:x",
  "nn: 'open",
  "oo: 'x' y",
  "pp: :x",
  "qq: x:",
  "a: again",
);

test("of any arrangement of lines it reads nothing that the full reader reads otherwise", () => {
  let read = 0;
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 8 }), fc.constantFrom("\n", ""), (chosen, end) => {
      const text = chosen.join("\n") + end;
      const tree = readQuickly(text);
      if (tree === undefined) return;
      read++;
      expect(tree).toEqual(fully(text));
    }),
    { numRuns: 20_000 },
  );
  expect(read).toBeGreaterThan(200);
});
