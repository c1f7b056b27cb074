/** The table of OWASP's ASVS: every requirement of levels 1 and 2 stands in it once, and every test that it names is there. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
interface Entry {
  readonly what: string;
  readonly test?: readonly string[];
  readonly because?: string;
  readonly later?: string;
}
const { tests, requirements } = parse(readFileSync(join(root, "docs/security/asvs.yaml"), "utf8"), { uniqueKeys: true }) as {
  tests: { readonly [name: string]: string };
  requirements: { readonly [id: string]: Entry };
};

/** ASVS 5.0.0 by section: the level of each requirement, in order. */
const outline = `
1.1 22 | 1.2 1111122223 | 1.3 112222222223 | 1.4 222 | 1.5 123
2.1 122 | 2.2 112 | 2.3 12223 | 2.4 23
3.1 3 | 3.2 113 | 3.3 12223 | 3.4 11222233 | 3.5 11122333 | 3.6 3 | 3.7 22333
4.1 12233 | 4.2 23333 | 4.3 22 | 4.4 1222
5.1 2 | 5.2 112333 | 5.3 113 | 5.4 222
6.1 122 | 6.2 111111112222 | 6.3 11223333 | 6.4 112233 | 6.5 22222333 | 6.6 2223 | 6.7 33 | 6.8 2222
7.1 222 | 7.2 1111 | 7.3 22 | 7.4 11222 | 7.5 223 | 7.6 22
8.1 1233 | 8.2 1123 | 8.3 133 | 8.4 23
9.1 111 | 9.2 1222
10.1 22 | 10.2 223 | 10.3 22223 | 10.4 1111122222233333 | 10.5 22222 | 10.6 22 | 10.7 222
11.1 2233 | 11.2 22233 | 11.3 11233 | 11.4 1222 | 11.5 23 | 11.6 23 | 11.7 33
12.1 12233 | 12.2 11 | 12.3 22223
13.1 2333 | 13.2 222223 | 13.3 2233 | 13.4 1222233
14.1 22 | 14.2 12223333 | 14.3 122
15.1 12233 | 15.2 12233 | 15.3 1222222 | 15.4 3333
16.1 2 | 16.2 22222 | 16.3 2222 | 16.4 222 | 16.5 2223
17.1 23 | 17.2 22223333 | 17.3 22`;
const levels = outline
  .trim()
  .split(/[|\n]/)
  .flatMap((section) => {
    const [name, numbers] = section.trim().split(" ");
    return [...numbers!].map((level, i) => ({ id: `${name}.${i + 1}`, level: Number(level) }));
  });

test("the outline is the standard's: 70 requirements of level 1, 183 of level 2, 92 of level 3", () => {
  expect([1, 2, 3].map((level) => levels.filter((one) => one.level === level).length)).toEqual([70, 183, 92]);
});

test("every requirement of levels 1 and 2 is listed once, and says what holds it or why not", () => {
  expect(Object.keys(requirements)).toEqual(levels.filter(({ level }) => level <= 2).map(({ id }) => id));
  for (const [id, { what, test: named, because, later, ...rest }] of Object.entries(requirements)) {
    expect([id, what.endsWith("."), Object.keys(rest)]).toEqual([id, true, []]);
    expect([id, (named?.length ?? 0) > 0 || (because ?? "") !== "" || (later ?? "") !== ""]).toEqual([id, true]);
    expect([id, later !== undefined && (named ?? because) !== undefined]).toEqual([id, false]);
  }
});

test("every page that is named exists", () => {
  const named = Object.entries(requirements).flatMap(([id, { because = "" }]) =>
    (because.match(/docs\/[\w./-]+\.(?:md|yaml)|\b[A-Z]+\.md/g) ?? []).map((file) => `${id} ${file}`),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((one) => !existsSync(join(root, one.split(" ")[1]!)))).toEqual([]);
});

test("every test that is named exists, and none is named in vain", () => {
  const used = new Set(Object.values(requirements).flatMap((one) => one.test ?? []));
  expect([...used].filter((name) => tests[name] === undefined)).toEqual([]);
  expect(Object.keys(tests).filter((name) => !used.has(name))).toEqual([]);
  const missing = Object.values(tests).filter((one) => {
    const [file, title] = one.split(" > ", 2) as [string, string];
    return !readFileSync(join(root, file), "utf8").includes(`"${title}"`);
  });
  expect(missing).toEqual([]);
});
