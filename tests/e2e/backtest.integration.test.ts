/** A backtest over what is stored: beside a running server, and on the data directory of a stopped one. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Ended, vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

const v = new Vedette();
const line = (second: number, ip: string) =>
  `Nov 20 06:00:${String(second).padStart(2, "0")} node1 sshd[7]: Failed password for root from ${ip} port ${40_000 + second} ssh2\n`;
const rule = `title: Root fails to log in
id: 6f4a6c3e-1111-4a5b-9c55-00000000000b
logsource: { product: linux, service: sshd }
detection:
  a: { event.outcome: failure, user.name: root }
  condition: a
level: low
`;
interface Report {
  readonly stored: number;
  readonly candidates: number;
  readonly rules: readonly {
    readonly id: string;
    readonly matched: number;
    readonly alerts: number;
    readonly entities: readonly object[];
  }[];
}

/** What is asked of the server is recorded, and stored with the rest. */
const atLeast40 = expect.toSatisfy((n) => Number(n) >= 40);
const run = (wanted: string, ...flags: string[]): Promise<Ended> =>
  vedette(["rule", "backtest", wanted, "--data-dir", v.data, ...flags], { cwd: v.directory });

beforeAll(async () => {
  await v.start("--no-demo");
  writeFileSync(join(v.directory, "root.yml"), rule);
  const lines = Array.from({ length: 40 }, (_, i) => line(i, i % 2 ? "203.0.113.7" : "198.51.100.9")).join("");
  await v.fetch("/ingest?source=auth", { method: "POST", body: lines, headers: { "content-type": "text/plain" } });
  await v.until(
    () => settledLedger(v),
    (sources) => sources.some((s) => s.stored >= 40),
  );
}, 300_000);
afterAll(() => v.remove());

test("beside a running server: estimate, table, JSON; by file, by a running rule, by a detector", async () => {
  const alerts = async () => (await v.get<{ total: number }>("/api/v1/alerts")).total;
  const before = await v.until(alerts, (n) => n >= 2);
  const estimate = await run("root.yml", "--estimate", "--json");
  expect([estimate.code, JSON.parse(estimate.stdout)]).toMatchObject([0, { rules: 1, stored: atLeast40, candidates: 40 }]);
  const { code, stdout } = await run("root.yml", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout) as Report).toMatchObject({
    stored: atLeast40,
    rules: [{ matched: 40, alerts: 2, entities: [{ type: "source.ip", id: "198.51.100.9", count: 20 }, { count: 20 }] }],
  });
  const table = await run("brute_force");
  expect(table.stdout).toMatch(/ALERTS\/DAY/);
  expect(table.stderr).toMatch(/nothing was changed/);
  const nobody = await run("no-such-rule");
  expect([nobody.code, nobody.stderr]).toEqual([2, expect.stringContaining("no-such-rule is neither a rule's id nor a detector")]);
  expect(await alerts()).toBe(before);
}, 300_000);

test("over HTTP: started, seen, cancelled", async () => {
  const post = (path: string, body: object) =>
    v.fetch(`/api/v1/backtests${path}`, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } });
  const started = await post("", { rules: [{ file: "r.yml", text: rule }] });
  expect(started.status).toBe(202);
  const { id } = (await started.json()) as { id: string };
  const cancelled = (await (await v.fetch(`/api/v1/backtests/${id}`, { method: "DELETE" })).json()) as { id: string };
  expect(cancelled.id).toBe(id);
  const { state } = await v.until(
    () => v.get<{ state: string }>(`/api/v1/backtests/${id}`),
    (one) => !["waiting", "running"].includes(one.state),
  );
  // it may have been done before it could be stopped
  expect(["cancelled", "done"]).toContain(state);
  expect((await v.get<{ backtests: object[] }>("/api/v1/backtests")).backtests.length).toBeGreaterThanOrEqual(3);
  expect((await post("", { rules: [{ file: "bad.yml", text: "title: x\n" }] })).status).toBe(400);
  expect((await v.fetch("/api/v1/backtests/b999")).status).toBe(404);
}, 60_000);

test("on the data directory of a stopped server: the same answer", async () => {
  expect(await v.stop()).toBe(0);
  const { code, stdout } = await run("root.yml", "--json");
  expect(code).toBe(0);
  expect((JSON.parse(stdout) as Report).rules).toMatchObject([{ matched: 40, alerts: 2 }]);
}, 300_000);
