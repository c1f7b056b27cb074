import { expect, test } from "vitest";
import { type Circumstances, type Course, type Courses, matchesOf, mostOfMeters, scoreOf } from "./miner_score.ts";

const even = (value: number, n = 31): Course => Array.from({ length: n }, (_, i) => [i, value * (1 + ((i % 3) - 1) / 1_000)]);
const alone: Circumstances = { nodes: 1, alone: true, short: false, contact_min: 0 };
const cpuMiner: Courses = { cpu: even(63), cores: even(64), rss: even(2.3e9), asked: even(200e9), io: even(30) };
const gpuMiner: Courses = {
  ...cpuMiner,
  busy: even(0.995),
  tensor: even(0),
  fp64: even(0),
  fb: even(5e9),
  power: even(298),
  pcie: even(2e4),
};
const pointsOf = (courses: Courses, circumstances: Circumstances = alone) =>
  Object.fromEntries(scoreOf(courses, circumstances, 2).factors.map(({ name, points }) => [name, points]));

test("what is measured comes to sixty at the most, and is no evidence", () => {
  const all = scoreOf({ ...gpuMiner, fabric: even(0) }, { ...alone, nodes: 4 }, 2);
  expect(all.factors.filter(({ points }) => points > 0).map(({ points, of }) => points === of)).toEqual([true, true, true, true, true]);
  expect(all.total).toBe(mostOfMeters);
  expect(all.evidence).toBe(false);
  // a program of the user's own adds points, and is no evidence either
  expect(scoreOf(gpuMiner, { ...alone, own: "/home/ada/x" }, 2)).toMatchObject({ total: 68, evidence: false });
});

test("thin contact, a stray program or a pool is evidence", () => {
  expect(scoreOf(cpuMiner, { ...alone, contact: "203.0.113.0/24 port 443", contact_min: 31 }, 2)).toMatchObject({
    total: 70,
    evidence: true,
  });
  expect(scoreOf(cpuMiner, { ...alone, contact: "203.0.113.0/24 port 443", contact_min: 29 }, 2)).toMatchObject({
    total: 40,
    evidence: false,
  });
  expect(scoreOf(cpuMiner, { ...alone, socket: "203.0.113.9:443", program: "/tmp/x lies there" }, 2)).toMatchObject({ total: 70 });
  expect(scoreOf(cpuMiner, { ...alone, pool: "the sensor says so" }, 2)).toMatchObject({ total: 100 });
});

test.each<readonly [string, Courses, string, number]>([
  ["half load, as even", { ...cpuMiner, cpu: even(30) }, "cpu", 8],
  ["phases", { ...cpuMiner, cpu: even(63).map(([m, v]) => [m, m % 10 === 0 ? v / 2 : v]) }, "cpu", 0],
  ["too short a time", { ...cpuMiner, cpu: even(63, 20) }, "cpu", 0],
  ["memory that grows", { ...cpuMiner, rss: even(2.3e9).map(([m, v]) => [m, v * (1 + m / 600)]) }, "memory", 0],
  ["more memory than a dataset a NUMA node", { ...cpuMiner, rss: even(7e9) }, "memory", 0],
  ["memory that was asked for is used", { ...cpuMiner, asked: even(4e9) }, "memory", 6],
  ["results written", { ...cpuMiner, io: even(30).map(([m, v]) => [m, m % 10 === 0 ? 3e7 : v]) }, "files", 0],
  ["results written to the parallel file system", { ...cpuMiner, lustre: even(5e6) }, "files", 0],
  ["tensor pipes at work", { ...gpuMiner, tensor: even(0.4) }, "gpu", 0],
  ["double precision at work", { ...gpuMiner, fp64: even(0.3) }, "gpu", 0],
  ["pipes that nobody measures", { ...cpuMiner, busy: even(0.99) }, "gpu", 10],
  ["data over the bus", { ...gpuMiner, pcie: even(3e9) }, "gpu", 0],
])("%s", (_name, courses, factor, points) => {
  expect(pointsOf(courses)[factor]).toBe(points);
});

test("of many short tasks a third of the time is enough", () => {
  const brief: Courses = { cpu: even(15.8, 12), cores: even(16, 12), rss: even(2.3e9, 12), asked: even(200e9, 12), io: even(30, 12) };
  expect(scoreOf(brief, alone, 2).total).toBe(0);
  expect(scoreOf(brief, { ...alone, short: true, account: "20 tasks of an array here" }, 2)).toMatchObject({ total: 50, evidence: true });
});

test("what is not measured gives nothing, and is said", () => {
  const score = scoreOf({}, alone, 2);
  expect(score.total).toBe(0);
  expect(matchesOf(score).map(({ field, clause, value }) => `${field} ${clause}: ${value}`)).toEqual([
    "hpc.miner.score score: 0",
    "hpc.miner.cpu 0 of 15: not measured long enough",
    "hpc.miner.memory 0 of 10: not measured long enough",
    "hpc.miner.files 0 of 15: not measured long enough",
    "hpc.miner.fabric 0 of 10: one node",
    "hpc.miner.gpu 0 of 20: none",
    "hpc.miner.network 0 of 30: none to outside",
    "hpc.miner.pool 0 of 60: none",
    "hpc.miner.program 0 of 15: of the system or its modules",
    "hpc.miner.account 0 of 10: nothing odd",
  ]);
  // a node that others use too says nothing of this job
  expect(pointsOf({ fabric: even(0) }, { ...alone, nodes: 4, alone: false })["fabric"]).toBe(0);
});
