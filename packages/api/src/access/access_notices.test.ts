import { memoryKeys, memoryPeople } from "@vedette/access";
import { type Cluster, inProcessCluster } from "@vedette/cluster";
import { memoryMachines } from "@vedette/machines";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Rig, rig } from "../testing/fakes.ts";
import { AccessNotices } from "./access_notices.ts";

let it: Rig;
let cluster: Cluster;
const stops: (() => void)[] = [];
/** Reads by each server. */
const reads = { one: 0, two: 0 };
const server = async (me: "one" | "two") => {
  const notices = new AccessNotices(cluster.notices, it.clock, me);
  stops.push(await notices.follow({ reload: async () => void reads[me]++ }));
  return notices;
};
beforeEach(async () => {
  it = await rig();
  cluster = inProcessCluster(it.clock);
  Object.assign(reads, { one: 0, two: 0 });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await it.app.close();
});
/** What was started settles; no time passes. */
const settle = () => it.clock.pass(0);

test("each change of people, keys and source tokens is read by the others at once, and by nobody else", async () => {
  const one = await server("one");
  await server("two");
  const documents = new Map<string, string | undefined>();
  const settings = one.settings({
    get: async (name) => documents.get(name),
    set: async (name, value) => void documents.set(name, value),
    add: async (name, value) => documents.get(name) ?? value,
    replace: async () => false,
  });
  const changes = [
    () => one.people(memoryPeople()).save({ removedSessions: ["s"] }),
    () => one.keys(memoryKeys()).save({ removed: ["k"] }),
    () => one.machines(memoryMachines()).save({ certificates: [{ serial: "1", machine: "agent:a", expires: 1, body: "{}" }] }),
    () => settings.set("api.source_tokens", "[]"),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    await settle();
    expect(reads).toEqual({ one: 0, two: index + 1 });
    await it.clock.pass(500);
  }
  await settings.set("something else", "x");
  // thousands say each half minute how they are
  await one.machines(memoryMachines()).save({ machines: [{ id: "agent:a", body: "{}" }] });
  await settle();
  expect([reads, documents.get("something else")]).toEqual([{ one: 0, two: 4 }, "x"]);
});

test("a change that could not be written is no news", async () => {
  const one = await server("one");
  await server("two");
  const failing = one.people({ ...memoryPeople(), save: () => Promise.reject(new Error("the disk is full")) });
  await expect(failing.save({})).rejects.toThrow("the disk is full");
  await settle();
  expect(reads).toEqual({ one: 0, two: 0 });
});

test("many who ask at once wait for one read, that began after they asked; the next comes half a second later", async () => {
  const one = await server("one");
  const first = Promise.all(Array.from({ length: 100 }, () => one.refresh()));
  await first;
  expect(reads.one).toBe(1);
  let done = false;
  const second = one.refresh().then(() => {
    done = true;
  });
  await it.clock.pass(499);
  expect([done, reads.one]).toEqual([false, 1]);
  await it.clock.pass(1);
  await second;
  expect(reads.one).toBe(2);
});

test("what nobody was told of is read within ten seconds, until it is stopped", async () => {
  await server("one");
  await it.clock.pass(9_999);
  expect(reads.one).toBe(0);
  await it.clock.pass(1);
  expect(reads.one).toBe(1);
  for (const stop of stops) stop();
  await it.clock.pass(60_000);
  expect(reads.one).toBe(1);
});
