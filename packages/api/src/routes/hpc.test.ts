import { afterEach, expect, test } from "vitest";
import { alertOf, asAdmin, type Rig, rig } from "../testing/fakes.ts";

let r: Rig;
afterEach(() => r.app.close());
const get = (url: string) => r.app.inject({ url: `/api/v1${url}`, headers: asAdmin });

test("jobs that something was found about come first, with the factors of the score", async () => {
  r = await rig();
  const matches = [
    { clause: "score", field: "hpc.miner.score", value: "78" },
    { clause: "15 of 15", field: "hpc.miner.cpu", value: "98 % of 64 cores" },
    { clause: "30 of 30", field: "hpc.miner.network", value: "36 min of thin contact" },
  ];
  r.store.alertsById.set("m", {
    ...alertOf("a1"),
    id: "m",
    state: "open",
    rule: { id: "silent_miner", title: "Batch job that looks like mining" },
    entities: [
      { type: "hpc.job.id", id: "4711" },
      { type: "user.name", id: "ada" },
      { type: "host.name", id: "cn1" },
    ],
    evidence: [{ id: "e", time: 1, source: "s", seq: 0, matches, fields: {}, original: "" }],
  });
  r.store.alertsById.set("z", {
    ...alertOf("a1"),
    id: "z",
    state: "open",
    rule: { id: "zeek_health", title: "" },
    entities: [{ type: "observer.name", id: "w1" }],
  });
  const answer = await get("/hpc");
  expect(answer.statusCode).toBe(200);
  const { jobs, partitions, users, nodes, talkers, sensors } = answer.json();
  expect(partitions).toEqual({ rows: [{ partition: "x", jobs: 0, users: 0 }], more: false });
  expect(users).toEqual({ rows: [{ user: "x", jobs: 0, alerts: 0 }], more: false });
  expect(jobs.rows[0]).toEqual({
    job: "4711",
    user: "ada",
    states: [],
    nodes: ["cn1"],
    score: 78,
    factors: [
      { name: "cpu", points: 15, of: 15, value: "98 % of 64 cores" },
      { name: "network", points: 30, of: 30, value: "36 min of thin contact" },
    ],
    alerts: ["m"],
  });
  expect(jobs.rows.map(({ job }: { job: string }) => job)).toEqual(["4711", "x"]);
  expect(nodes.rows).toHaveLength(1);
  expect(talkers.rows[0]).toMatchObject({ address: "x", sent: 0 });
  expect(sensors.alerts.map(({ id }: { id: string }) => id)).toEqual(["z"]);
  expect((await get("/hpc?limit=1")).json().jobs).toMatchObject({ more: true, rows: [{ job: "4711" }] });
  expect((await get("/hpc?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z")).statusCode).toBe(400);
});
