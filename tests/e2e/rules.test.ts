/** Rules as code on the command line: write, lint, explain, cover and measure them, offline. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inside } from "./inside.ts";

let folder: string;
const at = (name: string) => join(folder, name);
const file = (name: string, text: string) => {
  writeFileSync(at(name), text);
  return at(name);
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-rules-"));
  mkdirSync(join(folder, "odd"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const odd = `title: Odd rule
id: 6f4a6c3e-1111-4a5b-9c55-0000000000c1
status: test
description: Everything in it is slightly wrong.
tags: [attack.t1059.001]
falsepositives: [none known]
logsource: { product: windows, category: process_creation }
detection:
  selection:
    ComandLine|contains: 'mimikatz'
  twice:
    EventID: 4624
  broad:
    Image|contains: ''
  unused:
    Image|endswith: '\\x.exe'
  condition: selection and twice or broad
level: high
vedette:
  tests:
    - { name: a, expect: matches, events: [{ event.code: '1' }] }
    - { name: b, expect: none, raw: x, colour: red }
`;

test("lint names what is probably not meant, with line and column, and fails on warnings only when asked", async () => {
  file("odd/odd.yml", odd);
  const broad = odd.replace("00c1", "00c2").replace("Odd rule", "Broad rule").replace("selection and twice or broad", "broad");
  file("odd/broad.yml", broad.replace("    Image|contains: ''", "    Image: '*'"));
  const bare = odd.replace(/vedette:[\s\S]*/, "").replace("00c1", "00c3");
  const never = file("odd/never.yml", bare.replace("selection and twice or broad", "twice"));
  file("odd/same.yml", odd.replace("Odd rule", "The same id"));
  const all = await inside("rule", "lint", at("odd"));
  expect(all.code).toBe(1);
  expect(all.stdout).toMatch(/WARN .*odd\.yml:10:5 Odd rule: fields are known: ComandLine: did you mean CommandLine\?/);
  expect(all.stdout).toMatch(/WARN .*odd\.yml:15:3 Odd rule: every selection is used: the condition does not name unused/);
  expect(all.stdout).toMatch(/WARN .*broad\.yml:\d+:3 Broad rule: tells events apart/);
  expect(all.stdout).toMatch(/FAIL .*odd\.yml:21:\d+ Odd rule: cases are well formed: .*"match"\|"none"/);
  expect(all.stdout).toMatch(/FAIL .*odd\.yml:22:\d+ Odd rule: cases are well formed: .*colour/);
  expect(all.stdout).toMatch(/FAIL .*same\.yml:1:1 The same id: loads: id: 6f4a.*odd\.yml:1 has it already/);
  const json = await inside("rule", "lint", never, "--json");
  const found = JSON.parse(json.stdout) as { check: string; message: string }[];
  expect(found.find((o) => o.check === "never")?.message).toMatch(/event\.code cannot be .* and 4624 at once/);
  expect(found.map((o) => o.check)).toContain("no-cases");
  expect(json.code).toBe(0);
  expect((await inside("rule", "lint", never, "--strict")).code).toBe(1);
  const sarif = await inside("rule", "lint", at("odd"), "-o", "sarif");
  const { runs } = JSON.parse(sarif.stdout) as { runs: { results: { level: string }[] }[] };
  expect(new Set(runs[0]!.results.map((r) => r.level))).toEqual(new Set(["error", "warning"]));
});

test("a new rule is valid at once, of every source", async () => {
  const make = (source: string) => inside("rule", "new", "--source", source, "--title", `It's: a "${source}" rule`, "--out", at("new"));
  const misuse = await make("teapot");
  const sources = misuse.stderr.match(/known sources are (.*)/)![1]!.split(", ");
  expect(sources.length).toBeGreaterThan(8);
  for (const source of sources) expect(await make(source)).toMatchObject({ code: 0 });
  expect(readdirSync(at("new")).length).toBe(sources.length);
  const again = await make("web");
  expect(again.stderr).toContain("is there already");
  expect([misuse.code, again.code]).toEqual([2, 2]);
  const many = 2 * sources.length;
  expect(await inside("rule", "test", at("new"))).toEqual({ code: 0, stdout: "", stderr: `${many} of ${many} cases fine\n` });
  expect((await inside("rule", "lint", "--strict", at("new"))).stderr).toBe(`${sources.length} of ${sources.length} rules fine\n`);
});

