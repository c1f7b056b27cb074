/** What every cluster must do, whatever is under it: run by the tests of each. Exported nowhere. */
import type { Draw } from "@vedette/kit";
import { afterEach, expect, test, vi } from "vitest";
import type { Cluster, Listener, Member } from "./cluster.ts";

export interface Rig {
  /** A process's end of it; with one process, always the same. */
  connect(): Promise<Cluster>;
  /** So much time passes, at least. */
  pass(ms: number): Promise<void>;
}
const day_ms = 86_400_000;
const bytes = (text: string) => new TextEncoder().encode(text);

/** What was heard, and how often something may have been missed. */
export class Ear implements Listener {
  readonly heard: string[] = [];
  misses = 0;
  notice(heard: Uint8Array): void {
    this.heard.push(new TextDecoder().decode(heard));
  }
  missed(): void {
    this.misses++;
  }
}
export const memberOf = (name: string, change: Partial<Member> = {}): Member => ({
  name,
  roles: ["analyse"],
  version: "0.1.0",
  started: 1_772_359_200_000_000,
  load: 0.25,
  ...change,
});

function leaseContract(both: () => Promise<readonly [Cluster, Cluster]>, pass: Rig["pass"]): void {
  test("a lease has one holder until it is given back", async () => {
    const [one, two] = await both();
    const lease = await one.leases.acquire("shard/1", "a", day_ms);
    expect(lease).toMatchObject({ name: "shard/1", holder: "a" });
    expect(await two.leases.acquire("shard/1", "b", day_ms)).toBeUndefined();
    expect(await two.leases.acquire("shard/2", "b", day_ms)).toMatchObject({ holder: "b" });
    await one.leases.release(lease!);
    const next = await two.leases.acquire("shard/1", "b", day_ms);
    expect(next!.fence).toBeGreaterThan(lease!.fence);
    // what is another's by now is neither renewed nor given back
    expect(await one.leases.renew(lease!, day_ms)).toBeUndefined();
    await one.leases.release(lease!);
    expect(await two.leases.renew(next!, day_ms)).toMatchObject({ fence: next!.fence });
  });

  test("a lease ends by its time, and cannot be renewed then", async () => {
    const [one, two] = await both();
    const lease = await one.leases.acquire("leader", "a", 50);
    await pass(60);
    expect(await one.leases.renew(lease!, day_ms)).toBeUndefined();
    expect(await two.leases.acquire("leader", "b", day_ms)).toMatchObject({ holder: "b" });
  });

  test("a renewed lease holds for as long as the renewal says", async () => {
    const [one, two] = await both();
    const lease = await one.leases.acquire("leader", "a", 10_000);
    const renewed = await one.leases.renew(lease!, day_ms);
    expect(renewed!.until - lease!.until).toBeGreaterThan(80_000_000_000);
    expect((await two.leases.holders("leader"))[0]!.left_ms).toBeGreaterThan(80_000_000);
  });

  test("the same holder takes its own back under a new fence", async () => {
    const [one] = await both();
    const first = await one.leases.acquire("leader", "a", day_ms);
    const second = await one.leases.acquire("leader", "a", day_ms);
    expect(second!.fence).toBeGreaterThan(first!.fence);
    expect(await one.leases.renew(first!, day_ms)).toBeUndefined();
  });

  test("one of many who ask at once gets it", async () => {
    const [one, two] = await both();
    const asked = Array.from({ length: 20 }, (_, i) => (i % 2 ? one : two).leases.acquire("shard/7", `holder ${i}`, day_ms));
    expect((await Promise.all(asked)).filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test("leases that are renewed and given back at the same moment are told apart", async () => {
    const [one, two] = await both();
    const names = Array.from({ length: 70 }, (_, n) => `shard/${n}`);
    const leases = await Promise.all(names.map(async (name) => (await one.leases.acquire(name, "a", 10_000))!));
    const spent = { ...leases[3]!, fence: leases[3]!.fence - 1 };
    await Promise.all([one.leases.release(leases[5]!), one.leases.release(leases[6]!)]);
    const asked = leases.map((lease, n) => one.leases.renew(n === 3 ? spent : lease, n % 2 === 0 ? day_ms : 20_000));
    const [renewed] = await Promise.all([Promise.all(asked), one.leases.release(leases[7]!)]);
    expect(renewed.flatMap((lease, n) => (lease === undefined ? [n] : []))).toEqual([3, 5, 6]);
    const left = new Map((await two.leases.holders("shard/")).map(({ name, left_ms }) => [name, left_ms]));
    expect(left.get("shard/8")).toBeGreaterThan(80_000_000);
    expect(left.get("shard/9")).toBeLessThan(80_000_000);
    expect(left.has("shard/7")).toBe(false);
    expect(left.size).toBe(67);
  });

  test("holders are listed by the beginning of the name", async () => {
    const [one, two] = await both();
    await one.leases.acquire("shard/2", "a b", day_ms);
    await two.leases.acquire("shard/10", "c", day_ms);
    await two.leases.acquire("raw/1", "c", day_ms);
    await one.leases.release((await one.leases.acquire("shard/3", "a", day_ms))!);
    const held = await one.leases.holders("shard/");
    expect(held.map(({ name, holder }) => [name, holder])).toEqual([
      ["shard/10", "c"],
      ["shard/2", "a b"],
    ]);
    expect(held[0]!.left_ms).toBeGreaterThan(day_ms - 3_600_000);
  });
}

function memberContract(both: () => Promise<readonly [Cluster, Cluster]>, pass: Rig["pass"]): void {
  test("members are seen by all until they leave or are silent", async () => {
    const [one, two] = await both();
    await one.members.join(memberOf("b", { load: 0.5, address: "10.0.0.1:8080" }), day_ms);
    await two.members.join(memberOf("a"), 50);
    await one.members.join(memberOf("c"), day_ms);
    await one.members.join(memberOf("b", { load: 1.5, address: "10.0.0.1:8080" }), day_ms);
    await pass(60);
    expect(await two.members.list()).toEqual([memberOf("b", { load: 1.5, address: "10.0.0.1:8080" }), memberOf("c")]);
    await two.members.leave("b");
    expect(await one.members.list()).toEqual([memberOf("c")]);
  });
}

function noticeContract(both: () => Promise<readonly [Cluster, Cluster]>): void {
  test("a notice reaches all who listen to its topic, the sender too, in order and byte by byte", async () => {
    const [one, two] = await both();
    const ears = { one: new Ear(), two: new Ear(), other: new Ear() };
    await one.notices.subscribe("alerts", ears.one);
    await two.notices.subscribe("alerts", ears.two);
    await two.notices.subscribe("sessions", ears.other);
    const texts = Array.from({ length: 50 }, (_, i) => `${i} \0 ü`);
    for (const text of texts) one.notices.publish("alerts", bytes(text));
    await vi.waitFor(() => expect([ears.one.heard, ears.two.heard]).toEqual([texts, texts]), 60_000);
    expect(ears.other.heard).toEqual([]);
    await vi.waitFor(() => expect(one.health().notices).toEqual({ sent: 50, lost: 0 }), 60_000);
  });

  test("who has ended listening hears nothing more, and the others do", async () => {
    const [one, two] = await both();
    const ears = [new Ear(), new Ear()] as const;
    const end = await one.notices.subscribe("alerts", ears[0]);
    await one.notices.subscribe("alerts", ears[1]);
    end();
    two.notices.publish("alerts", bytes("after"));
    await vi.waitFor(() => expect(ears[1].heard).toEqual(["after"]), 60_000);
    expect(ears[0].heard).toEqual([]);
  });

  test("a notice that is too long is refused", async () => {
    const [one] = await both();
    expect(() => one.notices.publish("alerts", new Uint8Array(65_537))).toThrow(/expected at most 65536/);
  });
}

function counterContract(both: () => Promise<readonly [Cluster, Cluster]>, pass: Rig["pass"]): void {
  /** One an hour: what a slow machine's time adds is nothing. */
  const draw = (key: string, cost = 1, change: Partial<Draw> = {}): Draw => ({
    key,
    cost,
    rate: { perMinute: 1 / 60, burst: 5 },
    ...change,
  });
  const hour = 3_600_000_000;

  test("a rate is shared by all processes", async () => {
    const [one, two] = await both();
    for (const left of [4, 3, 2, 1, 0])
      expect(await (left % 2 ? one : two).counters.take([draw("user 1")])).toMatchObject([{ wait: 0, left }]);
    const [refused] = await one.counters.take([draw("user 1")]);
    expect(refused!.wait).toBeGreaterThan(0.9 * hour);
    expect(refused!.wait).toBeLessThanOrEqual(hour);
    expect(refused!.recovered).toBeGreaterThan(4.9 * hour);
    expect((await two.counters.take([draw("user 2")]))[0]!.wait).toBe(0);
  });

  test("what was used comes back with time", async () => {
    const [one] = await both();
    const rate = { perMinute: 60_000, burst: 10 };
    expect(await one.counters.take([draw("k", 10, { rate })])).toMatchObject([{ wait: 0 }]);
    await pass(20);
    expect(await one.counters.take([draw("k", 10, { rate })])).toMatchObject([{ wait: 0 }]);
  });

  test("of several draws all are counted or none", async () => {
    const [one, two] = await both();
    expect(await one.counters.take([draw("events", 5), draw("bytes", 3)])).toMatchObject([{ wait: 0 }, { wait: 0, left: 2 }]);
    const refused = await two.counters.take([draw("events"), draw("bytes")]);
    expect(refused[0]!.wait).toBeGreaterThan(0);
    expect(refused[1]).toMatchObject({ wait: 0, left: 2 });
    expect(await one.counters.take([])).toEqual([]);
  });

  test("a charge counts what does not fit, and what is dearer than the burst fits when nothing is owed", async () => {
    const [one, two] = await both();
    expect((await one.counters.take([draw("k", 50)]))[0]!.wait).toBe(0);
    await two.counters.charge([draw("j", 20), draw("i", 1)]);
    expect(await one.counters.take([draw("i")])).toMatchObject([{ wait: 0, left: 3 }]);
    for (const [key, hours] of [["k", 46] as const, ["j", 16] as const]) {
      const [refused] = await one.counters.take([draw(key)]);
      expect(Math.ceil(refused!.wait / hour)).toBe(hours);
    }
  });

  test("what is given back may be used again by all, and no more than was ever there", async () => {
    const [one, two] = await both();
    expect(await one.counters.take([draw("k", 5)])).toMatchObject([{ wait: 0, left: 0 }]);
    expect((await two.counters.take([draw("k")]))[0]!.wait).toBeGreaterThan(0);
    await two.counters.charge([draw("k", -2), draw("never used", -3)]);
    expect(await one.counters.take([draw("k", 2)])).toMatchObject([{ wait: 0, left: 0 }]);
    await one.counters.charge([draw("k", -50)]);
    expect(await two.counters.take([draw("k", 5)])).toMatchObject([{ wait: 0, left: 0 }]);
    expect(await two.counters.take([draw("never used", 5)])).toMatchObject([{ wait: 0, left: 0 }]);
    expect((await one.counters.take([draw("never used")]))[0]!.wait).toBeGreaterThan(0);
  });

  test("names of any length and bytes are told apart", async () => {
    const [one] = await both();
    const keys = ["", "ü \0 \r\n", "a".repeat(100_000), `${"a".repeat(99_999)}b`];
    await one.counters.charge(keys.map((key) => draw(key, 5)));
    const waits = await Promise.all([...keys, "c"].map(async (key) => (await one.counters.take([draw(key)]))[0]!.wait > 0));
    expect(waits).toEqual([true, true, true, true, false]);
  });
}

function recentContract(both: () => Promise<readonly [Cluster, Cluster]>): void {
  test("what one saw is known to all, by its kind", async () => {
    const [one, two] = await both();
    const many = Array.from({ length: 2_500 }, (_, n) => `id ${n}`);
    await one.recent.add("sender ids", ["x", ...many]);
    await two.recent.add("sender ids", ["ü \0 \r\n"]);
    expect([...(await two.recent.known("sender ids", ["x", "y"]))]).toEqual(["x"]);
    expect(await one.recent.known("sender ids", ["ü \0 \r\n", ...many, "z"])).toEqual(new Set(["ü \0 \r\n", ...many]));
    expect(await two.recent.known("sessions", ["x"])).toEqual(new Set());
    expect(await two.recent.known("sender ids", [])).toEqual(new Set());
  });
}

export function clusterContract(open: () => Promise<Rig>): void {
  let rig: Rig;
  const opened = new Set<Cluster>();
  const both = async () => {
    rig = await open();
    const pair = [await rig.connect(), await rig.connect()] as const;
    for (const one of pair) opened.add(one);
    return pair;
  };
  const pass = (ms: number) => rig.pass(ms);
  afterEach(async () => {
    for (const one of opened) await one.close();
    opened.clear();
  });

  leaseContract(both, pass);
  memberContract(both, pass);
  noticeContract(both);
  counterContract(both, pass);
  recentContract(both);
}
