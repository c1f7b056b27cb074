/** A running server's rules over the command line, as a person would: pull, diff, apply on trial, promote, reload, roll back. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { zip } from "../../apps/vedette/src/release/zip.test.data.ts";
import { vedette as run } from "./cli.ts";
import { Vedette } from "./vedette.ts";

const id = (n: number) => `0f6b6a5e-0000-4000-8000-${String(n).padStart(12, "0")}`;
const rule = (n: number, command: string, more = "") => `title: Life ${n}
id: ${id(n)}
status: test
author: Jane Doe
logsource: { category: process_creation, product: linux }
detection:
  selection: { CommandLine: '${command}' }
  condition: selection
tags: [attack.t1059.00${n}]
level: high
${more}`;

let server: Vedette;
let work: string;
const vedette = (...args: string[]) => run(args, { cwd: work, env: { VEDETTE_DATA: server.data } });
const write = (file: string, text: string) => writeFileSync(join(work, file), text);
const listed = async () => {
  const { rules } = await server.get<{ rules: { title: string; state: string }[] }>("/api/v1/rules");
  return rules.map(({ title, state }) => `${title} ${state}`).sort();
};

beforeAll(async () => {
  server = new Vedette("rules: { starter: false, directories: [rules], watch: false }\n");
  work = server.directory;
  mkdirSync(join(work, "rules"));
  write("rules/one.yml", rule(1, "*evil*"));
  await server.start("--no-demo");
}, 300_000);
afterAll(() => server.remove());

test("pull a zip, look at it, put it on trial, promote, and go back", async () => {
  const entries = [
    ["sigma-1.0/rules/a.yml", rule(2, "*worse*")],
    ["sigma-1.0/rules/b.yml", rule(3, "*")],
    ["sigma-1.0/rules/bad.yml", rule(4, "x").replace("CommandLine:", "CommandLine|resembles:")],
    ["sigma-1.0/deprecated/old.yml", rule(5, "x").replace("status: test", "status: deprecated")],
    ["sigma-1.0/.github/workflow.yml", "on: push\n"],
    ["sigma-1.0/LICENSE", "Detection Rule License 1.1\n"],
  ] as const;
  writeFileSync(join(work, "sigma.zip"), zip(entries));
  const pulled = await vedette("rule", "pull", "sigma.zip");
  expect(pulled.stderr).toContain("1 YAML files left out: status deprecated");
  expect(pulled.stderr).toContain("Licence: Detection Rule License 1.1");
  expect(pulled.stdout).toContain("+ high Life 2 (shadow)  sigmahq/rules/a.yml:1");
  expect(pulled.stdout).toMatch(/! sigmahq\/rules\/bad\.yml:7:\d+: Life 4: .*resembles/);
  expect(pulled.code).toBe(0);
  expect(await listed()).toEqual(["Life 1 enabled"]);
  const hash = /--release ([0-9a-f]{12})/.exec(pulled.stderr)![1]!;

  const refused = await vedette("rule", "apply", "--release", hash, "--shadow", "--reason", "trial");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/refused: sigmahq\/rules\/bad\.yml:7:\d+/);
  expect(await listed()).toEqual(["Life 1 enabled"]);
  const applied = await vedette("rule", "apply", "--release", hash, "--shadow", "--without-refused", "--reason", "trial");
  expect([applied.code, applied.stderr]).toEqual([0, expect.stringContaining("in force: version 2")]);
  expect(await listed()).toEqual(["Life 1 enabled", "Life 2 shadow", "Life 3 shadow", "Life 4 refused"]);

  const early = await vedette("rule", "promote", id(2), "--reason", "seems fine");
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining("0 of 7 days of events")]);
  const broad = await vedette("rule", "enable", id(3), "--reason", "all of them");
  expect([broad.code, broad.stderr]).toEqual([1, expect.stringContaining("whatever its value")]);
  expect((await vedette("rule", "enable", id(2), "--reason", "reviewed", "--owner", "soc")).code).toBe(0);
  const show = await vedette("rule", "show", id(2));
  expect(show.stdout).toMatch(/author +Jane Doe[\s\S]*owner +soc[\s\S]*state → enabled {2}reviewed[\s\S]*apply → shadow {2}trial/);

  await ingest([
    {
      "@timestamp": new Date().toISOString(),
      event: { category: "process", type: "start" },
      host: { name: "h1", os: { type: "linux" } },
      process: { command_line: "run worse now" },
    },
  ]);
  const total = async (query: string) => (await server.get<{ total: number }>(`/api/v1/alerts?rule=${id(2)}${query}`)).total;
  await server.until(
    () => total(""),
    (n) => n === 1,
  );
  const started = performance.now();
  const back = await vedette("rule", "rollback", "--reason", "too loud");
  expect(back.stderr).toMatch(/back to version 2, now version 4; what 1 rules had found is taken back/);
  await server.until(
    () => total("&state=closed"),
    (n) => n === 1,
  );
  process.stderr.write(`rolled back and retracted ${Math.round(performance.now() - started)} ms after the command was given\n`);
  const { alerts } = (await server.get(`/api/v1/alerts?rule=${id(2)}`)) as { alerts: { id: string; retracted: string }[] };
  expect(alerts[0]!.retracted).toMatch(/^\d{4}-/);
  expect(await listed()).toContain("Life 2 shadow");
}, 240_000);

test("the configured folder: a mistake leaves the old rules on, exit 1; repaired it is in force; SIGHUP does the same", async () => {
  write("rules/two.yml", rule(6, "*nasty*").replace("condition: selection", "condition: selektion"));
  const bad = await vedette("rule", "apply");
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/refused: .*rules\/two\.yml:8:\d+: Life 6/)]);
  expect(await listed()).not.toContainEqual(expect.stringContaining("Life 6"));
  write("rules/two.yml", rule(6, "*nasty*"));
  const diff = await vedette("rule", "diff");
  expect([diff.code, diff.stdout]).toEqual([1, expect.stringContaining("+ high Life 6")]);
  server.signal("SIGHUP");
  await server.until(listed, (rules) => rules.includes("Life 6 enabled"));
  // less than before: asks, and nobody is there to answer
  rmSync(join(work, "rules/two.yml"));
  const less = await vedette("rule", "apply");
  expect([less.code, less.stderr]).toEqual([1, expect.stringMatching(/coverage gets less: 1 enabled rules less and T1059\.006/)]);
  expect(await listed()).toContain("Life 6 enabled");
}, 240_000);

async function ingest(events: readonly unknown[]) {
  const answer = await server.fetch("/ingest/life", {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: events.map((e) => JSON.stringify(e)).join("\n"),
  });
  expect(answer.status).toBeLessThan(300);
}
