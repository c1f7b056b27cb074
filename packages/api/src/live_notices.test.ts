import { type Cluster, inProcessCluster } from "@vedette/cluster";
import type { Alert } from "@vedette/model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Heard, hearProcesses, tellServers } from "./live_notices.ts";
import type { Notice } from "./ports.ts";
import { alertOf, eventOf, type Rig, rig } from "./testing/fakes.ts";

let it: Rig;
let cluster: Cluster;
let heard: Heard;
let stopTelling: () => void;
const kept = new Map<string, Alert>();
beforeEach(async () => {
  it = await rig();
  cluster = inProcessCluster(it.clock);
  kept.clear();
  stopTelling = await tellServers(it.runtime.subscribe, cluster.notices, it.clock);
  heard = await hearProcesses(
    cluster.notices,
    { get: async (tenant, id) => (tenant === "main" ? kept.get(id) : undefined) },
    "main",
    it.clock,
  );
});
afterEach(async () => {
  heard.stop();
  stopTelling();
  await it.app.close();
});
const collect = (wantsEvents: boolean) => {
  const notices: Notice[] = [];
  return { notices, stop: heard.subscribe((notice) => notices.push(notice), wantsEvents) };
};
const tellAlert = (id: string, title: string) => {
  const alert = alertOf(id, { title });
  kept.set(id, alert);
  it.runtime.tell({ kind: "alert", alert });
};

test("an alert is told as the store has it", async () => {
  const { notices, stop } = collect(false);
  tellAlert("a", "first");
  tellAlert("a", "second");
  tellAlert("b", "other");
  await it.clock.pass(0);
  expect(notices.map((notice) => notice.kind === "alert" && [notice.alert.id, notice.alert.title])).toEqual([
    ["a", "second"],
    ["b", "other"],
  ]);
  stop();
  tellAlert("c", "nobody listens");
  cluster.notices.publish("alert", Buffer.from("gone meanwhile"));
  await it.clock.pass(0);
  expect(notices).toHaveLength(2);
});

test("events are sent while somebody looks at them, and not after", async () => {
  const events = [eventOf("e1", { "user.name": "ann", "event.category": ["process", "file"] })];
  it.runtime.tell({ kind: "events", events });
  const { notices, stop } = collect(true);
  await it.clock.pass(0);
  it.runtime.tell({ kind: "events", events, count: 7 });
  await it.clock.pass(0);
  expect(notices).toEqual([{ kind: "events", events, count: 7 }]);
  // it goes on for as long as somebody looks
  for (let i = 0; i < 10; i++) await it.clock.pass(3_000);
  it.runtime.tell({ kind: "events", events });
  await it.clock.pass(0);
  expect(notices).toHaveLength(2);
  stop();
  await it.clock.pass(60_000);
  const { sent } = cluster.health().notices;
  it.runtime.tell({ kind: "events", events });
  it.runtime.tell({ kind: "events", events });
  expect(cluster.health().notices.sent).toBe(sent);
  expect([...it.runtime.listeners.values()]).not.toContain(true);
});

test("of many or long events the newest that fit are sent", async () => {
  const { notices } = collect(true);
  await it.clock.pass(0);
  it.runtime.tell({ kind: "events", events: Array.from({ length: 50 }, (_, i) => eventOf(`e${i}`)), count: 500 });
  it.runtime.tell({ kind: "events", events: Array.from({ length: 20 }, (_, i) => eventOf(`l${i}`, { text: "x".repeat(10_000) })) });
  it.runtime.tell({ kind: "events", events: [eventOf("huge", { text: "x".repeat(100_000) })], count: 3 });
  await it.clock.pass(0);
  const told = notices.map((notice) => notice.kind === "events" && [notice.events.length, notice.events.at(-1)?.id, notice.count]);
  expect(told).toEqual([
    [20, "e49", 500],
    [5, "l19", 20],
    [0, undefined, 3],
  ]);
});

test("what is not a notice of ours is left alone", async () => {
  const { notices } = collect(true);
  for (const text of ["", "{", "null", '{"events":3}']) cluster.notices.publish("events", Buffer.from(text));
  await it.clock.pass(0);
  expect(notices).toEqual([]);
});
