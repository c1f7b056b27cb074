/** Debian's Prometheus scrapes a real Vedette: every query of every dashboard and every series an alert rests on is there, or says why not yet. */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { Program } from "./clients.ts";
import { freePort } from "./free_port.ts";
import { alertRules, dashboards, metricsIn, ofExporters, prometheusFile, rulesFile, rulesTest } from "./observability.ts";
import { Vedette } from "./vedette.ts";

const absent = ["prometheus", "promtool"].filter((name) => spawnSync("which", [name]).status !== 0);
// in CI what is absent is a failure
const skip = absent.length > 0 && process.env["CI"] !== "true";
if (skip) console.warn(`observability: skipped, not installed: ${absent.join(", ")}`);

/** Metrics without a series until something happens, and what. */
const untilItHappens: { readonly [metric: string]: string } = {
  vedette_problem: "a problem stands",
  vedette_store_failures_total: "the storage thread refuses a call",
  vedette_source_warnings: "a source warns",
  vedette_source_failed: "the source is configured",
  vedette_source_dropped_total: "records are dropped on purpose",
  vedette_backup_last_success_timestamp_seconds: "a backup was made",
  vedette_backup_overdue: "backups are scheduled",
  vedette_heartbeats_total: "a heartbeat was due",
  vedette_cluster_up: "redis.host is set",
};
/** Queries that filter: they answer only while what they look for is so. */
const filters: { readonly [query: string]: string } = {
  "min(vedette_data_volume_bytes": "the space on the volume shrinks",
};

interface Exported {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly traceId: string; readonly name: string }[] }[];
  }[];
}
const scrape_ms = 1_000;
const watchdog_ms = 240_000;
const promtool = (...args: string[]) => spawnSync("promtool", args, { encoding: "utf8" });

