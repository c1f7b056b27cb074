import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { collectFromThreads, defineCounter, defineGauge, defineHistogram, readInstruments } from "./instruments.ts";

const read = async (name: string) => (await readInstruments()).find(({ family }) => family.name === `vedette_${name}`);

test("counters add up by their labels, histograms by their buckets, gauges are asked", async () => {
  const taken = defineCounter("test_taken_total", "What was taken.", ["from"]);
  taken.add(2, "a");
  taken.add(3, "b");
  taken.add(1, "a");
  expect((await read("test_taken_total"))?.series).toEqual([
    { labels: ["a"], values: [3] },
    { labels: ["b"], values: [3] },
  ]);

  const took = defineHistogram("test_took_seconds", "What it took.", [], [1, 10]);
  for (const value of [0.5, 1, 2, 100]) took.observe(value);
  expect((await read("test_took_seconds"))?.series).toEqual([{ labels: [], values: [103.5, 2, 1, 1] }]);
  await expect(took.time(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect((await read("test_took_seconds"))!.series[0]!.values.slice(1).reduce((a, b) => a + b)).toBe(5);

  let there = ["x", "y"];
  defineGauge("test_there", "What is there.", ["name"]).readBy((set) => there.forEach((name, i) => void set(i, name)));
  expect((await read("test_there"))?.series.map(({ labels }) => labels[0])).toEqual(["x", "y"]);
  there = ["z"];
  expect((await read("test_there"))?.series).toEqual([{ labels: ["z"], values: [0] }]);
});

test("a gauge that cannot be read is left out and takes nothing with it", async () => {
  defineGauge("test_broken", "Cannot be read.").readBy(() => Promise.reject(new Error("no")));
  defineCounter("test_beside_total", "Can be read.").add(1);
  expect(await read("test_broken")).toBeUndefined();
  expect(await read("test_beside_total")).toBeDefined();
});

test("labels that a sender makes up fill no memory: beyond a bound they are one, and long ones are cut", async () => {
  const named = defineCounter("test_named_total", "By a name that somebody sends.", ["name"]);
  for (let i = 0; i < 5_000; i++) named.add(1, `host-${i}\n"} evil{`);
  named.add(1, "x".repeat(100_000));
  const { series } = (await read("test_named_total"))!;
  expect(series.length).toBeLessThanOrEqual(1_001);
  expect(series.reduce((sum, { values }) => sum + values[0]!, 0)).toBe(5_001);
  expect(Math.max(...series.map(({ labels }) => labels[0]!.length))).toBeLessThanOrEqual(120);
});

test("what other threads count is told, and stays when they end", { timeout: 120_000 }, async () => {
  collectFromThreads();
  // declared here too and counted only there, as what a module declares that both import
  defineHistogram("test_elsewhere_seconds", "Measured in a thread.", [], [1, 10]);
  const code = `import { defineCounter, defineHistogram } from ${JSON.stringify(new URL("./instruments.ts", import.meta.url).href)};
    defineHistogram("test_elsewhere_seconds", "Measured in a thread.", [], [1, 10]).observe(5);
    defineCounter("test_elsewhere_total", "Counted in a thread.").add(7);
    setInterval(() => {}, 1000); // it lives until it is ended`;
  const sum = async () => (await read("test_elsewhere_total"))?.series[0]?.values[0] ?? 0;
  for (const expected of [7, 14]) {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
    await once(worker, "online");
    while ((await sum()) !== expected) await new Promise((resolve) => setTimeout(resolve, 20));
    await worker.terminate();
    expect(await sum()).toBe(expected);
    expect((await read("test_elsewhere_seconds"))!.series[0]!.values).toEqual([(expected / 7) * 5, 0, expected / 7, 0]);
  }
});
