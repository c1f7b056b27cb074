/** Holds the files of deploy/ and docker-compose.yaml to the program and to what they promise. No container runs here: there is no engine. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../apps/vedette/src/config/load.ts";
import { environmentNames } from "../../apps/vedette/src/config/schema.ts";
import { composeShape } from "./compose_shape.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), "utf8");

/** Names that a configuration by environment has to honour. */
const promised =
  "PROJECT_NAME PROJECT_VERSION API_V1_STR KAFKA_SERVER KAFKA_TOPIC REDIS_HOST REDIS_PORT PROMETHEUS_PORT OPENAI_API_KEY SECRET_KEY ALGORITHM ACCESS_TOKEN_EXPIRE_MINUTES POSTGRES_HOST POSTGRES_PORT POSTGRES_DB POSTGRES_USER POSTGRES_PASSWORD".split(
    " ",
  );

interface Service {
  readonly image: string;
  readonly build?: { readonly dockerfile: string };
  readonly command?: string | readonly string[];
  readonly user?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly networks: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly deploy: { readonly resources: { readonly limits: { readonly cpus: string; readonly memory: string } } };
  readonly restart: string;
  readonly profiles?: readonly string[];
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, object>>;
}

const compose = parse(text("docker-compose.yaml"), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith("vedette:"));
const running = ours.filter(([name]) => name !== "secrets");

/** What compose makes of `${NAME:-default}` where nothing is set. */
const filled = (value: string): string => value.replace(/\$\{\w+(?::-([^}]*))?\}/g, (_, otherwise?: string) => otherwise ?? "");

describe("docker-compose.yaml", () => {
  test("has no key and no value that compose would refuse or pass over", () => {
    // what begins so is for anchors alone
    const own = (all: object) => Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith("x-")));
    const told = (all: object) =>
      composeShape.safeParse(own(all)).error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
    expect(told(compose)).toEqual([]);
    const { redis } = compose.services;
    const wrong = (change: object) => told({ ...compose, services: { redis: { ...redis, ...change } } });
    expect(wrong({ heathcheck: {} })).toEqual([expect.stringContaining("heathcheck")]);
    expect(wrong({ command: ["sh", "-c", "echo $HOME"] })[0]).toContain("services.redis.command");
    expect(wrong({ environment: { PORT: 1 } })).toEqual([expect.stringContaining("services.redis.environment.PORT")]);
    expect(wrong({ healthcheck: { test: ["ping"], interval: "10", timeout: "5s", retries: 1 } })[0]).toContain(
      "services.redis.healthcheck",
    );
  });

  test("every service is pinned, bounded, watched and without privileges", () => {
    for (const [name, service] of services) {
      expect([name, filled(service.image)]).toEqual([name, expect.stringMatching(/^[\w./-]+:v?\d+(\.\d+)+[\w.-]*$/)]);
      expect([name, service.cap_drop, service.security_opt]).toEqual([name, ["ALL"], ["no-new-privileges:true"]]);
      const { cpus, memory } = service.deploy.resources.limits;
      expect([name, filled(cpus), filled(memory)]).toEqual([name, expect.stringMatching(/^\d+\.\d+$/), expect.stringMatching(/^\d+[MG]$/)]);
      expect([name, service.healthcheck?.disable === true || (service.healthcheck?.test?.length ?? 0) > 1]).toEqual([name, true]);
      // what writes beside its program is said to
      expect([name, service.read_only]).toEqual([name, !["kafka", "opensearch"].includes(name)]);
    }
    for (const [name, { user }] of ours) expect([name, user]).toEqual([name, "10001:10001"]);
  });

  test("nothing is reached from other machines, and data stores from nowhere", () => {
    for (const [name, { ports = [], networks }] of services) {
      for (const port of ports) expect([name, port]).toEqual([name, expect.stringMatching(/^127\.0\.0\.1:/)]);
      expect([name, networks.includes("outside")]).toEqual([name, ports.length > 0]);
    }
    expect(compose.networks["inside"]?.internal).toBe(true);
    const published = services.flatMap(([, { ports = [] }]) => ports.map(filled));
    for (const port of ["8080:8080", "9090:9090", "3000:3000"]) expect(published).toContain(`127.0.0.1:${port}`);
  });

  test("no password, key or token has a default", () => {
    for (const [name, { environment = {} }] of services)
      for (const [key, value] of Object.entries(environment)) {
        if (!/PASS|SECRET|TOKEN|API_KEY/.test(key) || /EXPIRE/.test(key)) continue;
        expect([name, key, filled(value)]).toEqual([name, key, expect.stringMatching(/^(\/secrets\/[\w.]+)?$/)]);
      }
    expect(text("docker-compose.yaml")).not.toMatch(/admin\/admin|changeme|password:\s*\w/i);
  });

  test("what it mounts, names and waits for is there", () => {
    for (const [name, { volumes = [], networks, depends_on = {}, build }] of services) {
      for (const volume of volumes) {
        const source = volume.split(":")[0]!;
        const there = source.startsWith("./") ? existsSync(join(root, source)) : source in compose.volumes;
        expect([name, source, there]).toEqual([name, source, true]);
      }
      for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const { healthcheck } = compose.services[other]!;
        const kept = condition === "service_healthy" ? healthcheck?.test !== undefined : condition === "service_completed_successfully";
        expect([name, other, kept]).toEqual([name, other, true]);
      }
      if (build) expect(existsSync(join(root, build.dockerfile))).toBe(true);
    }
  });

  test("the program takes each role's environment, and every name of it is known", () => {
    for (const [name, { environment = {} }] of running) {
      const set = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(String(value))]));
      for (const key of Object.keys(set)) {
        const known = key in environmentNames || key.startsWith("VEDETTE__") || key === "VEDETTE_FIRST_ADMINISTRATOR";
        expect([name, key, known]).toEqual([name, key, true]);
      }
      const { config } = loadConfig("/dev/null", set);
      expect(config.listen).toBe("0.0.0.0:8080");
      expect(config.tls?.certificate).toBe("/secrets/tls.crt");
    }
    const roles = running.flatMap(([, { command = [] }]) => (command[2] === "--role" ? [command[3]] : []));
    expect(roles).toEqual(["serve", "ingest", "analyse", "triage"]);
  });

  test("Prometheus asks every service that has something to tell", () => {
    const { scrape_configs: jobs } = parse(text("deploy/compose/prometheus.yml")) as {
      scrape_configs: { static_configs?: { targets: string[] }[]; dns_sd_configs?: { names: string[] }[] }[];
    };
    const asked = jobs.flatMap(({ static_configs = [], dns_sd_configs = [] }) => [
      ...static_configs.flatMap(({ targets }) => targets.map((target) => target.split(":")[0]!)),
      ...dns_sd_configs.flatMap(({ names }) => names),
    ]);
    const telling = [...running.map(([name]) => name), ...Object.keys(compose.services).filter((name) => name.endsWith("-exporter"))];
    expect(asked.filter((name) => name !== "localhost").sort()).toEqual(telling.sort());
  });
});

