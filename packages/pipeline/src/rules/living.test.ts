import { compileRules, parsePipeline, parseRules } from "@vedette/sigma";
import { afterEach, expect, test } from "vitest";
import { parseFiles, readRulesFrom } from "./living.ts";

const file = (n: number, title = `Rule ${n}`) => ({
  file: `living-${n}.yml`,
  text: `title: ${title}\nid: 6f4a6c3e-2222-4a5b-9c55-00000000000${n}\nlogsource: { category: test }\ndetection:\n  s: { a: b }\n  condition: s\nlevel: low\n`,
});

afterEach(() => readRulesFrom(undefined));

test("a file is read again only when its text changed, whatever parts of the set are asked for between", () => {
  const read: string[] = [];
  readRulesFrom({
    parsePipeline,
    compileRules,
    parseRules: (...given: Parameters<typeof parseRules>) => {
      read.push(given[1]!);
      return parseRules(...given);
    },
  });
  const all = [file(1), file(2), file(3)];
  parseFiles(all);
  parseFiles([file(2)]);
  parseFiles(all);
  expect(read).toEqual(["living-1.yml", "living-2.yml", "living-3.yml"]);
  const [changed] = parseFiles([file(2, "Another")]);
  expect(changed!.rules[0]!.title).toBe("Another");
  expect(read).toHaveLength(4);
  parseFiles(all, { b: ["1"], a: ["2"] });
  parseFiles(all, { a: ["2"], b: ["1"] });
  expect(read).toHaveLength(7);
});
