import { expect, test } from "vitest";
import { checkServer } from "./settings.ts";

const settings = { host: "redis.example.org", port: 6379, db: 0, prefix: "vedette" };
const info = (change: { readonly [name: string]: string } = {}) =>
  Object.entries({
    redis_version: "7.0.15",
    role: "master",
    cluster_enabled: "0",
    maxmemory: "0",
    maxmemory_policy: "noeviction",
    ...change,
  })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join("# Section\r\n");

test("a server is refused with the setting's name where it cannot be used", () => {
  expect(checkServer(settings, info())).toEqual([]);
  expect(() => checkServer(settings, info({ redis_version: "6.2.7" }))).toThrow(
    "redis.host: Redis at redis.example.org:6379: it is 6.2.7; expected Redis 7 or newer",
  );
  expect(() => checkServer(settings, "")).toThrow(/of unknown version; expected Redis 7/);
  expect(() => checkServer(settings, info({ role: "slave" }))).toThrow(/is a replica/);
  expect(() => checkServer(settings, info({ cluster_enabled: "1" }))).toThrow(/Redis Cluster/);
});

test("one that may throw away leases is used with a warning", () => {
  expect(checkServer(settings, info({ maxmemory: "1000000", maxmemory_policy: "allkeys-lru" }))).toEqual([
    expect.stringMatching(/allkeys-lru.*set noeviction/),
  ]);
  expect(checkServer(settings, info({ maxmemory: "1000000", maxmemory_policy: "volatile-ttl" }))).toEqual([]);
});
