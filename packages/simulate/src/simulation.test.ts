/** The simulator's own promises: order, the truth about files, scenarios as asked for, an honest score. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Folder } from "./output/files.ts";
import { hostList } from "./records/slurm.ts";
import { parseDuration, scenarios, stage } from "./scenarios/catalogue.ts";
import { type Claim, score } from "./score.ts";
import { Simulation } from "./simulation.ts";
import { day, hour, minute } from "./stamps.ts";
import type { IncidentTruth, SimulationTruth } from "./truth.ts";
import { World, type WorldOptions } from "./world.ts";

const start = Date.UTC(2026, 2, 2, 7) * 1_000;
const options: WorldOptions = {
  seed: 3,
  nodes: 10,
  start,
  end: start + 3 * hour,
  activity: 0.002,
  zeek: "tsv",
  accounting: "sacct",
  interval: 300_000_000,
};

test("actors act in the order of their moments, those of one moment in the order in which they began", () => {
  const world = new World({ ...options, end: start + 20 });
  const seen: string[] = [];
  function* actor(name: string, every: number) {
    for (;;) {
      yield world.now + every;
      seen.push(`${world.now - start}${name}`);
      if (name === "a" && world.now - start === 6) world.begin(actor("c", 0));
      if (name === "c") return;
    }
  }
  world.begin(actor("a", 3));
  world.begin(actor("b", 6));
  expect([...world.run(1)]).toEqual([]);
  expect(seen).toEqual(["3a", "6a", "6b", "6c", "9a", "12a", "12b", "15a", "18a", "18b"]);
});

test("records come in the order of their times and end with the simulation", () => {
  let last = start;
  for (const batch of new Simulation(options, []).run())
    for (const { time } of batch) {
      expect(time >= last && time < options.end).toBe(true);
      last = time;
    }
  expect(last).toBeGreaterThan(options.end - 10 * minute);
});

test("the truth names the lines of the files that tell of an attack", () => {
  const directory = mkdtempSync(join(tmpdir(), "vedette-simulate-"));
  try {
    const simulation = new Simulation(options, stage(["ssh_brute_force@30m", "miner_cpu@40m"], options.end - start));
    const folder = new Folder(join(directory, "out"), options.zeek);
    for (const batch of simulation.run()) folder.write(batch);
    folder.close(simulation.truth());
    expect(() => new Folder(join(directory, "out"), "json")).toThrow("expected a new or an empty folder");
    const [head, ...incidents] = readFileSync(join(directory, "out/truth.ndjson"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)) as [SimulationTruth, ...IncidentTruth[]];
    expect(head).toMatchObject({ kind: "simulation", simulated: true, seed: 3, nodes: 10 });
    expect(incidents.map((one) => one.scenario)).toEqual(["ssh_brute_force", "miner_cpu"]);
    for (const { records, addresses, jobs, user } of incidents)
      for (const { file, lines, count } of records) {
        // a header's lines are not counted
        const all = readFileSync(join(directory, "out", file), "utf8")
          .split("\n")
          .filter((line) => !line.startsWith("#"));
        const own = lines.flatMap(([from, to]) => all.slice(from - 1, to));
        expect([file, own.length]).toEqual([file, count]);
        if (!file.startsWith("tetragon"))
          for (const line of own) expect([...addresses, ...jobs.map(String), user!].some((name) => line.includes(name))).toBe(true);
      }
    const files = readdirSync(join(directory, "out"), { recursive: true, encoding: "utf8" }).filter((name) =>
      statSync(join(directory, "out", name)).isFile(),
    );
    expect(files.filter((name) => name.startsWith("zeek/2026-03-02/conn.")).sort()).toEqual(
      ["07", "08", "09"].map((h, i) => `zeek/2026-03-02/conn.${h}:00:00-${["08", "09", "10"][i]}:00:00.log`),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("scenarios are staged as asked, at a time or spread", () => {
  expect(stage(["none"], day)).toEqual([]);
  expect(stage(["all"], day).map((one) => one.scenario).length).toBe(scenarios.length);
  expect(stage(["miner_cpu*3", "stolen_key@1d2h"], 3 * day).map(({ scenario, after }) => [scenario.name, after / hour])).toEqual([
    ["miner_cpu", 8],
    ["miner_cpu", 24],
    ["stolen_key", 26],
    ["miner_cpu", 40],
  ]);
  for (const wrong of ["miner", "miner_cpu@soon", "miner_cpu*", "none none"]) expect(() => stage([wrong], day)).toThrow("--scenario");
  expect(() => stage(["miner_cpv"], day)).toThrow("miner_cpu");
  expect([parseDuration("1d12h"), parseDuration("90s"), parseDuration("h"), parseDuration("")]).toEqual([
    36 * hour,
    90_000_000,
    undefined,
    undefined,
  ]);
});

test("host lists are Slurm's", () => {
  expect(hostList(["cn0001"])).toBe("cn0001");
  expect(hostList(["cn0003", "cn0001", "cn0002", "cn0009", "gpu0001"])).toBe("cn[0001-0003,0009],gpu[0001]");
});

const head: SimulationTruth = {
  kind: "simulation",
  simulated: true,
  seed: 1,
  nodes: 10,
  start: "2026-03-02T00:00:00.000Z",
  end: "2026-03-04T00:00:00.000Z",
  activity: 1,
  records: {},
  jobs: 5_000,
};
const incident = (id: string, more: Partial<IncidentTruth>): IncidentTruth => ({
  kind: "incident",
  simulated: true,
  id,
  scenario: "miner_cpu",
  start: "2026-03-02T10:00:00.000Z",
  end: "2026-03-02T12:00:00.000Z",
  jobs: [],
  nodes: [],
  logins: ["login1"],
  addresses: [],
  expected: { alert: true, entity: "slurm.job", attack: [], about: "" },
  records: [],
  ...more,
});
const claim = (rule: string, at: string, id: string, more: Partial<Claim> = {}): Claim => ({
  rule,
  title: rule,
  severity: "high",
  first: Date.parse(at),
  last: Date.parse(at),
  entities: [{ type: "x", id }],
  ...more,
});

test("the score counts what was found, missed and claimed in vain", () => {
  const incidents = [
    incident("a", { jobs: [4_711], user: "ada", uid: 1 }),
    incident("b", { addresses: ["198.51.100.7"], records: [{ file: "auth/auth.log-1", count: 2, lines: [[5, 6]] }] }),
    incident("c", { scenario: "decoy", user: "bob", uid: 2, expected: { alert: false, entity: "user", attack: [], about: "" } }),
  ];
  const result = score(head, incidents, [
    claim("r1", "2026-03-02T10:00:30Z", "4711"),
    claim("r1", "2026-03-02T10:05:00Z", "ada"),
    claim("r2", "2026-03-03T10:00:00Z", "ada"), // a day later: about something else
    claim("r2", "2026-03-02T11:00:00Z", "login1"), // many share it
    claim("r3", "2026-03-02T11:00:00Z", "bob"), // meant to stay quiet
  ]);
  expect(result).toMatchObject({
    simulated: true,
    alerts: 5,
    true_alerts: 2,
    false_alerts: 3,
    false_per_day: 1.5,
    false_per_10000_jobs: 6,
    recall: 0.5,
  });
  expect(result.scenarios).toEqual([{ scenario: "miner_cpu", played: 2, found: 1, recall: 0.5, first_alert_s: 30, rules: ["r1"] }]);
  expect(result.rules.map((r) => [r.rule, r.true, r.false])).toEqual([
    ["r2", 0, 2],
    ["r3", 0, 1],
    ["r1", 2, 0],
  ]);
});

test("a scan's finding counts by the line it stands on", () => {
  const incidents = [incident("b", { records: [{ file: "auth/auth.log-1", count: 2, lines: [[5, 6]] }] })];
  const at = (file: string, record: number) =>
    score(head, incidents, [claim("r", "2026-03-02T11:00:00Z", "nobody", { file, record })]).recall;
  expect([at("/tmp/sim/auth/auth.log-1", 6), at("/tmp/sim/auth/auth.log-1", 7), at("/tmp/sim/auth/auth.log-11", 6)]).toEqual([1, 0, 0]);
});
