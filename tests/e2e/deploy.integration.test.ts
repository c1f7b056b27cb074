/** What of docker-compose.yaml this machine has as packages, started by its very commands and configuration; only places and ports are others. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRedisCluster } from "@vedette/cluster";
import { systemClock } from "@vedette/kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { freePort } from "./stream.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
interface Service {
  readonly command: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}
const { services } = parse(readFileSync(join(root, "docker-compose.yaml"), "utf8"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const lacks = (program: string): boolean => {
  const absent = spawnSync("which", [program]).status !== 0;
  if (absent && process.env["CI"] === "true") throw new Error(`${program} is not installed`);
  return absent;
};
/** As compose hands it to the shell of the container. */
const unescaped = (text: string): string => text.replaceAll("$$", "$");

let scratch: string;
let secrets: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "vedette-compose-"));
  secrets = join(scratch, "secrets");
  execFileSync("sh", [join(root, "deploy/container/secrets.sh"), secrets], { env: { PATH: process.env["PATH"] } });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test.skipIf(lacks("redis-server") || lacks("openssl"))(
  "its Redis starts, is healthy by its own check, and suits us",
  { timeout: 120_000 },
  async () => {
    const { command, healthcheck } = services["redis"]!;
    const port = await freePort();
    const here = (text: string) =>
      unescaped(text)
        .replaceAll("/secrets/", `${secrets}/`)
        .replace("redis-server -", `redis-server - --port ${port} --bind 127.0.0.1 --dir ${scratch}`)
        .replace("redis-cli ping", `redis-cli -p ${port} ping`);
    const child = spawn(command[0]!, command.slice(1).map(here), { stdio: "ignore" });
    try {
      await until(child, () => spawnSync("/bin/sh", ["-c", here(healthcheck.test[1]!)]).status === 0);
      const password = readFileSync(join(secrets, "redis"), "utf8").trim();
      const settings = { host: "127.0.0.1", port, db: 0, prefix: "vedette" };
      await expect(openRedisCluster(settings, systemClock, 1_000)).rejects.toMatchObject({ code: "config_invalid" });
      const cluster = await openRedisCluster({ ...settings, password }, systemClock);
      expect(cluster.health()).toMatchObject({ up: true, warnings: [] });
      await cluster.close();
    } finally {
      child.kill("SIGKILL");
    }
  },
);

test.skipIf(lacks("promtool") || lacks("openssl"))("its Prometheus takes configuration, rules and secrets as they are mounted", () => {
  const etc = join(scratch, "prometheus");
  mkdirSync(etc);
  cpSync(join(root, "deploy/prometheus/rules"), join(etc, "rules"), { recursive: true });
  const config = readFileSync(join(root, "deploy/compose/prometheus.yml"), "utf8");
  const file = join(etc, "prometheus.yml");
  writeFileSync(file, config.replaceAll("/secrets/", `${secrets}/`).replaceAll("/etc/prometheus/", `${etc}/`));
  for (const [, path] of config.matchAll(/\/secrets\/([\w.]+)/g)) expect([path, existsSync(join(secrets, path!))]).toEqual([path, true]);
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "config", file], { encoding: "utf8" });
  expect([status, status === 0 ? "" : `${stdout}${stderr}`]).toEqual([0, ""]);
  expect(stdout).toMatch(/[1-9]\d* rules found/);
});

/** Ends early when the process does. */
async function until(child: ChildProcess, holds: () => boolean): Promise<void> {
  while (!holds()) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    await systemClock.sleep(100);
  }
}
