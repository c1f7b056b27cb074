import type { Claim } from "@vedette/kit";
import { newFields } from "@vedette/kit";
import type { Event, Observation } from "@vedette/model";
import { expect, test } from "vitest";
import { minute, second } from "./episode.ts";
import { inputOf, prepareDetectors } from "./index.ts";

/** Claims in the order in which they are made, each batch of events flushed by itself. */
async function claimsOf(batches: readonly (readonly { readonly time: number; readonly fields: object }[])[], config = {}) {
  const stage = await prepareDetectors({ connect_back: config });
  const spec = stage.detectors.get("connect_back")!;
  const states = new Map<string, unknown>();
  const claims: Claim[] = [];
  let n = 0;
  const take = (o: Observation) => {
    const step = spec.spec.fold(inputOf(o), states.get(o.key), spec.config);
    states.set(o.key, step.state);
    claims.push(...(step.claims ?? []));
  };
  for (const batch of batches) {
    for (const { time, fields } of batch) {
      const event: Event = {
        id: `e${n}`,
        tenant: "main",
        source: "s",
        time,
        received: time + second,
        seq: n++,
        class: "network",
        host: "h",
        fields: Object.assign(newFields(), fields),
        original: "",
      };
      for (const o of stage.observe(event, Number.NEGATIVE_INFINITY, false)) if (o.detector === "connect_back") take(o);
    }
    for (const o of stage.flush().observations) if (o.detector === "connect_back") take(o);
  }
  return claims;
}
const base = Date.UTC(2026, 4, 1) * 1_000;
const told = (time: number, id: string, uid: string, nodes: readonly string[], more: object = {}) => ({
  time: base + time,
  fields: {
    "event.module": "slurm",
    "event.type": "start",
    "slurm.job.id": id,
    "slurm.job.nodes": nodes,
    "user.id": uid,
    "user.name": `u${uid}`,
    ...more,
  },
});
const socket = (time: number, more: object = {}) => ({
  time: base + time,
  fields: {
    "event.module": "tetragon",
    "event.dataset": "tetragon",
    "event.category": ["network"],
    "event.type": ["connection", "start"],
    "host.name": "cn1",
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "network.transport": "tcp",
    "user.id": "1000",
    "process.entity_id": "p9",
    ...more,
  },
});

test("a job that the scheduler tells of a minute after its socket is found then", async () => {
  const claims = await claimsOf([
    [socket(0)],
    [told(minute, "7", "1000", ["cn1"], { "event.start": new Date(base / 1_000 - 5_000).toISOString() })],
  ]);
  expect(claims.map(({ summary }) => summary)).toEqual([
    "job 7 (u1000) on cn1 opened a tcp socket to 203.0.113.9:443; its job by schedule",
  ]);
  expect(claims[0]!.entities[0]).toEqual({ type: "hpc.job.id", id: "7" });
  expect(claims[0]!.events).toEqual(["e0"]);
});

test("the scheduler's word, told later, is one way more for what is known", async () => {
  const environment = { "hpc.job.id": "7", "hpc.job.by": ["environment"] };
  const claims = await claimsOf([
    [socket(0, environment)],
    [told(minute, "7", "1000", ["cn1"], { "event.start": new Date(base / 1_000).toISOString() })],
  ]);
  expect(claims.map(({ summary }) => summary.split("; ")[1])).toEqual(["its job by environment", "its job by schedule, environment"]);
  expect(claims[1]!.window.start).toBe(claims[0]!.window.start);
});

test("many sockets into one network are one finding, another network is another", async () => {
  const environment = { "hpc.job.id": "7", "hpc.job.by": ["environment"] };
  const claims = await claimsOf([
    Array.from({ length: 2_000 }, (_, i) => socket(i, { ...environment, "destination.ip": `203.0.113.${i % 250}` })),
    [socket(second, { ...environment, "destination.ip": "198.51.100.1" })],
  ]);
  expect(new Set(claims.map(({ window }) => window.start)).size).toBe(2);
});

test("the network is new to a node that has been known for a week", async () => {
  const environment = { "hpc.job.id": "7", "hpc.job.by": ["environment"] };
  const week = 7 * 24 * 60 * minute;
  const claims = await claimsOf([
    [socket(0, environment)],
    [socket(week + minute, environment)],
    [socket(week + 2 * minute, { ...environment, "destination.ip": "198.51.100.1" })],
  ]);
  expect(claims.map(({ severity }) => severity)).toEqual(["medium", "medium", "high"]);
  expect(claims[2]!.summary).toContain("198.51.100.0/24 is new to the node");
});

test("a network that jobs of three users reached is usual, but not for a program under /tmp", async () => {
  const of = (uid: string, more: object = {}) => ({ "hpc.job.id": `9${uid}`, "hpc.job.by": ["cgroup"], "user.id": uid, ...more });
  const claims = await claimsOf([
    [socket(0, of("1001"))],
    [socket(minute, of("1002"))],
    [socket(2 * minute, of("1003"))],
    [socket(3 * minute, of("1004"))],
    [socket(4 * minute, of("1005", { "process.executable": "/tmp/x", "process.start": new Date(base / 1_000 + 239_000).toISOString() }))],
  ]);
  expect(claims.map(({ entities }) => entities[0]!.id)).toEqual(["91001", "91002", "91003", "91005"]);
});

test("a job on 200 nodes is known on each", async () => {
  const nodes = Array.from({ length: 200 }, (_, i) => `cn${i}`);
  const claims = await claimsOf([[told(0, "7", "1000", nodes)], [socket(10 * second, { "host.name": "cn199.example.org" })]]);
  expect(claims.map(({ summary }) => summary)).toEqual([
    "job 7 (u1000) on cn199 opened a tcp socket to 203.0.113.9:443; its job by schedule",
  ]);
});
