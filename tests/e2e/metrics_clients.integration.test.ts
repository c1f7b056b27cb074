/** Debian's Prometheus and node exporter against the real program: remote write, scraping, PromQL. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "./free_port.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Range {
  readonly series: readonly {
    readonly source: string;
    readonly name: string;
    readonly labels: { readonly [name: string]: string };
    readonly points: readonly (readonly [string, number])[];
  }[];
}

const programs = ["prometheus", "prometheus-node-exporter"];
const absent = programs.filter((name) => spawnSync("which", [name]).status !== 0);
// in CI what is absent is a failure
const skip = absent.length > 0 && process.env["CI"] !== "true";
if (skip) console.warn(`metrics_clients: skipped, not installed: ${absent.join(", ")}`);

const started: ChildProcess[] = [];
let v: Vedette | undefined;
afterAll(async () => {
  for (const child of started) child.kill("SIGKILL");
  await v?.remove();
});

test.skipIf(skip)(
  "Prometheus writes and is asked, the node exporter is scraped: all of it is there, and the ledger is at zero",
  { timeout: 300_000 },
  async () => {
    expect(absent).toEqual([]);
    const [exporter, prometheus] = [await freePort(), await freePort()];
    started.push(spawn("prometheus-node-exporter", [`--web.listen-address=127.0.0.1:${exporter}`], { stdio: "ignore" }));
    v = new Vedette(`sources:
  nodes: { prometheus_scrape: { targets: ["http://127.0.0.1:${exporter}/metrics"], job: direct, interval_s: 1 } }
  asked:
    prometheus_query:
      url: "http://127.0.0.1:${prometheus}"
      queries: [{ name: targets_up, query: "sum by (job) (up)" }]
      interval_s: 1
`);
    await v.start("--no-demo");
    const folder = join(v.directory, "prometheus");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "prometheus.yml"),
      `global: { scrape_interval: 1s }
scrape_configs:
  - { job_name: node, static_configs: [{ targets: ["127.0.0.1:${exporter}"] }] }
remote_write:
  - url: ${v.url}/api/v1/write
    authorization: { credentials: "${v.token}" }
    queue_config: { batch_send_deadline: 1s }
`,
    );
    const flags = [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${prometheus}`,
    ];
    started.push(spawn("prometheus", flags, { stdio: "ignore" }));

    const ask = (q: string, fn = "last") =>
      v!.get<Range>(`/api/v1/metrics/query?${new URLSearchParams({ q, function: fn, limit: "1000" })}`);
    const there = (range: Range) => range.series.length > 0;
    const written = await v.until(() => ask("vedette.source:prometheus and metric.name:up and labels.job:node"), there);
    expect(written.series[0]!.labels).toEqual({ instance: `127.0.0.1:${exporter}`, job: "node" });
    const scraped = await v.until(() => ask("vedette.source:nodes and metric.name:node_load1"), there);
    expect(scraped.series[0]!.labels).toEqual({ instance: `127.0.0.1:${exporter}`, job: "direct" });
    const answered = await v.until(() => ask("vedette.source:asked and metric.name:targets_up"), there);
    expect(answered.series[0]!.labels).toEqual({ job: "node" });
    // both ways the same exporter's series, by name
    const namesOf = async (source: string) =>
      new Set((await ask(`vedette.source:${source} and metric.name:node_*`)).series.map(({ name }) => name));
    const [byWrite, byScrape] = await v.until(
      async () => [await namesOf("prometheus"), await namesOf("nodes")] as const,
      ([a, b]) => a.size > 0 && a.size === b.size,
    );
    expect([...byWrite!].sort()).toEqual([...byScrape!].sort());
    for (const child of started) child.kill("SIGTERM");
    for (const { name, dead, balance } of await settledLedger(v)) expect([name, dead, balance]).toEqual([name, 0, 0]);
  },
);