const login = (minute: number, user = "backup") =>
  `Nov 21 10:${String(minute).padStart(2, "0")}:00 web1 sshd[1234]: Accepted publickey for ${user} from 10.20.0.7 port 4022 ssh2: ED25519 SHA256:AAAA\n`;

test("a correlation is written, tested, explained by how far it came, covered, measured and proved as a rule is", async () => {
  const made = await inside("rule", "new", "--correlation", "--source", "sshd", "--title", "Backup key used often", "--out", at("series"));
  const one = made.stdout.trim();
  expect(await inside("rule", "test", one)).toMatchObject({ code: 0, stderr: "2 of 2 cases fine\n" });
  expect(await inside("rule", "lint", "--strict", one)).toMatchObject({ code: 0, stderr: "2 of 2 rules fine\n" });
  const asks = await inside("rule", "explain", one);
  expect(asks.stdout).toMatch(/event_count: events of backup_key_used_often_once gte 3 for each host\.name within 600 s/);
  const often = file("often.log", login(1) + login(2) + login(30, "ada") + login(3));
  const matched = await inside("rule", "explain", one, often);
  expect([matched.code, matched.stdout]).toEqual([
    0,
    expect.stringMatching(/^MATCH .*\n.*\n.*3 of 4 events of its kind match, the first .*:1\n.*web1: 3 events \(.*:4\)/),
  ]);
  const few = await inside("rule", "explain", one, file("few.log", login(1) + login(20) + login(25)));
  expect([few.code, few.stdout]).toEqual([
    1,
    expect.stringContaining("First condition that is not met: host.name web1: 2 events; it wants at least 3"),
  ]);
  const none = await inside("rule", "explain", one, file("none.log", login(1, "ada")), "--json");
  expect([none.code, JSON.parse(none.stdout)]).toMatchObject([
    1,
    { matches: false, events: 1, rules: [{ seen: 1, matched: 0 }], keys: [], failure: expect.stringContaining("matches none of 1 events") },
  ]);
  const misuse = await inside("rule", "explain", one, often, "--record", "2");
  expect([misuse.code, misuse.stderr]).toEqual([2, expect.stringContaining("is a correlation: it is about several events")]);
  const covered = JSON.parse((await inside("rule", "cover", "--rules", one, often, "--json")).stdout) as { sees: boolean }[];
  expect(covered.map(({ sees }) => sees)).toEqual([true, true]);
  const web = file("web.log", '203.0.113.9 - - [04/May/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 812 "-" "Mozilla/5.0"\n');
  const blind = JSON.parse((await inside("rule", "cover", "--rules", one, web, "--json")).stdout) as { sees: boolean; why: string }[];
  expect(blind.map(({ sees, why }) => [sees, why])).toEqual(
    Array(2).fill([false, expect.stringContaining("no event of product: linux, service: sshd")]),
  );
  const costs = JSON.parse((await inside("rule", "bench", "--rules", one, often, "--json")).stdout) as {
    "rule.title": string;
    matched: number;
  }[];
  expect(costs.find((r) => r["rule.title"] === "Backup key used often")).toMatchObject({ asked: 3, matched: 1 });
});

