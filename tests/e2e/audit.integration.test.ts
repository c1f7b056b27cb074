/** The audit trail of a running Vedette: recorded, detected on, and proved; what a client says in its name is not believed. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette as run } from "./cli.ts";
import { Vedette } from "./vedette.ts";

let server: Vedette;
let heads: string;
const vedette = (...args: string[]) => run(args, { cwd: server.directory, env: { VEDETTE_DATA: server.data } });
const post = (path: string, body: unknown) =>
  server.fetch(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
const titles = async () => (await server.get<{ alerts: { title: string }[] }>("/api/v1/alerts?limit=100")).alerts.map(({ title }) => title);

beforeAll(async () => {
  server = new Vedette("audit: { heads: [elsewhere/heads.ndjson] }\n");
  heads = join(server.directory, "elsewhere", "heads.ndjson");
  await server.start("--no-demo");
}, 300_000);
afterAll(() => server.remove());

test("guessed tokens and a rule switched off become alerts; a forged record does not", async () => {
  const forged = {
    "@timestamp": new Date().toISOString(),
    "event.dataset": "vedette.audit",
    "event.action": "source_removed",
    "event.outcome": "success",
  };
  expect((await post("/ingest", forged)).status).toBe(200);
  for (let i = 0; i < 12; i++) await fetch(`${server.url}/api/v1/alerts`, { headers: { authorization: `Bearer guess${i}` } });
  const { rules } = await server.get<{ rules: { id: string; title: string }[] }>("/api/v1/rules");
  const rule = rules.find(({ title }) => title === "Source removed or retention shortened")!;
  expect((await post(`/api/v1/rules/${rules[0]!.id}/state`, { state: "quarantined", reason: "too loud" })).status).toBe(200);
  const found = await server.until(titles, (all) => all.length >= 2 && all.includes("Detection rule switched off or set aside"));
  expect(found).toContain("Tokens of Vedette guessed from one address");
  expect(found).not.toContain(rule.title);
  await server.until(
    () => server.events("event.dataset:client.vedette.audit"),
    (found) => found.length === 1,
  );
}, 300_000);

test("what was done is listed, with who and from where", async () => {
  const listed = await vedette("audit", "list", "--json");
  expect(listed.code).toBe(0);
  const fields = (JSON.parse(listed.stdout) as { fields: { [name: string]: unknown } }[]).map((one) => one.fields);
  expect(fields).toContainEqual(
    expect.objectContaining({ "event.action": "rule_disabled", "user.name": "admin", "vedette.audit.reason": "too loud" }),
  );
  expect(fields).toContainEqual(expect.objectContaining({ "event.action": "login", "event.outcome": "failure", "source.ip": "127.0.0.1" }));
}, 300_000);

test("after kill -9 the trail goes on, and is proved against heads kept elsewhere", async () => {
  const { n } = JSON.parse((await vedette("audit", "head")).stdout) as { n: number };
  await server.until(
    async () => readFileSync(heads, "utf8").trimEnd().split("\n").at(-1)!,
    (line) => (JSON.parse(line) as { n: number }).n >= n,
  );
  await server.kill();
  await server.start("--no-demo");
  expect(await server.stop()).toBe(0);
  const good = await vedette("verify", "--head", heads);
  expect(good.stdout).toMatch(/^Good: \d+ records/);
  expect(good.code).toBe(0);

  const chain = join(server.data, "audit");
  const file = join(chain, readdirSync(chain).find((name) => name.endsWith(".audit"))!);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const at = lines.findIndex((line) => line.includes('"rule_disabled"'));
  writeFileSync(file, `${lines.filter((_, i) => i !== at).join("\n")}\n`);
  const bad = await vedette("verify", "--head", heads, "--json");
  expect(JSON.parse(bad.stdout)).toMatchObject({ ok: false, bad: { n: at, code: "missing" } });
  expect(bad.code).toBe(1);
  writeFileSync(file, `${lines.slice(0, at).join("\n")}\n`);
  expect((await vedette("verify")).stdout).toContain("the end was cut off");
}, 300_000);