describe.skipIf(skip)("Prometheus", () => {
  let prometheus: Program | undefined;
  let v: Vedette | undefined;
  const beats: string[] = [];
  const traces: string[] = [];
  /** The second path: somebody else's service. */
  const receiver = createServer(async (request, answer) => {
    let body = "";
    for await (const part of request) body += String(part);
    if (request.url === "/v1/traces") traces.push(body);
    else beats.push(`${request.method} ${request.url}`);
    answer.end();
  });
  afterAll(async () => {
    receiver.close();
    await prometheus?.stop("SIGKILL");
    await v?.remove();
  });

  test("takes the rules, their cases and the configuration", () => {
    expect(absent).toEqual([]);
    for (const args of [
      ["check", "rules", rulesFile],
      ["test", "rules", rulesTest],
      ["check", "config", prometheusFile],
    ]) {
      const { status, stdout, stderr } = promtool(...args);
      expect(status, `${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
    }
  });

  test("gets data for every query of every dashboard, and every series of every alert", { timeout: watchdog_ms }, async () => {
    const port = await freePort();
    receiver.listen(0, "127.0.0.1");
    await once(receiver, "listening");
    v = new Vedette(`sinks:
  lake: { select: events, parquet: { folder: lake } }
heartbeat: { url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/planted-in-heartbeat", every_s: 5 }
telemetry: { otlp: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}", ratio: 1 }
postgres: { password: planted-in-postgres }
openai: { api_key: planted-in-openai }
`);
    await v.start();
    const folder = join(v.directory, "prometheus");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "prometheus.yml"),
      `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: ["${rulesFile}"]
scrape_configs:
  - { job_name: vedette, static_configs: [{ targets: ["${v.url.replace("http://", "")}"] }] }
`,
    );
    prometheus = new Program("prometheus", [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    await prometheus.says(/Server is ready to receive web requests/);

    // something of everything: what is read, flawed, dropped, refused, and a rule that is proved
    const lines = Array.from(
      { length: 200 },
      (_, i) => `Nov 20 06:00:${String(i % 60).padStart(2, "0")} node1 sshd[7]: Failed password for u${i} from 203.0.113.9 port 4000 ssh2`,
    );
    await v.fetch("/ingest/auth", { method: "POST", body: lines.join("\n") });
    await v.fetch("/ingest/broken", { method: "POST", body: '{"cut off":\n\n{"fine": 1}\n' });
    await v.fetch("/ingest/auth", { method: "POST", body: "x", headers: { authorization: "Bearer wrong" } });
    const { rules } = await v.get<{ rules: { id: string }[] }>("/api/v1/canaries");
    await v.fetch("/api/v1/canaries", {
      method: "POST",
      body: JSON.stringify({ ids: rules.slice(0, 8).map(({ id }) => id) }),
      headers: { "content-type": "application/json" },
    });

    const ask = async (query: string): Promise<readonly unknown[]> => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query })}`);
      const { status, data, error } = (await answer.json()) as { status: string; data?: { result: unknown[] }; error?: string };
      if (status !== "success") throw new Error(`${query}: ${error}`);
      return data!.result;
    };
    const excused = (query: string) =>
      metricsIn(query).some((name) => name in untilItHappens || ofExporters.test(name)) ||
      Object.keys(filters).some((begin) => query.startsWith(begin)) ||
      query.startsWith('up{job=~"kafka');
    const wanted = new Map<string, string>();
    for (const [file, { panels }] of dashboards())
      for (const { title, targets = [] } of panels)
        for (const { expr } of targets)
          if (!excused(expr))
            wanted.set(
              expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "1m").replaceAll("[6h]", "[1m]"),
              `${file}: ${title}`,
            );
    for (const { alert, expr } of alertRules()) for (const name of metricsIn(expr)) if (!(name in untilItHappens)) wanted.set(name, alert);
    expect(wanted.size).toBeGreaterThan(100);

    const begun = Date.now();
    const missing = await v.until(
      async () => {
        // nothing new comes before the next scrape
        await new Promise((resolve) => setTimeout(resolve, scrape_ms));
        const left: string[] = [];
        for (const [query, where] of wanted) {
          if ((await ask(query)).length > 0) wanted.delete(query);
          else left.push(`${where}: ${query}`);
        }
        return left;
      },
      // what is not there by then is named instead of a test that ran out of time
      (left) => left.length === 0 || prometheus!.child.exitCode !== null || Date.now() > begun + watchdog_ms / 2,
    );
    expect(missing).toEqual([]);
    // the rules are judged, and this installation is well: nothing but what says so all the time
    const firing = await v.until(
      () => ask('ALERTS{alertstate="firing"}') as Promise<{ metric: { alertname: string } }[]>,
      (found) => found.length > 0,
    );
    expect(firing.map(({ metric }) => metric.alertname)).toContain("VedetteWatchdog");
  });

  test("its heart beats by a second path, its batches are traced; a support dump of it holds no secret and nothing of an event; top shows what it does", {
    timeout: watchdog_ms,
  }, async () => {
    const env = { VEDETTE_URL: v!.url, VEDETTE_DATA: v!.data, SOME_API_TOKEN: "planted-in-environment" };
    const login = await fetch(/(http\S+login\?token=\S+)/.exec(v!.output)![1]!, { redirect: "manual" });
    const cookie = /=([^;]+)/.exec(login.headers.get("set-cookie") ?? "")?.[1] ?? "no cookie came";
    await v!.until(
      async () => beats,
      (all) => all.length > 0,
    );
    expect(beats[0]).toBe("POST /planted-in-heartbeat");
    // the demo raised alerts: of a batch of it the whole way is one trace
    const ways = new Map<string, Set<string>>();
    await v!.until(
      async () => {
        for (const text of traces.splice(0))
          for (const { traceId, name } of (JSON.parse(text) as Exported).resourceSpans[0]!.scopeSpans[0]!.spans)
            ways.set(traceId, (ways.get(traceId) ?? new Set()).add(name));
        return [...ways.values()];
      },
      (found) => found.some((names) => names.size === 4),
    );
    const { code, stderr } = await vedette(["support-dump", "--config", "vedette.yaml", "-o", "dump.tar.gz"], { cwd: v!.directory, env });
    expect(code, stderr).toBe(0);
    const { stdout: text } = spawnSync("tar", ["-xzOf", "dump.tar.gz"], { cwd: v!.directory, encoding: "utf8", maxBuffer: 1e8 });
    for (const there of ["vedette_ready 1", '"postgres"', '"left_out"', '"rules"']) expect(text).toContain(there);
    const planted = [
      "planted-in-postgres",
      "planted-in-openai",
      "planted-in-heartbeat",
      "planted-in-environment",
      v!.token,
      cookie,
      "203.0.113.9",
      "Failed password",
    ];
    for (const secret of planted) expect(text.includes(secret), secret.slice(0, 12)).toBe(false);

    const shown = await vedette(["top", "--once"], { cwd: v!.directory, env });
    expect(shown.stdout).toContain("SOURCE");
    expect(shown.stdout).toContain("auth");
    const sample = JSON.parse((await vedette(["top", "--once", "--json"], { cwd: v!.directory, env })).stdout) as { ready: boolean };
    expect(sample.ready).toBe(true);
  });
});
