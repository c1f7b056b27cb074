import { openRedisCluster } from "@vedette/cluster";
import { systemClock } from "@vedette/kit";
import { afterAll, beforeAll, describe } from "vitest";
import { RedisServer, redisAbsent } from "../../../cluster/src/redis/server.fixture.ts";
import { sharedContract } from "../testing/shared.ts";

if (redisAbsent && process.env["CI"] === "true") throw new Error("redis-server is not installed: scripts/services up redis");

describe.skipIf(redisAbsent)(`two servers, told by redis${redisAbsent ? " (no redis-server: skipped)" : ""}`, { timeout: 120_000 }, () => {
  let server: RedisServer;
  let connections = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  }, 120_000);
  afterAll(() => server.end());

  // each pair is an installation of its own
  sharedContract(() => openRedisCluster(server.settings({ prefix: `pair ${Math.floor(connections++ / 2)}` }), systemClock));
});
