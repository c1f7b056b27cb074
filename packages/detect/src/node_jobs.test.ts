import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { minute, second } from "./episode.ts";
import {
  type Doer,
  doerOf,
  identify,
  jobTold,
  type KnownJob,
  type NodeJobs,
  nodeName,
  nodeOf,
  nodesOfJob,
  noJobs,
  withJob,
  withProcesses,
} from "./node_jobs.ts";

const fieldsOf = (fields: object) => Object.assign(newFields(), fields);
const skew = 60 * second;
const job = (id: string, uid: string, start: number, more: Partial<KnownJob> = {}): KnownJob => ({
  id,
  uid,
  user: `u${uid}`,
  start: start * minute,
  told: start * minute,
  ...more,
});
const node = (...jobs: KnownJob[]): NodeJobs => jobs.reduce(withJob, noJobs);
const doer = (more: Partial<Doer> = {}): Doer => ({ mark: 0, parent: 0, told: [], uid: "1000", ...more });
const at = (minutes: number) => minutes * minute;

test("four ways that agree are four ways", () => {
  const known = withProcesses(node(job("7", "1000", 0)), [
    { time: 0, mark: 1, parent: 9, job: "7", sure: false, first: true },
    { time: 1, mark: 2, parent: 1, job: "", sure: false, first: false },
  ]);
  const told = [["cgroup", "7"] as const, ["environment", "7"] as const];
  expect(identify(known, doer({ mark: 2, told }), at(5), skew)).toMatchObject({
    job: "7",
    by: ["cgroup", "ancestry", "schedule", "environment"],
    conflict: [],
  });
});

test("an environment that names somebody else's job is not believed, and told", () => {
  const known = node(job("7", "1000", 0), job("8", "1001", 0));
  const told = [["environment", "8"] as const];
  expect(identify(known, doer({ told }), at(5), skew)).toMatchObject({ job: "7", by: ["schedule"], conflict: ["environment 8"] });
  const two = node(job("7", "1000", 0), job("9", "1000", 0), job("8", "1001", 0));
  expect(identify(two, doer({ told }), at(5), skew)).toMatchObject({ job: undefined, conflict: ["environment 8"], candidates: ["7", "9"] });
  const byDescent = withProcesses(known, [{ time: 0, mark: 1, parent: 9, job: "7", sure: false, first: true }]);
  expect(identify(byDescent, doer({ parent: 1, mark: 5, told }), at(5), skew)).toMatchObject({
    job: "7",
    by: ["ancestry", "schedule"],
    conflict: ["environment 8"],
  });
});

test("a job that the scheduler has not told of yet, beside another of the user's, is contradicted by nobody", () => {
  const known = node(job("7", "1000", 0));
  const told = [["cgroup", "8"] as const, ["environment", "8"] as const];
  expect(identify(known, doer({ told }), at(5), skew)).toMatchObject({ job: "8", by: ["cgroup", "environment"], conflict: [] });
  expect(identify(known, doer({ told: [["environment", "8"]] }), at(5), skew)).toMatchObject({ job: "7", conflict: ["environment 8"] });
});

test("nobody is told where nothing tells them apart", () => {
  const known = node(job("7", "1000", 0), job("8", "1000", 0));
  expect(identify(known, doer(), at(5), skew)).toMatchObject({ job: undefined, candidates: ["7", "8"] });
  expect(identify(known, doer({ uid: "1002" }), at(5), skew)).toMatchObject({ job: undefined, candidates: [] });
  // root's processes on a node are the system's, whatever runs there
  expect(identify(node(job("7", "1000", 0)), doer({ uid: "0" }), at(5), skew)).toMatchObject({ job: undefined, candidates: [] });
});

test("a job number that comes again is another job", () => {
  const ended = withJob(node(job("7", "1000", 0)), job("7", "1000", 0, { end: at(10), told: at(10) }));
  expect(identify(ended, doer(), at(20), skew).job).toBeUndefined();
  const again = withJob(ended, job("7", "1001", 30));
  expect(identify(again, doer(), at(35), skew).job).toBeUndefined();
  expect(identify(again, doer({ uid: "1001" }), at(35), skew)).toMatchObject({ job: "7", user: "u1001" });
  const elsewhere = withJob(node(job("7", "1000", 0, { cluster: "a" })), job("7", "1001", 1, { cluster: "b" }));
  expect(elsewhere.jobs).toHaveLength(1);
  expect(elsewhere.jobs[0]).toMatchObject({ cluster: "b", uid: "1001" });
});

