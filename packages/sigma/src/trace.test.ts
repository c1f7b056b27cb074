import { expect, test } from "vitest";
import { type Clause, compileRules, firstFailure, parseRules } from "./index.ts";

const set = compileRules(
  parseRules(
    `title: T
logsource: { category: any }
detection:
  login: { action: login, outcome: success }
  user: { name: [alice, bob] }
  own: { host|startswith: backup }
  condition: login and user and not own
`,
    "t.yml",
  ).rules,
);
const trace = (fields: { [name: string]: string }) => set.trace(0, { fields });
const failing = (fields: { [name: string]: string }) => firstFailure(trace(fields)).map((c: Clause) => c.name ?? c.op);

test("each clause says whether it holds and what it met", () => {
  const whole = trace({ action: "login", outcome: "failure", name: "carol", host: "web1" });
  expect(whole.holds).toBe(false);
  const [login, user, own] = whole.of;
  expect(login).toMatchObject({ name: "login", holds: false });
  expect(login!.of.map((c) => [c.field, c.value, c.holds])).toEqual([
    ["action", "login", true],
    ["outcome", "failure", false],
  ]);
  expect(user!.of.map((c) => [c.comparison, c.value])).toEqual([
    ['eq "alice"', "carol"],
    ['eq "bob"', "carol"],
  ]);
  expect(own).toMatchObject({ op: "not", holds: true, of: [{ name: "own", holds: false, value: "web1" }] });
});

test("the first clause that fails is found, be it a comparison, a list or an exception", () => {
  const good = { action: "login", outcome: "success", name: "bob", host: "web1" };
  expect(failing(good)).toEqual([]);
  expect(failing({ ...good, outcome: "failure" })).toEqual(["and", "login", "compare"]);
  expect(failing({ ...good, name: "eve" })).toEqual(["and", "user"]);
  expect(failing({ ...good, host: "backup1" })).toEqual(["and", "not"]);
  expect(firstFailure(trace({ ...good, host: "backup1" })).at(-1)!.of[0]).toMatchObject({ name: "own", holds: true, value: "backup1" });
});

test("of what holds only the alternatives that hold are told, of what fails only the first ones", () => {
  const many = compileRules(
    parseRules(
      `title: M\nlogsource: { category: any }\ndetection:\n  s: { f: [${Array.from({ length: 500 }, (_, i) => `v${i}`).join(", ")}] }\n  condition: s\n`,
      "m.yml",
    ).rules,
  );
  expect(many.trace(0, { fields: { f: "v400" } }).of.map((c) => c.comparison)).toEqual(['eq "v400"']);
  const failed = many.trace(0, { fields: { f: "x" } });
  expect([failed.of.length, failed.more]).toEqual([12, 488]);
});
