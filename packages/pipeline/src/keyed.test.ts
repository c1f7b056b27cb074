import { detectors } from "@vedette/detect";
import { newFields } from "@vedette/kit";
import type { Finding, Observation } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyedEngine } from "./keyed.ts";

const spec = (await detectors()).get("brute_force")!;
const config = spec.config.parse({ threshold: 3, window_s: 60 });
const second = 1_000_000;
const lateness = 30 * second;
const table = new Map([["brute_force", { spec, config, hash: "h", lateness }]]);

const observation = (n: number, time: number, ip: string, outcome: "failure" | "success" = "failure"): Observation => ({
  detector: "brute_force",
  key: `main\0${ip}`,
  time,
  source: "s",
  seq: n,
  stream: "",
  host: "h",
  event: `e${n}`,
  received: time,
  demo: false,
  seen: Number.NEGATIVE_INFINITY,
  fields: Object.assign(newFields(), { "event.outcome": outcome, "source.ip": ip, "user.name": "root" }),
  original: "",
});

const canonical = (findings: readonly Finding[]) =>
  findings
    .filter((f) => f.canonical)
    .map((f) => [f.key, f.window.start, f.window.end, f.count, f.severity, ...f.events].join(" "))
    .sort();

function run(observations: readonly Observation[], restartAt: readonly number[] = []): Finding[] {
  let engine = new KeyedEngine(table);
  const saved = new Map<string, string>();
  const findings: Finding[] = [];
  observations.forEach((o, i) => {
    findings.push(...engine.observe(o));
    if (!restartAt.includes(i)) return;
    for (const { key, value } of engine.drain()) {
      if (value === undefined) saved.delete(key);
      else saved.set(key, value);
    }
    engine = new KeyedEngine(table);
    engine.restore([...saved].map(([key, value]) => ({ key, value })));
  });
  return [...findings, ...engine.finalise(Number.POSITIVE_INFINITY)];
}

const stream = fc
  .array(fc.record({ gap: fc.integer({ min: 0, max: 40 }), ip: fc.integer({ min: 1, max: 3 }), failed: fc.boolean() }), { maxLength: 60 })
  .map((steps) => {
    let time = 1_000 * second;
    return steps.map(({ gap, ip, failed }, n) => {
      time += gap * second;
      return observation(n, time, `192.0.2.${ip}`, failed ? "failure" : "success");
    });
  });

test("a finding is up with the event that completes it, and amended rather than repeated", () => {
  const findings = run([1, 2, 3, 4, 5, 6].map((n) => observation(n, n * second, "192.0.2.1")));
  expect(findings.map((f) => [f.revision, f.count, f.canonical])).toEqual([
    [0, 3, false],
    [1, 6, false],
    [2, 6, true],
  ]);
  expect(new Set(findings.map((f) => f.id)).size).toBe(1);
});

test("an earlier event within the lateness moves the episode: the new finding supersedes the old", () => {
  const findings = run([
    observation(2, 12 * second, "192.0.2.1"),
    observation(3, 13 * second, "192.0.2.1"),
    observation(4, 14 * second, "192.0.2.1"),
    observation(1, 10 * second, "192.0.2.1"),
  ]);
  const shown = findings.filter((f) => !f.canonical);
  expect(shown.map((f) => f.window.start)).toEqual([12 * second, 10 * second]);
  expect(shown[1]!.supersedes).toBe(shown[0]!.id);
  expect(canonical(findings)).toHaveLength(1);
});

test("disorder within the lateness changes no canonical finding", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(5), { maxLength: 60 }), (observations, swaps) => {
      // neighbours trade places; the window holds them all, so every order is within the lateness
      const disordered = [...observations];
      swaps.forEach((by, i) => {
        const j = i + by;
        if (j < disordered.length && Math.abs(disordered[i]!.time - disordered[j]!.time) < lateness)
          [disordered[i], disordered[j]] = [disordered[j]!, disordered[i]!];
      });
      expect(canonical(run(disordered))).toEqual(canonical(run(observations)));
    }),
    { numRuns: 300 },
  );
});

test("restarts anywhere change no finding", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(59), { maxLength: 6 }), (observations, restarts) => {
      const shape = (f: Finding) => [f.id, f.revision, f.count, f.canonical, f.severity].join(" ");
      expect(run(observations, restarts).map(shape).sort()).toEqual(run(observations).map(shape).sort());
    }),
    { numRuns: 300 },
  );
});

test("settling early changes no canonical finding", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(59), { maxLength: 6 }), (observations, ticks) => {
      const engine = new KeyedEngine(table);
      const findings: Finding[] = [];
      observations.forEach((o, i) => {
        findings.push(...engine.observe(o));
        engine.watermarks.advance([o.source, o.stream, o.host], o.time, o.time);
        if (ticks.includes(i)) findings.push(...engine.finalise(o.time));
      });
      findings.push(...engine.finalise(Number.POSITIVE_INFINITY));
      expect(canonical(findings)).toEqual(canonical(run(observations)));
      expect(engine.counts.late).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("an event later than the lateness is counted, not folded", () => {
  const engine = new KeyedEngine(table);
  engine.watermarks.advance(["s", "", "h"], 100 * second, 100 * second);
  expect(engine.observe(observation(1, 69 * second, "192.0.2.1"))).toEqual([]);
  expect(engine.counts.late).toBe(1);
  expect(engine.keys).toBeLessThanOrEqual(1);
});

test("what is quiet is forgotten", () => {
  const engine = new KeyedEngine(table);
  for (let n = 0; n < 100; n++) engine.observe(observation(n, n * second, `192.0.2.${n}`));
  expect(engine.keys).toBe(100);
  engine.finalise(Number.POSITIVE_INFINITY);
  expect(engine.keys).toBe(0);
  expect(engine.drain().every((d) => d.value === undefined)).toBe(true);
});
