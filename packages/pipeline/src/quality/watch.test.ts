/** Each watch fires, stays silent on healthy input, and recovers by itself. */
import type { Micros } from "@vedette/model";
import { expect, test } from "vitest";
import type { Analysis } from "../analysis.ts";
import type { OwnFinding } from "../own_findings.ts";
import { inMaintenance } from "./maintenance.ts";
import type { QualityDelta } from "./tally.ts";
import { type QualityOptions, QualityWatch } from "./watch.ts";

const second = 1_000_000;
/** A Saturday. */
const start = Date.UTC(2026, 10, 21, 8) * 1_000;

/** One job a second: what came in, then the tick. */
function run(options: Partial<QualityOptions> = {}) {
  let watch = new QualityWatch({ inventory: [], inventorySilence: 900 * second, maintenance: [], ...options });
  let offset = 0;
  let at = start;
  const told: OwnFinding[] = [];
  const job = (quality: Partial<QualityDelta>, tick: boolean): Analysis =>
    ({
      last: offset++,
      received: at,
      quality: [{ formats: [], hosts: [], kinds: [], ...quality }],
      keyed: tick ? [{ tick: at }] : [],
    }) as unknown as Analysis;
  return {
    told,
    get watch() {
      return watch;
    },
    get now() {
      return at;
    },
    /** @param from what comes in at this second: source, host, seconds that its clock leads */
    seconds(
      n: number,
      from: (i: number) => readonly (readonly [source: string, host: string, lead?: number, flaws?: number])[] = () => [],
    ) {
      for (let i = 0; i < n; i++) {
        at += second;
        const all = from(i);
        const hosts = all.map(([source, host, lead = 0]) => [source, host, at, lead * second] as const);
        const formats = all.map(([source, , , flaws = 0]) => ({ source, format: "syslog", records: 10, flaws, received: at }));
        told.push(...watch.take(job({ formats, hosts }, true)));
      }
    },
    kinds(fields: { readonly [name: string]: number }, sampled: number, pass: Micros) {
      told.push(...watch.take(job({ kinds: [{ source: "auth", kind: "linux.auth ssh_login", sampled, fields }] }, false)));
      at += pass;
      told.push(...watch.take(job({}, true)));
    },
    pass(micros: Micros) {
      at += micros;
    },
    restart() {
      const saved = watch.save();
      watch = new QualityWatch({ inventory: [], inventorySilence: 900 * second, maintenance: [], ...options });
      watch.restore(saved);
    },
  };
}
const kinds = (told: readonly OwnFinding[]) => told.map(({ rule, over }) => `${rule.id.replace("vedette_", "")}${over ? " over" : ""}`);

test("healthy sources of any pace are never reported", () => {
  const w = run();
  w.seconds(4_000, (i) => [
    ["busy", "h1"],
    ...(i % 40 === 0 ? [["slow", "h2"] as const] : []),
    ...(i % 100 < 60 ? [["bursts", "h3"] as const] : []),
  ]);
  expect(kinds(w.told)).toEqual([]);
  expect(w.watch.report().sources.map(({ name, state }) => [name, state])).toEqual([
    ["busy", "ok"],
    ["slow", "ok"],
    ["bursts", "ok"],
  ]);
});

test("a silent source is told within a minute, once, and its alert is ended when it sends again", () => {
  const w = run();
  w.seconds(700, () => [
    ["auth", "h1"],
    ["web", "h2"],
  ]);
  w.seconds(59, () => [["web", "h2"]]);
  expect(kinds(w.told)).toEqual(["source_silent", "hosts_silent"]);
  expect(w.told[0]).toMatchObject({
    severity: "high",
    entities: [{ type: "vedette.source", id: "auth" }],
    summary: expect.stringContaining("auth has sent nothing for 46 s"),
  });
  w.seconds(300, () => [["web", "h2"]]);
  w.restart();
  w.seconds(10, () => [["web", "h2"]]);
  expect(w.told).toHaveLength(2);
  w.seconds(1, () => [
    ["auth", "h1"],
    ["web", "h2"],
  ]);
  expect(kinds(w.told).slice(2).sort()).toEqual(["hosts_silent over", "source_silent over"]);
  // what ends it is the same finding, in another revision
  const [begun, ended] = w.told.filter(({ rule }) => rule.id === "vedette_source_silent");
  expect([ended!.episode, ended!.at, ended!.entities]).toEqual([begun!.episode, begun!.at, begun!.entities]);
});

test("silent hosts of one source are one alert with a list; while all is silent it is the sources'", () => {
  const w = run();
  const all = Array.from({ length: 40 }, (_, i) => ["agents", `node${i}`] as const);
  w.seconds(700, () => all);
  w.seconds(60, () => all.slice(35));
  expect(kinds(w.told)).toEqual(["hosts_silent"]);
  expect(w.told[0]!.summary).toMatch(/^35 hosts are silent, 35 since now: node0, node1, /);
  expect(w.told[0]!.entities).toHaveLength(32);
  expect(w.watch.report().hosts.silent).toHaveLength(35);
  w.seconds(2, () => all);
  expect(kinds(w.told)).toEqual(["hosts_silent", "hosts_silent over"]);
  w.seconds(100);
  expect(kinds(w.told)).toEqual(["hosts_silent", "hosts_silent over", "source_silent"]);
});

