/** The commands that need no server: what they print, and the exit codes of the contract. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, vedette } from "./cli.ts";
import { inside } from "./inside.ts";

const rule = (value: string) => `title: Log-in as ${value}
id: 6f4a6c3e-1111-4a5b-9c55-0000000000aa
status: experimental
description: A log-in as an account of the test.
logsource: { product: linux, service: auth }
detection:
  selection: { user.name: ${value}, event.outcome: success }
  condition: selection
level: medium
vedette:
  tests:
    - { name: that account, expect: match, events: [{ user.name: root, event.outcome: success, event.dataset: linux.auth }] }
    - { name: another, expect: none, events: [{ user.name: eve, event.outcome: success, event.dataset: linux.auth }] }
`;
const attempt = (n: number) => `Nov 20 06:00:0${n} node1 sshd[7]: Failed password for root from 198.51.100.7 port 4000${n} ssh2\n`;

const home = process.cwd();
let folder: string;
let last: Promise<unknown> = Promise.resolve();
/** In this process, one after the other. */
function run(...args: string[]): Promise<Ended> {
  const next = last.then(() => inside(...args));
  last = next.catch(() => undefined);
  return next;
}
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return name;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-cli-"));
  mkdirSync(join(folder, "rules"));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true, force: true });
});

test("a wrong configuration names file, line, key and the nearest valid one, and ends with 2", async () => {
  const wrong = file("wrong.yaml", "name: Test\nsources:\n  auth:\n    file: { pathz: [/var/log/auth.log] }\nlisten: nowhere\n");
  const top = file("top.yaml", "name: Test\nengin:\n  workers: 2\n");
  const broken = file("broken.yaml", "sources: {\n  auth: [\n");
  const [a, b, c, up, missing] = await Promise.all([
    run("config", "validate", "--config", wrong),
    run("config", "validate", "--config", top),
    run("config", "validate", "--config", broken),
    run("up", "--config", wrong, "--data-dir", "never"),
    run("config", "validate", "--config", "absent.yaml"),
  ]);
  expect(a.stderr).toMatch(/wrong\.yaml:4:\d+: .*pathz.*did you mean "paths"\?/);
  expect(a.stderr).toMatch(/sources\.auth\.file\.paths: missing; expected array/);
  expect(a.stderr).toMatch(/wrong\.yaml:5:1: listen: expected HOST:PORT/);
  expect(b.stderr).toMatch(/top\.yaml:2:1: unknown key "engin"; did you mean "engine"\?/);
  expect(c.stderr).toMatch(/broken\.yaml:3:1: expected \] before this line/);
  expect(up.stderr).toMatch(/wrong\.yaml:4:\d+: /);
  expect(missing.stderr).toContain("absent.yaml: no such file");
  expect([a, b, c, up, missing].map((r) => [r.code, r.stdout])).toEqual(Array(5).fill([2, ""]));
});

test("a right one is fine, is shown with where each value comes from, and has a schema", async () => {
  const right = file("vedette.yaml", "name: Test\nsources:\n  auth:\n    file: { paths: [auth.log], follow: false }\n");
  const [validate, show, schema] = await Promise.all([
    run("config", "validate", "--config", right),
    vedette(["config", "show", "--json"], { cwd: folder, env: { VEDETTE__ENGINE__LATENESS_S: "60", SECRET_KEY: "0123456789abcdef" } }),
    run("config", "schema"),
  ]);
  expect(validate).toMatchObject({ code: 0, stderr: "vedette.yaml: fine (1 source)\n" });
  const rows = JSON.parse(show.stdout) as { key: string; value: unknown }[];
  const value = (key: string) => rows.find((r) => r.key === key)?.value;
  expect([value("name"), value("engine.lateness_s"), value("auth.secret_key")]).toEqual(["Test", 60, "(set, not shown)"]);
  expect(show.stdout).not.toContain("0123456789abcdef");
  expect(JSON.parse(schema.stdout)).toMatchObject({ type: "object", additionalProperties: false });
});

