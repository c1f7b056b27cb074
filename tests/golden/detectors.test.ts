/** What is known of the real sets, held against what the detectors make of them; entities of sets that may not be shipped stand here as documentation of those sets names them. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { compileProgram, makeProgram } from "@vedette/pipeline";
import { describe, expect, test } from "vitest";
import { replay } from "./replay.ts";
import { found, present } from "./sets.ts";

interface Episode {
  readonly rule: string;
  readonly entities: readonly string[];
  readonly severity: string;
}
const episodes = (set: string): readonly Episode[] =>
  readFileSync(new URL(`./${set}/findings.jsonl`, import.meta.url), "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Episode);
const hashed = (type: string, id: string) => `${type}=${createHash("sha256").update(id).digest("hex").slice(0, 12)}`;
const severe = ["high", "critical"];

describe("in the golden files, which golden.test.ts holds", () => {
  test("nmap over a network is seen from both sides, and as one source", () => {
    const scans = episodes("zeek-stratosphere-labelled").filter((e) => e.rule.endsWith("_scan") && e.severity === "high");
    const scanner = hashed("source.ip", "172.16.1.11");
    expect(scans.every((e) => e.entities[0] === scanner)).toBe(true);
    expect(new Set(scans.map((e) => e.rule))).toEqual(new Set(["horizontal_scan", "vertical_scan"]));
  });
  test("NjRAT's dead command server, called every few seconds, is a beacon", () => {
    const calls = episodes("zeek-stratosphere-labelled").find((e) => e.entities.includes(hashed("destination.ip", "41.108.179.197")));
    expect(calls).toMatchObject({ rule: "beacon", severity: "medium" });
  });
  test("a bot that calls peers of which many are gone is a low scan", () => {
    expect(episodes("zeek-slips").filter((e) => e.rule === "horizontal_scan")).toMatchObject([
      { rule: "horizontal_scan", severity: "low", entities: [hashed("source.ip", "10.0.2.112")] },
    ]);
  });
  test.each(["zeek-wrccdc-tsv", "zeek-wrccdc-json"])("%s: only the host that opens thousands of remote desktops", (set) => {
    expect(new Set(episodes(set).map((e) => e.entities[0]))).toEqual(new Set(["source.ip=10.164.94.120"]));
  });
  test.each(["zeek-rita", "loghub-apache", "otrf", "tetragon"])("%s has no alarm", (set) => {
    expect(episodes(set)).toEqual([]);
  });
  test("on a server of 2005 under attack nothing but brute force is high", () => {
    const rules = episodes("loghub-linux").filter((e) => severe.includes(e.severity));
    expect(new Set(rules.map((e) => e.rule))).toEqual(new Set(["brute_force"]));
  });
});

describe.skipIf(!present)("RITA's own rolling set", () => {
  const detectors = (settings: object) =>
    compileProgram(makeProgram({ rules: [], pipelines: [], detectors: { ...settings }, lateness_s: 30 }, 0));
  const files = () => found("zeek-rita", "proxy_rolling/conn.16*.log.gz");
  test("the resolver that RITA scores 0.67 scores alike here, and nothing is more than low", async () => {
    const { episodes: all } = await replay(files(), detectors({ beacon: { score: 0.5, regular: 0, ignore_ports: [] } }));
    const beacons = all.filter((f) => f.rule.id === "beacon");
    expect(beacons.map((f) => f.severity).filter((s) => s !== "low")).toEqual([]);
    const resolver = beacons.find((f) => f.entities.some((e) => e.id === "75.75.75.75"));
    const score = Number(/score ([\d.]+)/.exec(resolver?.summary ?? "")?.[1]);
    // RITA: 0.673 over the set's two hours; here over the busiest hour of it
    expect(score).toBeGreaterThan(0.55);
    expect(score).toBeLessThan(0.75);
  });
  test("with the defaults nothing in it is a beacon", async () => {
    const { episodes: all } = await replay(files(), detectors({}));
    expect(all).toEqual([]);
  });
});
