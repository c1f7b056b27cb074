import { afterEach, expect, test } from "vitest";
import { alertOf, asAdmin, type Rig, rig } from "../testing/fakes.ts";
import { describedMetrics } from "./metrics.ts";

let it: Rig;
afterEach(() => it.app.close());

const scrape = async () => (await it.app.inject({ url: "/metrics" })).body;
const linesOf = (text: string, name: string) =>
  text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

test("names that senders chose neither break the text nor make it grow without bound", async () => {
  it = await rig();
  const line = { in: 1, split: 0, stored: 1, dead: 0, dropped: {}, pending: 0, balance: 0 };
  const names = ['evil"} 1\nvedette_ready 1', "\u001b[31m", "x".repeat(10_000), ...Array.from({ length: 5_000 }, (_, i) => `source-${i}`)];
  it.runtime.ledger = async () => names.map((name) => ({ ...line, name }));
  const text = await scrape();
  expect(linesOf(text, "vedette_source_in_total").length).toBeLessThanOrEqual(1_001);
  expect(linesOf(text, "vedette_ready")).toEqual(["vedette_ready 1"]);
  expect(linesOf(text, "vedette_source_in_total").reduce((sum, one) => sum + Number(one.split(" ").at(-1)), 0)).toBe(names.length);
  for (const one of text.split("\n")) expect(one === "" || one.startsWith("# ") || /^vedette_\w+(\{.*\})? \S+$/.test(one), one).toBe(true);
  expect(Math.max(...text.split("\n").map((one) => one.length))).toBeLessThan(1_000);
});

test("what cannot answer is named, and hides nothing else", async () => {
  it = await rig();
  it.runtime.ledger = () => Promise.reject(new Error("the store is gone"));
  it.runtime.sinkStates = () => new Promise(() => {});
  const asked = it.app.inject({ url: "/metrics" });
  // the clock stands still: what hangs is given up when its time has passed
  for (let i = 0; i < 3; i++) await it.clock.pass(6_000);
  const text = (await asked).body;
  expect(text).toContain('vedette_scrape_group_missing{group="sources"} 1');
  expect(text).toContain('vedette_scrape_group_missing{group="sinks"} 1');
  expect(text).toContain('vedette_scrape_group_missing{group="detectors"} 0');
  expect(text).toContain("vedette_ready 1");
});

test("alerts are counted as they are raised, requests by route, endpoints by what came of them", async () => {
  it = await rig();
  const before = await scrape();
  const count = (text: string, line: string) =>
    Number(
      text
        .split("\n")
        .find((one) => one.startsWith(`${line} `))
        ?.split(" ")
        .at(-1) ?? 0,
    );
  const raised = 'vedette_alerts_total{severity="high",what="raised"}';
  const changed = 'vedette_alerts_total{severity="high",what="changed"}';
  it.runtime.notify({ kind: "alert", alert: alertOf("a") });
  it.runtime.notify({ kind: "alert", alert: alertOf("a", { updated: alertOf("a").created + 5 }) });
  await it.app.inject({ url: "/api/v1/status", headers: asAdmin });
  const after = await scrape();
  expect(count(after, raised) - count(before, raised)).toBe(1);
  expect(count(after, changed) - count(before, changed)).toBe(1);
  const route = 'vedette_http_request_duration_seconds_count{route="/api/v1/status",method="GET",status="200"}';
  expect(count(after, route) - count(before, route)).toBe(1);
});

test("every metric is described, in base units and by Prometheus's conventions", async () => {
  it = await rig();
  const described = await describedMetrics();
  expect(described.length).toBeGreaterThan(50);
  expect(new Set(described.map(({ name }) => name)).size).toBe(described.length);
  const known = new Set(described.map(({ name }) => name));
  for (const { name, help, type, labels } of described) {
    expect(name).toMatch(/^vedette_[a-z0-9_]+$/);
    expect(name.endsWith("_total"), name).toBe(type === "counter");
    expect(name).not.toMatch(/_(ms|micros|milliseconds|kb|mb|percent)(_|$)/);
    expect(help, name).toMatch(/^\S.{10,160}\.$/);
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
  }
  // what the client library tells of the process it describes itself
  const told = [...(await scrape()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  expect(told.filter((name) => !known.has(name) && !/^vedette_(process|nodejs)_/.test(name))).toEqual([]);
});