describe("the environment", () => {
  const lines = text(".env.example")
    .split("\n")
    .filter((line) => /^\w+=/.test(line));

  test(".env.example has every name that is promised, and each is one that the configuration reads", () => {
    const names = lines.map((line) => line.split("=")[0]!);
    expect(names.toSorted()).toEqual(promised.toSorted());
    for (const name of promised) expect([name, name in environmentNames]).toEqual([name, true]);
    const used = text("docker-compose.yaml");
    for (const name of promised) expect([name, used.includes(`\${${name}`)]).toEqual([name, true]);
    expect(loadConfig("/dev/null", Object.fromEntries(lines.map((l) => l.split("=")))).config.name).toBe("Vedette");
  });

  test("it holds no secret", () => {
    for (const line of lines) if (/PASSWORD|SECRET|API_KEY/.test(line)) expect(line).toMatch(/=$/);
  });
});

describe("the image", () => {
  test("is built in stages, runs as nobody's user, and copies what is there", () => {
    const lines = text("deploy/container/Dockerfile").split("\n");
    expect(lines.filter((line) => line.startsWith("FROM"))).toHaveLength(2);
    expect(lines.findLast((line) => line.startsWith("USER"))).toBe("USER 10001:10001");
    for (const line of lines.filter((one) => one.startsWith("COPY ") && !one.includes("--from="))) {
      const sources = line.split(" ").slice(1, -1);
      for (const source of sources.filter((one) => !one.includes("*")))
        expect([source, existsSync(join(root, source))]).toEqual([source, true]);
    }
  });

  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "vedette-deploy-"));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test.skipIf(spawnSync("openssl", ["version"]).status !== 0)("secrets are made once, each for those who need it", () => {
    const folder = join(scratch, "secrets");
    const make = () =>
      execFileSync("sh", [join(root, "deploy/container/secrets.sh"), folder], { encoding: "utf8", env: { PATH: process.env["PATH"] } });
    expect(make()).toContain("made grafana");
    const names = readdirSync(folder).sort();
    expect(names).toEqual(["admin.token", "grafana", "postgres", "redis", "secret.key", "tls.crt", "tls.key"]);
    const secrets = ["admin.token", "grafana", "postgres", "redis", "secret.key"].map((name) => readFileSync(join(folder, name), "utf8"));
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}\n$/);
    for (const name of ["secret.key", "tls.key"]) expect([name, statSync(join(folder, name)).mode & 0o077]).toEqual([name, 0]);
    expect(make()).toBe("");
    expect(readFileSync(join(folder, "grafana"), "utf8")).toBe(secrets[1]);
    const mounted = services
      .flatMap(([, { environment = {} }]) => Object.values(environment))
      .filter((value) => String(value).startsWith("/secrets/"));
    for (const path of mounted) expect(names).toContain(path.slice("/secrets/".length));
  });

  test.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)("systemd takes the units, and rates them hardened", () => {
    for (const unit of readdirSync(join(root, "deploy/systemd"))) {
      // the program need not be installed where the test runs
      const content = text(`deploy/systemd/${unit}`).replace("/opt/vedette/node_modules/.bin/node", "/bin/true");
      const path = join(scratch, unit.replace("@.", "@serve."));
      writeFileSync(path, content);
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
      expect([unit, status, stderr.split("\n").filter((line) => line.includes(unit.slice(0, 7)))]).toEqual([unit, 0, []]);
      const rated = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", path], { encoding: "utf8" });
      // 20 is an exposure of 2.0 of 10: without the sandbox it is 9.2
      expect([unit, rated.status]).toEqual([unit, 0]);
    }
  });
});
