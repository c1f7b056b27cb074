import { newFields } from "@vedette/kit";
import { expect, test } from "vitest";
import { minute, second } from "./episode.ts";
import { Folded } from "./folded.fixture.ts";

/** Claims in the order in which they are made, each batch of events flushed by itself. */
async function claimsOf(batches: readonly (readonly { readonly time: number; readonly fields: object }[])[], config = {}) {
  const folded = await Folded.of("connect_back", config);
  let n = 0;
  for (const batch of batches) {
    for (const { time, fields } of batch)
      folded.observe({
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
      });
    folded.flush();
  }
  return folded.claims;
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

test("a network that no job ever reached is new to the cluster, once a node has been known for a week", async () => {
  const environment = { "hpc.job.id": "7", "hpc.job.by": ["environment"] };
  const week = 7 * 24 * 60 * minute;
  const beyond = { ...environment, "destination.ip": "198.51.100.1" };
  const claims = await claimsOf([
    [socket(0, environment)],
    [socket(90 * minute, environment)],
    [socket(week, environment)],
    [socket(week + minute, environment)],
    [socket(week + 2 * minute, beyond)],
    [socket(week + 10 * minute, { ...beyond, "host.name": "cn2", "hpc.job.id": "8" })],
  ]);
  expect(claims.map(({ severity }) => severity)).toEqual(["medium", "medium", "medium", "high", "medium"]);
  expect(claims[3]!.summary).toContain("198.51.100.0/24 is new to the cluster");
});

test("a network that jobs of three users reached from any node is usual on every node, but not for a program under /tmp", async () => {
  const of = (uid: string, node: string, more: object = {}) => ({
    "hpc.job.id": `9${uid}`,
    "hpc.job.by": ["cgroup"],
    "user.id": uid,
    "host.name": node,
    ...more,
  });
  const stray = { "process.executable": "/tmp/x", "process.start": new Date(base / 1_000 + 239_000).toISOString() };
  const claims = await claimsOf([
    [socket(0, of("1001", "cn1"))],
    [socket(minute, of("1002", "cn2"))],
    [socket(2 * minute, of("1003", "cn3"))],
    [socket(3 * minute, of("1004", "cn4"))],
    [socket(4 * minute, of("1005", "cn5", stray))],
  ]);
  expect(claims.map(({ entities }) => entities[0]!.id)).toEqual(["91001", "91002", "91003", "91005"]);
});

test("what programs under /tmp reach is not made usual by there being many of them", async () => {
  const of = (uid: string, age: number) => ({
    "hpc.job.id": `9${uid}`,
    "hpc.job.by": ["cgroup"],
    "user.id": uid,
    "host.name": `cn${uid}`,
    "process.executable": "/tmp/x",
    "process.start": new Date(base / 1_000 - age).toISOString(),
  });
  const claims = await claimsOf([
    ...["1001", "1002", "1003", "1004"].map((uid, n) => [socket(n * second, of(uid, 1_000))]),
    [socket(5 * second, of("1005", 3_600_000))],
  ]);
  expect(claims.map(({ severity }) => severity)).toEqual(["high", "high", "high", "high", "medium"]);
});

test("jobs of one user make nothing usual: they are one finding that lists them, unless something speaks against one", async () => {
  const of = (job: string) => ({ "hpc.job.id": job, "hpc.job.by": ["cgroup"], "user.id": "1001", "host.name": `cn${job}` });
  const stray = { "process.executable": "/tmp/x", "process.start": new Date(base / 1_000 + 299_000).toISOString() };
  const claims = await claimsOf([
    ...Array.from({ length: 5 }, (_, n) => [socket(n * minute, of(String(n)))]),
    [socket(5 * minute, { ...of("5"), ...stray })],
  ]);
  expect(new Set(claims.map(({ window }) => window.start)).size).toBe(2);
  expect(claims[4]!.summary).toContain("job 0 (user 1001) and 4 other jobs of the user on cn0, cn1, cn2 and 2 more");
  expect(claims[4]!.entities.filter(({ type }) => type === "hpc.job.id").map(({ id }) => id)).toEqual(["0", "1", "2", "3", "4"]);
  expect(claims[5]).toMatchObject({ severity: "high", entities: [{ type: "hpc.job.id", id: "5" }, {}, {}, {}] });
});

test("what a user's jobs reach day after day is one finding, and after three days nothing new for that user", async () => {
  const day = 24 * 60 * minute;
  const of = (time: number, uid: string, job: string, more: object = {}) => [
    socket(time, { "hpc.job.id": job, "hpc.job.by": ["cgroup"], "user.id": uid, ...more }),
  ];
  const stray = { "process.executable": "/tmp/x", "process.start": new Date(base / 1_000 + 8 * 86_400_000 - 1_000).toISOString() };
  const claims = await claimsOf([
    ...[0, 1, 2].map((n) => of(n * day, "1001", `1${n}`)),
    of(6 * day, "1001", "16"),
    of(6 * day + minute, "1002", "26"),
    of(8 * day, "1001", "18", stray),
  ]);
  expect(claims.map(({ entities }) => entities[0]!.id)).toEqual(["10", "10", "10", "26", "18"]);
  expect(new Set(claims.map(({ window }) => window.start)).size).toBe(3);
  expect(claims.at(-1)!.severity).toBe("high");
});

test("two days make no habit, nor do days on which something spoke against the calls", async () => {
  const day = 24 * 60 * minute;
  const pool = { "destination.port": 3333 };
  const of = (n: number, more: object = {}) => [
    socket(n * day, { "hpc.job.id": `1${n}`, "hpc.job.by": ["cgroup"], "user.id": "1001", ...more }),
  ];
  const claims = await claimsOf([of(0), of(2), ...[4, 5, 6].map((n) => of(n, pool)), of(9)]);
  expect(claims.map(({ entities }) => entities[0]!.id)).toEqual(["10", "12", "14", "15", "16", "19"]);
});

test("a job on many nodes that reach one network is one finding, which names them", async () => {
  const of = (n: number) => socket(n * second, { "hpc.job.id": "7", "hpc.job.by": ["cgroup"], "host.name": `cn${n}` });
  const claims = await claimsOf([Array.from({ length: 6 }, (_, n) => of(n))]);
  expect(new Set(claims.map(({ window }) => window.start)).size).toBe(1);
  expect(claims.at(-1)!.summary).toContain("on cn0, cn1, cn2 and 3 more opened");
  expect(claims.at(-1)!.count).toBe(6);
});

test("a call that goes on is told once an hour, and stays one finding", async () => {
  const claims = await claimsOf(
    Array.from({ length: 50 }, (_, n) => [socket(n * 10 * minute, { "hpc.job.id": "7", "hpc.job.by": ["cgroup"] })]),
  );
  expect(new Set(claims.map(({ window }) => window.start)).size).toBe(1);
  expect(claims.length).toBe(9);
  expect(claims.at(-1)!.count).toBe(49);
});

test("what a job reaches beyond sixteen networks is one call to many", async () => {
  const to = (n: number) => socket(n * 1_000, { "hpc.job.id": "7", "hpc.job.by": ["cgroup"], "destination.ip": `203.0.${n}.9` });
  const claims = await claimsOf([Array.from({ length: 60 }, (_, n) => to(n))]);
  expect(claims.length).toBe(17);
  expect(claims.at(-1)!.count).toBe(44);
});

test("a job on 200 nodes is known on each", async () => {
  const nodes = Array.from({ length: 200 }, (_, i) => `cn${i}`);
  const claims = await claimsOf([[told(0, "7", "1000", nodes)], [socket(10 * second, { "host.name": "cn199.example.org" })]]);
  expect(claims.map(({ summary }) => summary)).toEqual([
    "job 7 (u1000) on cn199 opened a tcp socket to 203.0.113.9:443; its job by schedule",
  ]);
});
