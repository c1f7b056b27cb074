import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@vedette/kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedisCluster } from "./open.ts";
import { RedisServer, redisAbsent } from "./server.fixture.ts";

const absent = redisAbsent || spawnSync("openssl", ["version"]).status !== 0;
const watchdog = 120_000;

describe.skipIf(absent)(`redis by certificates${absent ? " (no redis-server or openssl: skipped)" : ""}`, { timeout: watchdog }, () => {
  const folder = mkdtempSync(join(tmpdir(), "vedette-redis-tls-"));
  const file = (name: string) => join(folder, name);
  const pem = (name: string) => readFileSync(file(name), "utf8");
  let server: RedisServer;

  /** An authority, or what one signed. */
  function certificate(name: string, by?: string): void {
    const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const signed = by === undefined ? [] : ["-CA", file(`${by}.pem`), "-CAkey", file(`${by}.key`)];
    const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
    execFileSync("openssl", [...made, ...signed, ...names, "-keyout", file(`${name}.key`), "-out", file(`${name}.pem`)], { stdio: "pipe" });
  }
  beforeAll(async () => {
    certificate("authority");
    certificate("stranger");
    for (const name of ["server", "process"]) certificate(name, "authority");
    const of = ["--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key"), "--tls-ca-cert-file", file("authority.pem")];
    server = await RedisServer.startTls(...of, "--tls-auth-clients", "yes", "--tls-protocols", "TLSv1.3");
  }, watchdog);
  afterAll(async () => {
    await server?.end();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (tls: object, patience_ms = watchdog) => openRedisCluster(server.settings({ tls }), systemClock, patience_ms);

  test("whoever shows one of the authority is let in, and nobody else; so is the server", async () => {
    const [ca, cert, key] = [pem("authority.pem"), pem("process.pem"), pem("process.key")];
    const cluster = await open({ ca, cert, key });
    expect((await cluster.counters.take([{ key: "k", cost: 1, rate: { perMinute: 60, burst: 5 } }]))[0]!.wait).toBe(0);
    await cluster.close();
    await expect(open({ ca }, 2_000)).rejects.toThrow(/redis\.tls\.certificate|does not answer over TLS/);
    const stranger = { cert: pem("stranger.pem"), key: pem("stranger.key") };
    await expect(open({ ca, ...stranger }, 2_000)).rejects.toThrow(/redis\.tls\.|does not answer over TLS/);
    await expect(open({ ca: pem("stranger.pem"), cert, key })).rejects.toMatchObject({
      code: "config_invalid",
      message: expect.stringMatching(/^redis\.tls\.ca: /),
    });
  });
});
