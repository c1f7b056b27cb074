/** Hostile and broken rules: each is refused by name, file and line, the rest would load, and what runs goes on as it was. */
import { afterEach, expect, test } from "vitest";
import { deskRig, idOfRule, ruleText } from "./rig.test.data.ts";

let rig: Awaited<ReturnType<typeof deskRig>>;
afterEach(() => rig.remove());

const correlation = (name: string, of: string) => `title: ${name}
id: ${name}
name: ${name}
correlation:
  type: event_count
  rules: [${of}]
  group-by: [user.name]
  timespan: 5m
  condition: { gte: 2 }
level: high
`;
const deep = (n: number) => `${"(".repeat(n)}selection${")".repeat(n)}`;
/** Nine anchors, each nine times the one before: nine thousand million values. */
const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]", ..."bcdefghi".split("").map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]`)].join(
  "\n",
);

const bad: readonly (readonly [what: string, text: string, line: number])[] = [
  ["an unknown modifier", ruleText(10, "x").replace("user.name:", "user.name|resembles:"), 7],
  [
    "an alias bomb",
    `title: Bomb\nlogsource: { category: test }\n${bomb}\ndetection: { selection: { user.name: *i }, condition: selection }\n`,
    0,
  ],
  ["a condition nested a thousand deep", ruleText(11, "x").replace("condition: selection", `condition: ${deep(1_000)}`), 0],
  ["brackets nested a hundred thousand deep", `title: Deep\nlogsource: ${"[".repeat(100_000)}\n`, 1],
  ["a pattern that looks back", ruleText(12, "x").replace("user.name: 'x'", () => String.raw`user.name|re: '(a+)+\1$'`), 7],
  ["a pattern that is too large", ruleText(13, "x").replace("user.name: 'x'", "user.name|re: '(x{1,255}y){0,8}z'"), 7],
  ["no selection of that name", ruleText(14, "x").replace("condition: selection", "condition: selektion"), 8],
  ["no detection", "title: Nothing\nid: nothing\nlogsource: { category: test }\n", 0],
  ["no YAML", "title: [unclosed\nlogsource: {", 0],
  ["bytes", "\u0000\u0001\u0002", 0],
  ["correlations in a circle", `${correlation("ring-a", "ring-b")}---\n${correlation("ring-b", "ring-a")}`, 0],
  ["a correlation of nothing known", correlation("lost", "nobody"), 0],
];

test("each is refused with file and line, none takes another with it, and the old set goes on", async () => {
  rig = await deskRig();
  const { desk } = await rig.open();
  rig.disk.push({ file: "old.yml", text: ruleText(1, "root") });
  await desk.apply({ kind: "reload" }, { by: "ann", reason: "first" });
  const before = desk.versions().length;
  const rules = [...bad.map(([, text], n) => ({ file: `bad${n}.yml`, text })), { file: "good.yml", text: ruleText(2, "bob") }];
  const { release, plan } = await desk.keep({ pack: "hostile", origin: "somewhere", rules });
  for (const [n, [what, , line]] of bad.entries()) {
    const lines = plan.refused.filter((one) => one.startsWith(`hostile/bad${n}.yml:`));
    expect([what, lines]).toEqual([what, expect.arrayContaining([expect.stringMatching(/^\S+:\d+:\d+: /)])]);
    if (line > 0) expect([what, lines[0]]).toEqual([what, expect.stringContaining(`bad${n}.yml:${line}:`)]);
  }
  const wish = { kind: "apply", release: release.hash, state: "enabled" } as const;
  const applied = await desk.apply(wish, { by: "ann", reason: "no" });
  expect(applied.blocked).toEqual([expect.stringMatching(/rules are refused/)]);
  expect(desk.versions()).toHaveLength(before);
  expect(desk.lines().rules.map(({ title }) => title)).toEqual(["Rule 1"]);
  expect((await desk.apply(wish, { by: "ann", reason: "the good one" }, { without_refused: true })).blocked).toEqual([]);
  expect(
    desk
      .lines()
      .rules.filter(({ state }) => state === "enabled")
      .map(({ title }) => title)
      .sort(),
  ).toEqual(["Rule 1", "Rule 2"]);
});

test("ten thousand rules with one id: the first is used, each of the others is refused by its own place", async () => {
  rig = await deskRig();
  const { desk } = await rig.open();
  const text = ruleText(1, "root");
  const rules = Array.from({ length: 10_000 }, (_, n) => ({ file: `r${String(n).padStart(5, "0")}.yml`, text }));
  const plan = await desk.look({ pack: "twins", origin: "somewhere", rules }, "shadow");
  expect(plan.refused).toHaveLength(9_999);
  expect(plan.refused[0]).toMatch(/^twins\/r00001\.yml:1:1: Rule 1: .*twins\/r00000\.yml:1 has it already/);
  expect(new Set(plan.refused).size).toBe(9_999);
  expect(plan.differences).toMatchObject([{ what: "added", id: idOfRule(1), file: "twins/r00000.yml:1" }]);
});
