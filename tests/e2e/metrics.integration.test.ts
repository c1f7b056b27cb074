/** Metrics, logs and spans through the real program: kept once over a kill and a repeat, shown, and joined into one alert. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { double, message, text, varint } from "../../packages/ingest/src/protobuf.fixture.ts";
import { snappy } from "../../packages/ingest/src/snappy.fixture.ts";
import { vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Range {
  readonly series: readonly {
    readonly labels: { readonly [name: string]: string };
    readonly points: readonly (readonly [string, number])[];
  }[];
}

const rules = `title: Failed login
name: failed_login
logsource: {product: linux, service: sshd}
detection: {s: {event.outcome: failure}, condition: s}
level: low
---
title: Failing call
name: failing_call
logsource: {product: opentelemetry, service: traces}
detection: {s: {event.outcome: failure}, condition: s}
level: low
---
title: Guessed at, busy and failing
id: 1f2a6c3e-2222-4a5b-9c55-00000000c0de
level: high
correlation: {type: temporal, rules: [failed_login, detector.metric_threshold.busy, failing_call], group-by: host.name, timespan: 30m}
`;
let exporter: Server;
let v: Vedette;
beforeAll(async () => {
  exporter = createServer((_, response) => response.end("# TYPE disk_free gauge\ndisk_free 7\n"));
  await new Promise<void>((resolve) => exporter.listen(0, "127.0.0.1", resolve));
  const { port } = exporter.address() as AddressInfo;
  v = new Vedette(`
rules: { starter: false, directories: [rules] }
canaries: { enabled: false }
# a slow machine may take its time between the three
engine: { lateness_s: 600 }
sources:
  exporters: { prometheus_scrape: { targets: ["http://127.0.0.1:${port}/metrics"], job: node, interval_s: 1 } }
detectors:
  metric_threshold:
    watches: [{ name: busy, title: is busy, where: "metric.name:load", above: 0.9, for_s: 60 }]
`);
  mkdirSync(join(v.directory, "rules"));
  writeFileSync(join(v.directory, "rules", "joined.yml"), rules);
  await v.start("--no-demo");
});
afterAll(async () => {
  await v?.remove();
  exporter?.close();
});

const now_s = Math.floor(Date.now() / 10_000) * 10 - 300;
const label = (name: string, value: string) => message(1, text(1, name), text(2, value));
/** Two minutes of a load that stays high, as remote write says it. */
const request = (host: string, from_s: number) =>
  snappy(
    message(
      1,
      label("__name__", "load"),
      label("instance", `${host}:9100`),
      ...Array.from({ length: 13 }, (_, i) => message(2, double(1, 0.95), varint(2, (from_s + i * 10) * 1_000))),
    ),
  );
const write = (host = "web0", from_s = now_s) =>
  v.fetch("/api/v1/write", {
    method: "POST",
    headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy" },
    body: new Uint8Array(request(host, from_s)),
  });
const loadRange = () => v.get<Range>(`/api/v1/metrics/query?q=metric.name:load&function=count&step_s=60`);
const counted = ({ series }: Range) => series.flatMap(({ points }) => points).reduce((n, [, count]) => n + count, 0);

test("remote write is kept once: after a repeat, and after kill -9 and another repeat", async () => {
  expect((await write()).status).toBe(204);
  expect((await write()).status).toBe(204);
  await settledLedger(v);
  expect(counted(await v.until(loadRange, (range) => counted(range) > 0))).toBe(13);
  await v.kill();
  await v.start("--no-demo");
  expect((await write()).status).toBe(204);
  const sources = await settledLedger(v);
  const { prometheus } = Object.fromEntries(sources.map((one) => [one.name, one]));
  expect(prometheus).toMatchObject({ stored: 13, dropped: { repeated_sample: 26 }, dead: 0, balance: 0 });
  expect(counted(await loadRange())).toBe(13);
});

test("a target is scraped; the command line lists its series and prints their values", async () => {
  const up = () => v.get<Range>("/api/v1/metrics/query?q=metric.name:up+and+labels.job:node&function=min");
  await v.until(up, ({ series }) => series.length === 1);
  const env = { VEDETTE_URL: v.url, VEDETTE_TOKEN: v.token };
  const listed = await vedette(["metrics", "list", "metric.name:disk_free", "--json"], { cwd: v.directory, env });
  expect(listed.code, listed.stderr).toBe(0);
  expect(JSON.parse(listed.stdout)).toMatchObject([{ source: "exporters", name: "disk_free", kind: "gauge", labels: { job: "node" } }]);
  const ranged = await vedette(["metrics", "range", "metric.name:disk_free", "--function", "max"], { cwd: v.directory, env });
  expect([ranged.code, ranged.stdout]).toEqual([0, expect.stringContaining(" 7 ")]);
  const sources = await vedette(["metrics", "sources"], { cwd: v.directory, env });
  expect(sources.stdout).toContain("exporters");
});

test("a log, a metric beyond its limit and a failing span of one host become one alert", async () => {
  const begin_s = Math.floor(Date.now() / 1_000) - 120;
  expect((await write("web1", begin_s)).status).toBe(204);
  const at = new Date((begin_s + 70) * 1_000).toISOString().replace("Z", "+00:00");
  const line = `${at} web1 sshd[9]: Failed password for root from 192.0.2.7 port 22 ssh2`;
  expect((await v.fetch("/ingest", { method: "POST", body: line })).ok).toBe(true);
  const attributes = Object.entries({ "service.name": "shop", "host.name": "web1" }).map(([key, value]) => ({
    key,
    value: { stringValue: value },
  }));
  const span = {
    name: "GET /",
    kind: 2,
    startTimeUnixNano: `${now_s + 90}000000000`,
    endTimeUnixNano: `${now_s + 91}000000000`,
    status: { code: 2 },
  };
  const traces = { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [span] }] }] };
  const sent = await v.fetch("/v1/traces", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(traces),
  });
  expect(sent.status).toBe(200);
  const alerts = () => v.get<{ alerts: { title: string; severity: string; entities: unknown[] }[] }>("/api/v1/alerts?limit=50");
  const { alerts: found } = await v.until(alerts, ({ alerts: all }) => all.some(({ title }) => title.startsWith("Guessed at")));
  expect(found.find(({ title }) => title.startsWith("Guessed at"))).toMatchObject({
    severity: "high",
    entities: [{ type: "host.name", id: "web1" }],
  });
  // the span's service is a series of its own
  const service = () => v.get<Range>("/api/v1/metrics/query?q=metric.name:traces.service.failed");
  const { series } = await v.until(service, (range) => range.series.length > 0);
  expect(series[0]).toMatchObject({ labels: { "service.name": "shop" }, points: [[expect.any(String), 1]] });
});
