/** What of docker-compose.yaml this machine has as packages, started by its very commands and configuration; only places and ports are others. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openRedisCluster } from "@vedette/cluster";
import { systemClock } from "@vedette/kit";
import { type Log, openKafkaLogHere } from "@vedette/log";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { programs } from "../../scripts/services_install.mjs";
import { freePort } from "./free_port.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
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

const noKafka = (): boolean => {
  const absent = lacks("java") || !existsSync(programs.kafka);
  if (absent && process.env["CI"] === "true") throw new Error("Kafka is not installed: scripts/services install");
  return absent;
};

test.skipIf(noKafka())("its Kafka starts by its very settings, and takes our log", { timeout: 240_000 }, async () => {
  const [port, controller] = [await freePort(), await freePort()];
  const place = join(scratch, "kafka");
  mkdirSync(place);
  // as the image does it: KAFKA_LOG_DIRS is log.dirs
  const settings = Object.entries(services["kafka"]!.environment).filter(([name]) => name !== "KAFKA_HEAP_OPTS");
  const here = (value: string) =>
    value
      .replaceAll("kafka:9092", `127.0.0.1:${port}`)
      .replaceAll("PLAINTEXT://:9092", `PLAINTEXT://127.0.0.1:${port}`)
      .replaceAll("localhost:9093", `localhost:${controller}`)
      .replace("/var/lib/kafka/data", join(place, "data"));
  const lines = settings.map(([name, value]) => `${name.replace("KAFKA_", "").toLowerCase().replaceAll("_", ".")}=${here(value)}`);
  const file = join(place, "server.properties");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const java = [
    ...services["kafka"]!.environment["KAFKA_HEAP_OPTS"]!.split(" "),
    "-XX:TieredStopAtLevel=1",
    "-cp",
    join(programs.kafka, "*"),
  ];
  execFileSync("java", [...java, "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", file], { stdio: "pipe" });
  const child = spawn("java", [...java, "kafka.Kafka", file], { stdio: "ignore" });
  try {
    let log: Log | undefined;
    const kafka = { brokers: [`127.0.0.1:${port}`], tls: undefined, sasl: undefined };
    await until(child, async () => {
      log = await openKafkaLogHere({ kafka, prefix: "vedette", partitions: { raw: 8 } }).catch(() => undefined);
      return log !== undefined;
    });
    expect(await log!.append("raw", 7, Buffer.from("one"))).toBe(0);
    expect(await log!.bounds("raw", 7)).toEqual({ start: 0, end: 1 });
    await log!.close();
  } finally {
    child.kill("SIGKILL");
  }
});

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
async function until(child: ChildProcess, holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`);
    await systemClock.sleep(100);
  }
}
