import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { systemClock } from "@vedette/kit";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { clusterContract, Ear, memberOf } from "../cluster.contract.ts";
import type { Cluster } from "../cluster.ts";
import { openRedisCluster } from "./open.ts";
import { RedisServer, redisAbsent } from "./server.fixture.ts";
import type { RedisSettings } from "./settings.ts";

if (redisAbsent && process.env["CI"] === "true") throw new Error("redis-server is not installed: scripts/services up redis");

const day_ms = 86_400_000;
const watchdog = 120_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const unavailable = { code: "cluster_unavailable", permanent: false };

describe.skipIf(redisAbsent)(`redis${redisAbsent ? " (no redis-server: skipped)" : ""}`, { timeout: watchdog }, () => {
  let server: RedisServer;
  let tests = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  }, watchdog);
  afterAll(() => server.end());

  clusterContract(async () => {
    // each test is an installation of its own
    const settings = server.settings({ prefix: `test ${tests++}` });
    return { connect: () => openRedisCluster(settings, systemClock), pass: (ms) => systemClock.sleep(ms) };
  });
});

describe.skipIf(redisAbsent)("a redis that goes away", { timeout: watchdog }, () => {
  let server: RedisServer;
  const opened: Cluster[] = [];
  const connect = async () => {
    const cluster = await openRedisCluster(server.settings(), systemClock);
    opened.push(cluster);
    return cluster;
  };
  const until = (check: () => void) => vi.waitFor(check, watchdog);
  beforeAll(async () => {
    server = await RedisServer.start();
  }, watchdog);
  afterEach(async () => {
    for (const cluster of opened.splice(0)) await cluster.close();
  });
  afterAll(() => server.end());

  test("killed and started again: leases, fences and members are as they were, and listeners know that they missed something", async () => {
    const [one, two] = [await connect(), await connect()];
    const lease = await one.leases.acquire("shard/1", "a", day_ms);
    await one.members.join(memberOf("a"), day_ms);
    const ear = new Ear();
    await two.notices.subscribe("alerts", ear);
    await server.kill();
    await until(() => expect([one.health().up, two.health().up]).toEqual([false, false]));
    expect(one.health().reason).toMatch(/^redis\.host, redis\.port: Redis at 127\.0\.0\.1:\d+ does not answer/);

    // leases and members fail closed
    await expect(one.leases.acquire("shard/2", "a", day_ms)).rejects.toMatchObject(unavailable);
    await expect(one.leases.renew(lease!, day_ms)).rejects.toMatchObject(unavailable);
    await expect(one.members.list()).rejects.toMatchObject(unavailable);
    // rates, what was seen and notices fail open
    const draw = { key: "k", rate: { perMinute: 1 / 60, burst: 1 }, cost: 1 };
    expect((await one.counters.take([draw]))[0]!.wait).toBe(0);
    expect((await one.counters.take([draw]))[0]!.wait).toBeGreaterThan(0);
    await one.recent.add("ids", ["x"]);
    expect([...(await one.recent.known("ids", ["x", "y"]))]).toEqual(["x"]);
    one.notices.publish("alerts", bytes("into the void"));
    await until(() => expect(one.health().notices).toEqual({ sent: 0, lost: 1 }));

    await server.start();
    await until(() => expect([one.health().up, two.health().up, ear.misses]).toEqual([true, true, 1]));
    expect(await two.leases.acquire("shard/1", "b", day_ms)).toBeUndefined();
    expect(await one.leases.renew(lease!, day_ms)).toMatchObject({ fence: lease!.fence });
    await one.leases.release(lease!);
    expect((await two.leases.acquire("shard/1", "b", day_ms))!.fence).toBeGreaterThan(lease!.fence);
    expect(await two.members.list()).toEqual([memberOf("a")]);
    one.notices.publish("alerts", bytes("heard again"));
    await until(() => expect(ear.heard).toEqual(["heard again"]));
  });

  test("held: nobody waits for long, and it is used again when it goes on", async () => {
    const one = await connect();
    const ear = new Ear();
    await one.notices.subscribe("alerts", ear);
    server.hold();
    try {
      await expect(one.leases.acquire("shard/9", "a", day_ms)).rejects.toMatchObject(unavailable);
      expect(one.health()).toMatchObject({ up: false });
      // refused at once from now on
      for (let i = 0; i < 1_000; i++) await expect(one.leases.acquire("shard/9", "a", day_ms)).rejects.toMatchObject(unavailable);
    } finally {
      server.goOn();
    }
    await until(() => expect(one.health().up).toBe(true));
    expect(await one.leases.acquire("shard/9", "a", day_ms)).toMatchObject({ holder: "a" });
    one.notices.publish("alerts", bytes("x"));
    await until(() => expect(ear.heard).toEqual(["x"]));
  });
});

describe.skipIf(redisAbsent)("settings that are wrong", { timeout: watchdog }, () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await RedisServer.start("--requirepass", "right", "--user", "narrow", "on", ">narrow", "+@all", "-@scripting", "~*", "&*");
  }, watchdog);
  afterAll(() => server.end());
  const open = (change: Partial<RedisSettings>, patience_ms = 60_000) =>
    openRedisCluster(server.settings({ password: "right", ...change }), systemClock, patience_ms);

  test("the right ones are taken", async () => {
    const cluster = await open({});
    expect(cluster.health()).toEqual({ driver: "redis", up: true, warnings: [], notices: { sent: 0, lost: 0 } });
    await cluster.close();
  });

  test.each<[string, Partial<RedisSettings>, RegExp]>([
    ["password", { password: "wrong" }, /^redis\.password: Redis at 127\.0\.0\.1:\d+: it refuses .*REDIS_PASSWORD/],
    ["no password", { password: undefined }, /^redis\.password: /],
    ["user", { username: "nobody" }, /^redis\.password: /],
    ["database", { db: 99 }, /^redis\.db: /],
  ])("%s", async (_, change, message) => {
    await expect(open(change)).rejects.toMatchObject({ code: "config_invalid", message: expect.stringMatching(message) });
  });

  test("nothing answers there", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    await new Promise((resolve) => silent.close(resolve));
    await expect(open({ port }, 300)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/^redis\.host, redis\.port: .*ECONNREFUSED/),
    });
  });

  test("what answers there does not speak TLS: it waits for more, and it is said that TLS was tried", async () => {
    await expect(open({ tls: {} }, 300)).rejects.toMatchObject({
      ...unavailable,
      message: expect.stringMatching(/does not answer over TLS/),
    });
  });

  test("what answers there is not Redis", async () => {
    const other = createServer((socket) => socket.on("error", () => {}).write("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(open({ port })).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/^redis\.port: .*is not Redis/),
    });
    other.close();
  });

  test("a user who may not do what is needed", async () => {
    const cluster = await open({ username: "narrow", password: "narrow" });
    await expect(cluster.leases.acquire("x", "a", day_ms)).rejects.toMatchObject({ message: expect.stringMatching(/^redis\.username: /) });
    await cluster.close();
  });
});
