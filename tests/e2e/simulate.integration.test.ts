/** A simulated morning sent to the real program by the senders' own protocols: everything is understood, and the alerts are scored. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

let v: Vedette;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-simulate-"));
  v = new Vedette();
  await v.start("--no-demo");
});
afterAll(async () => {
  await v?.remove();
  if (scratch) rmSync(scratch, { recursive: true, force: true });
});

test("records arrive by bulk, Slurm's plug-in, remote write and plain HTTP; each attack that is staged is found", async () => {
  const env = { VEDETTE_URL: v.url, VEDETTE_TOKEN: v.token };
  const sent = await vedette(
    [
      "simulate",
      "--nodes",
      "10",
      "--duration",
      "1h",
      "--start",
      "2026-03-02T08:00:00Z",
      "--activity",
      "0.001",
      "--interval",
      "300",
      "--scenario",
      "ssh_brute_force@15m",
      "--scenario",
      "miner_short_array@10m",
      "--to",
      v.url,
      "--out",
      "sim",
      "--json",
    ],
    { cwd: scratch, env },
  );
  expect([sent.code, sent.stderr]).toEqual([0, ""]);
  const summary = JSON.parse(sent.stdout) as { simulated: boolean; written: number; records: { [stream: string]: number } };
  expect(summary.simulated).toBe(true);
  const ledger = await settledLedger(v);
  expect(ledger.filter((s) => s.dead > 0 || s.balance !== 0).map((s) => s.name)).toEqual([]);
  const of = (name: string) => ledger.find((s) => s.name === name)?.stored ?? 0;
  const count = (...streams: readonly string[]) => streams.reduce((n, stream) => n + (summary.records[stream] ?? 0), 0);
  expect(of("tetragon")).toBe(count("tetragon"));
  expect(of("auth")).toBe(count("auth"));
  expect(ledger.reduce((n, s) => n + s.stored, 0)).toBeGreaterThanOrEqual(summary.written - count("metrics"));
  const asked = new URLSearchParams({
    q: "metric.name:slurm_job_core_usage_total",
    from: "2026-03-02T08:00:00Z",
    to: "2026-03-02T09:00:00Z",
  });
  const { series } = await v.until(
    () => v.get<{ series: readonly unknown[] }>(`/api/v1/metrics/series?${asked}`),
    (answer) => answer.series.length > 0,
  );
  expect(series.length).toBeGreaterThan(0);

  const scored = await v.until(
    async () => {
      const { stdout } = await vedette(["simulate", "score", "--truth", "sim/truth.ndjson", "--json"], { cwd: scratch, env });
      return JSON.parse(stdout) as { simulated: boolean; recall: number; scenarios: readonly { scenario: string; found: number }[] };
    },
    (score) => score.recall === 1,
  );
  expect(scored.scenarios.map((s) => [s.scenario, s.found])).toEqual([
    ["miner_short_array", 1],
    ["ssh_brute_force", 1],
  ]);
  expect(readFileSync(join(scratch, "sim/truth_jobs.ndjson"), "utf8")).toContain('"profile":"miner_short_array"');
}, 300_000);

test("what is asked for wrongly is said, and nothing is written", async () => {
  const wrong = [
    [["--out", "x", "--nodes", "3"], "--nodes 3: expected a whole number from 10"],
    [["--out", "x", "--scenario", "miner"], "miner_encrypted"],
  ] as const;
  for (const [args, said] of wrong) {
    const { code, stderr } = await vedette(["simulate", ...args], { cwd: scratch });
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
  }
  const list = await vedette(["simulate", "--list"], { cwd: scratch });
  expect(list.stdout).toContain("miner_through_login_node");
});