test("our own downtime is nobody's silence", () => {
  const w = run();
  w.seconds(700, () => [["auth", "h1"]]);
  w.pass(3_600 * second);
  w.restart();
  w.seconds(30);
  expect(w.told).toEqual([]);
  w.seconds(20);
  expect(kinds(w.told)).toEqual(["source_silent"]);
});

test("hosts of the inventory are missed though nobody ever heard of them; not in maintenance", () => {
  const maintenance = [{ names: ["gpu*"], from: start, to: start + 2_000 * second }];
  const w = run({ inventory: ["db1", "gpu7"], inventorySilence: 300 * second, maintenance });
  w.seconds(250, () => [["auth", "h1"]]);
  expect(w.told).toEqual([]);
  w.seconds(100, () => [["auth", "h1"]]);
  expect(w.told.map(({ summary }) => summary)).toEqual(["1 host is silent, 1 since now: db1"]);
  w.seconds(1_700, () => [
    ["auth", "h1"],
    ["auth", "db1"],
  ]);
  expect(w.told.map(({ summary, over }) => [over, summary])).toMatchObject([
    [undefined, expect.anything()],
    [true, expect.stringContaining("db1")],
    [undefined, "1 host is silent, 1 since now: gpu7"],
  ]);
});

test("maintenance: once, weekly, over midnight, by pattern", () => {
  const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 10, day, hour, minute) * 1_000;
  const weekly = [{ names: ["gpu*-rack?", "db*"], days: [6], between: [22 * 60, 2 * 60] as const }];
  expect([at(21, 21, 59), at(21, 22), at(22, 1, 59), at(22, 2), at(22, 22)].map((t) => inMaintenance(weekly, "db1", t))).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(inMaintenance(weekly, "web1", at(21, 23))).toBe(false);
  expect(inMaintenance([{ names: ["*a*b"] }], "xaybyb", start)).toBe(true);
  expect(inMaintenance([{ names: ["ab*b"] }], "ab", start)).toBe(false);
});

test("lines that do not parse: a fifth of them is told, a stray one is not, and it ends when they parse again", () => {
  const w = run();
  w.seconds(600, (i) => [["auth", "h1", 0, i % 20 === 0 ? 1 : 0]]);
  expect(w.told).toEqual([]);
  w.seconds(200, () => [["auth", "h1", 0, 9]]);
  expect(kinds(w.told)).toEqual(["parse_failures"]);
  expect(w.watch.report().sources[0]!.formats).toMatchObject([{ format: "syslog", failing: true }]);
  w.seconds(900, () => [["auth", "h1"]]);
  expect(kinds(w.told)).toEqual(["parse_failures", "parse_failures over"]);
});

test("clocks: ahead at once, steadily behind after minutes; a delivery that catches up is no wrong clock", () => {
  const w = run();
  w.seconds(600, (i) => [
    ["a", "good", -2],
    ["a", "ahead", 3_600],
    ["a", "zone", -7_200 + (i % 10)],
    ["a", "catching up", -86_400 + i * 20],
  ]);
  expect(w.told.map(({ summary }) => summary).sort()).toEqual([
    "ahead (a) writes times 60 min ahead of ours",
    "zone (a) has been 120 min behind for 5 minutes: a wrong clock or time zone, or a slow delivery",
  ]);
  expect(
    w.watch
      .report()
      .hosts.clocks.map(({ host }) => host)
      .sort(),
  ).toEqual(["ahead", "zone"]);
  w.seconds(130, () => [
    ["a", "good", -2],
    ["a", "ahead", 0],
    ["a", "zone", 0],
  ]);
  expect(kinds(w.told).slice(2)).toEqual(["clock_wrong over", "clock_wrong over"]);
  expect(w.watch.report().hosts.clocks).toEqual([]);
});

test("schema: fields that vanish or appear against the last day, until they are back or are what is usual", () => {
  const w = run({ knows: (field) => field !== "odd" });
  const usual = { "user.name": 30, "source.ip": 30, "event.reason": 5 };
  for (let hour = 0; hour < 6; hour++) w.kinds(usual, 30, 3_600 * second);
  expect(w.told).toEqual([]);
  w.kinds({ "user.name": 30, odd: 30, rare: 2 }, 30, 60 * second);
  expect(w.told.map(({ summary }) => summary)).toEqual(["linux.auth ssh_login of auth: gone: source.ip; new: odd"]);
  w.kinds({}, 0, 3_600 * second);
  w.kinds(usual, 30, 60 * second);
  expect(kinds(w.told)).toEqual(["schema_drift", "schema_drift over"]);
  const again = run();
  for (let hour = 0; hour < 6; hour++) again.kinds(usual, 30, 3_600 * second);
  for (let hour = 0; hour < 40; hour++) again.kinds({ "user.name": 30, odd: 30 }, 30, 3_600 * second);
  expect(kinds(again.told)).toEqual(["schema_drift", "schema_drift over"]);
});

test("a job that is read again after a crash counts once", () => {
  const w = run();
  w.seconds(700, () => [["auth", "h1"]]);
  const before = w.watch.save();
  const again = {
    last: 10,
    received: start,
    quality: [{ formats: [{ source: "auth", format: "x", records: 9, flaws: 9, received: start }], hosts: [], kinds: [] }],
    keyed: [],
  };
  expect(w.watch.take(again as unknown as Analysis)).toEqual([]);
  expect(w.watch.save()).toBe(before);
});