test("what rules leave to the site is read from its configuration, by every command that reads rules without a server", async () => {
  const one = file(
    "admins.yml",
    "title: Admin\nid: 6f4a6c3e-1111-4a5b-9c55-0000000000d1\nlogsource: { product: linux, service: sshd }\ndetection:\n  a: { user.name|expand: '%admins%' }\n  condition: a\nlevel: high\n",
  );
  const config = ["--config", file("site.yaml", "sigma: { placeholders: { admins: [root, backup] } }\n")];
  const log = file("admin.log", login(1));
  const without = await inside("rule", "lint", one);
  expect([without.code, without.stdout]).toEqual([
    1,
    expect.stringContaining("%admins% (|expand): expected a placeholder that has values"),
  ]);
  expect((await inside("rule", "lint", one, ...config)).code).toBe(0);
  expect((await inside("rule", "explain", one, log, ...config)).stdout).toMatch(/^MATCH/);
  const covered = await inside("rule", "cover", "--rules", one, log, ...config);
  expect(covered.stdout).toBe("1 of 1 rules can see data in 1 events\n");
  expect((await inside("rule", "bench", "--rules", one, log, ...config)).code).toBe(0);
  expect(await inside("scan", "--rules", one, log, ...config)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("user.name=backup"),
  });
  expect(await inside("scan", "--rules", one, log)).toMatchObject({ code: 2, stderr: expect.stringContaining("refused: ") });
  const bad = await inside("rule", "lint", one, "--config", file("bad.yaml", "sigma: { placeholder: {} }\n"));
  expect([bad.code, bad.stderr]).toEqual([
    2,
    expect.stringMatching(/bad\.yaml:1:\d+: unknown key "sigma\.placeholder"; did you mean "placeholders"/),
  ]);
});

test("explain says what a rule asks for, what held, and what failed first on which value", async () => {
  const asks = await inside("rule", "explain", "Password hashes read with sudo");
  expect(asks).toMatchObject({ code: 0, stderr: "" });
  expect(asks.stdout).toContain("COMMAND is process.command_line");
  const one = fileURLToPath(new URL("../../content/rules/linux/password_hashes_read_with_sudo.yml", import.meta.url));
  const line = (command: string) => `Nov 21 10:00:00 bastion sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=${command}\n`;
  const failed = await inside("rule", "explain", one, file("listed.log", line("/usr/bin/ls -l /etc/shadow")));
  expect(failed.stdout).toMatch(/NO MATCH.*listed\.log:1 \(syslog\)/);
  expect(failed.stdout).toMatch(/First clause that fails: program: process\.command_line regex .* it is "\/usr\/bin\/ls -l \/etc\/shadow"/);
  const read = file("read.log", line("/usr/bin/ls /") + line("/usr/bin/cat /etc/shadow"));
  const matched = await inside("rule", "explain", one, read, "--json");
  expect(JSON.parse(matched.stdout)).toMatchObject({ matches: true, event: `${read}:2 (syslog)` });
  const first = await inside("rule", "explain", one, read, "--record", "1");
  expect(first.stdout).toContain("NO MATCH");
  const absent = await inside("rule", "explain", "nothing");
  expect([failed.code, matched.code, first.code, absent.code]).toEqual([1, 0, 1, 2]);
});

test("cover counts who can see data and says why the others cannot; bench names what each costs", async () => {
  const log = file(
    "auth.log",
    "Nov 21 10:00:00 bastion sudo:   alice : TTY=pts/3 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow\n",
  );
  const table = await inside("rule", "cover", log);
  expect(table.stdout).toMatch(/\n\d+ of \d+ rules can see data in 1 events\n$/);
  expect(table.stdout).toMatch(/no event of product: zeek, service: dns; it wants event\.dataset zeek\.dns/);
  const rows = JSON.parse((await inside("rule", "cover", log, "--json")).stdout) as { "rule.title": string; sees: boolean; why: string }[];
  const of = (title: string) => rows.find((r) => r["rule.title"] === title);
  expect(of("Password hashes read with sudo")).toMatchObject({ sees: true, why: "" });
  expect(of("DNS names that carry data")).toMatchObject({ sees: false });
  const costs = JSON.parse((await inside("rule", "bench", log, "--json")).stdout) as { "rule.title": string; matched: number }[];
  expect(costs.find((r) => r["rule.title"] === "Password hashes read with sudo")).toMatchObject({ matched: 1 });
});

test("the schema names our keys and the forms of a document", async () => {
  const { stdout, code } = await inside("rule", "schema");
  const schema = JSON.parse(stdout) as { anyOf: { properties: { [key: string]: { properties?: object } } }[] };
  expect(code).toBe(0);
  const forms = schema.anyOf.map((s) =>
    Object.keys(s.properties).find((k) => ["detection", "correlation", "filter", "action"].includes(k)),
  );
  expect(forms).toEqual(["detection", "correlation", "filter", "action"]);
  expect(Object.keys(schema.anyOf[0]!.properties["vedette"]!.properties!)).toContain("tests");
});