test("a rule's own cases decide, and a refused rule is named with its line", async () => {
  file("rules/good.yml", rule("root"));
  file("bad_case.yml", rule("admin"));
  file("unmapped.yml", rule("root").replace("product: linux, service: auth", "product: teapot"));
  file("broken.yml", "title: No detection\nid: 6f4a6c3e-1111-4a5b-9c55-0000000000bb\nlogsource: { category: test }\nlevel: low\n");
  const [good, bad, lint, refused, junit, absent, unmapped] = await Promise.all([
    run("rule", "test", "rules", "-o", "json"),
    run("rule", "test", "bad_case.yml"),
    run("rule", "lint", "rules"),
    run("rule", "lint", "broken.yml", "-o", "sarif"),
    run("rule", "test", "rules", "-o", "junit"),
    run("rule", "test", "absent"),
    run("rule", "lint", "unmapped.yml"),
  ]);
  expect((JSON.parse(good.stdout) as { ok: boolean }[]).map((o) => o.ok)).toEqual([true, true]);
  expect(bad.stdout).toMatch(/FAIL bad_case\.yml:\d+:\d+ Log-in as admin: that account: expected a match/);
  expect(lint.stderr).toBe("1 of 1 rules fine, 2 warnings\n");
  expect(refused.stdout).toContain("broken.yml");
  expect(junit.stdout).toContain("<testsuite");
  expect(absent.stderr).toContain("absent: no such file or folder");
  expect(unmapped.stdout).toMatch(/unmapped\.yml:\d+:\d+ .*logsource product: teapot/);
  expect([good, bad, lint, refused, junit, absent, unmapped].map((r) => r.code)).toEqual([0, 1, 0, 1, 0, 2, 1]);
});

test("scan finds what is in a file and says so by its exit code", async () => {
  file("auth.log", [0, 1, 2, 3, 4, 5, 6].map(attempt).join(""));
  file("quiet.log", attempt(0));
  const [found, csv, quiet] = await Promise.all([
    run("scan", "auth.log", "-o", "ndjson"),
    run("scan", "auth.log", "-o", "csv", "--rules", "rules"),
    run("scan", "quiet.log", "--rules", "rules"),
  ]);
  const rows = found.stdout
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l) as { [key: string]: unknown });
  const guessed = rows.find((r) => r["rule.id"] === "brute_force");
  expect(guessed).toMatchObject({ "rule.level": "high", file: "auth.log", record: 7 });
  expect(Object.keys(guessed!)).toEqual(["rule.id", "rule.title", "rule.level", "file", "record", "time", "fields"]);
  expect(csv.stdout.split("\n")[0]).toBe("rule.level,rule.title,file,record,time,fields");
  expect(quiet.stderr).toContain("1 record of 1 file, 0 could not be decoded, 0 matches");
  expect([found.code, csv.code, quiet.code]).toEqual([1, 1, 0]);
});

test("a source is tried without a server, and misuse ends with 2", async () => {
  file("auth.log", attempt(0) + attempt(1));
  file("sources.yaml", "sources:\n  auth:\n    file: { paths: [auth.log], follow: false }\n");
  const [tried, nothing, misuse, help, state] = await Promise.all([
    run("source", "test", "auth", "--config", "sources.yaml", "--records", "1", "--json"),
    run("source", "test", "other", "--config", "sources.yaml"),
    run("alerts", "--colour"),
    run("query", "--help"),
    run("alerts", "-o", "xml"),
  ]);
  const [first] = tried.stdout.trim().split("\n");
  expect(JSON.parse(first!)).toMatchObject({ format: "syslog", result: { fields: { "source.ip": "198.51.100.7" } } });
  expect(nothing.stderr).toContain('no source "other" in sources.yaml; configured: auth');
  expect(misuse.stderr).toContain("--colour");
  expect(help.stdout).toContain("Example:");
  expect([tried, nothing, misuse, help, state].map((r) => r.code)).toEqual([0, 2, 2, 0, 2]);
});