test("a clock may be off by the skew, and no more", () => {
  const known = node(job("7", "1000", 10, { end: at(20), told: at(20) }));
  const jobAt = (time: number) => identify(known, doer(), time, skew).job;
  expect([at(10) - skew - second, at(10) - skew, at(20) + skew, at(20) + skew + second].map(jobAt)).toEqual([
    undefined,
    "7",
    "7",
    undefined,
  ]);
});

test("a job with 100,000 processes takes as little as one with 500, and what still starts others is remembered", () => {
  let known = withProcesses(noJobs, [{ time: 0, mark: 1, parent: 9, job: "7", sure: false, first: true }]);
  for (let i = 0; i < 1_000; i++)
    known = withProcesses(
      known,
      Array.from({ length: 100 }, (_, k) => ({ time: i, mark: 10 + i * 100 + k, parent: 1, job: "", sure: false, first: false })),
    );
  expect(known.processes).toHaveLength(512);
  expect(identify(known, doer({ mark: 100_009 }), 0, skew)).toMatchObject({ job: "7", by: ["ancestry"] });
  expect(identify(known, doer({ mark: 5, parent: 1 }), 0, skew)).toMatchObject({ job: "7" });
  // long ended: nothing is made up
  expect(identify(known, doer({ mark: 11 }), 0, skew).job).toBeUndefined();
});

test("a thousand jobs on one node are bounded, those that are over go first", () => {
  let known = noJobs;
  for (let i = 0; i < 1_000; i++) known = withJob(known, job(String(i), "1000", i, i % 2 === 0 ? { end: at(i) + 1 } : {}));
  expect(known.jobs).toHaveLength(64);
  expect(known.jobs.every(({ id }) => Number(id) % 2 === 1)).toBe(true);
});

test("nodes are called alike by all who tell of them; a renamed one by the inventory", () => {
  expect(["CN01.cluster.example.org", "cn01", "10.1.0.7"].map(nodeName)).toEqual(["cn01", "cn01", "10.1.0.7"]);
  expect(nodeOf(fieldsOf({ "host.name": "old-name", "hpc.node": "cn01" }))).toBe("cn01");
  expect(nodeOf(fieldsOf({ "event.module": "zeek", "host.name": "sensor1" }))).toBeUndefined();
});

test("what the scheduler's records tell", () => {
  const record = fieldsOf({
    "event.module": "slurm",
    "event.type": "end",
    "slurm.job.id": "7",
    "slurm.job.nodes": ["cn1", "CN2.x"],
    "slurm.job.cpus": 64,
    "event.start": "2024-05-01T10:00:00.000000Z",
    "event.end": "2024-05-01T11:00:00.000000Z",
    "user.id": "1000",
  });
  expect(nodesOfJob(record)).toEqual(["cn1", "cn2"]);
  expect(jobTold(record, 5)).toMatchObject({ id: "7", uid: "1000", cores: 64, nodes: 2, end: Date.UTC(2024, 4, 1, 11) * 1_000 });
  // the controller's own lines without nodes are about no node
  expect(
    nodesOfJob(fieldsOf({ "event.module": "slurm", "slurm.job.id": "7", "event.action": "slurm_job_completed", "host.name": "ctl" })),
  ).toEqual([]);
  const launched = { "event.module": "slurm", "slurm.job.id": "7", "event.action": "slurm_task_launched", "host.name": "cn3" };
  expect(nodesOfJob(fieldsOf(launched))).toEqual(["cn3"]);
});

test("what a record tells of its doer", () => {
  const fields = fieldsOf({ "hpc.job.id": "7", "hpc.job.by": ["cgroup"], "hpc.job.conflict": ["environment 8"], "user.id": "1000" });
  expect(doerOf(fields).told).toEqual([
    ["cgroup", "7"],
    ["environment", "8"],
  ]);
  expect(doerOf(fieldsOf({}))).toEqual({ mark: 0, parent: 0, told: [] });
});
