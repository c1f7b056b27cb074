/**
 * An installation of several processes over real Kafka, PostgreSQL and Redis, events on OpenSearch or in a shared folder: what one takes in others
 * analyse, also when workers are killed; the alerts are those of one process, and every event is there once.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { service } from "./services.ts";
import { settledLedger, Vedette } from "./vedette.ts";

const [kafka, postgres, redis, opensearch] = [service("kafka"), service("postgres"), service("redis"), service("opensearch")];
const here = kafka && postgres && redis ? { kafka, postgres, redis } : undefined;
const partitions = 3;
const detection = "rules: { watch: false }\naudit: {}\n";
/** Each process compiles rules for seconds, and this is not about them. */
const byDetectors = "rules: { starter: false }\n";
/** @param name of the installation, under which it has its own part of each server */
function config({ kafka, postgres, redis }: NonNullable<typeof here>, name: string, events: readonly string[]): string {
  return [
    "log: { driver: kafka }",
    `kafka: { server: "${kafka.host}:${kafka.port}", topic: ${name}, partitions: ${partitions}, replicas: 1 }`,
    "state: { driver: postgres }",
    `postgres: { host: ${postgres.host}, port: ${postgres.port}, db: ${postgres.database}, user: ${postgres.user}, password: ${postgres.password}, schema: ${name}, connections: 4 }`,
    ...events,
    `redis: { host: ${redis.host}, port: ${redis.port}, prefix: ${name} }`,
    `auth: { secret_key: ${name}-a-secret-of-the-installation }`,
    "engine: { workers: 1 }",
    "",
  ].join("\n");
}

const attackers = 12;
const begin = Date.now() - 3_600_000;
/** Bursts of failed log-ins, one address each, then one that works; every host by a stream of its own. */
const lines = (host: number): string =>
  Array.from({ length: attackers * 12 }, (_, n) => {
    const attacker = n % attackers;
    const ok = n >= attackers * 11 && attacker % 3 === 0;
    const at = new Date(begin + host * 37 + n * 500).toISOString();
    return `${at} node${host} sshd[${1_000 + n}]: ${ok ? "Accepted" : "Failed"} password for root from 198.51.100.${attacker + 1} port ${40_000 + n} ssh2\n`;
  }).join("");

interface Alert {
  readonly title: string;
  readonly severity: string;
  readonly rule: { readonly id: string };
  readonly entities: readonly { readonly type: string; readonly id: string }[];
}
const told = async (v: Vedette): Promise<readonly string[]> => {
  const { alerts } = await v.get<{ alerts: Alert[] }>("/api/v1/alerts?limit=500");
  return alerts
    .filter(({ entities }) => entities.some(({ id }) => id.startsWith("198.51.100.")))
    .map(({ rule, severity, entities }) => [rule.id, severity, ...entities.map(({ type, id }) => `${type}=${id}`).sort()].join(" "))
    .sort();
};

/** Once they have not changed for as long as triage takes at most. */
async function settled(v: Vedette): Promise<readonly string[]> {
  for (let before = ""; ; ) {
    const alerts = await told(v);
    const now = JSON.stringify(alerts);
    if (now === before) return alerts;
    before = now;
    await new Promise((r) => setTimeout(r, 3_000));
  }
}

async function send(v: Vedette): Promise<void> {
  for (let host = 0; host < 6; host++) {
    const all = lines(host).split(/(?<=\n)/);
    for (let at = 0; at < all.length; at += 48) {
      const response = await v.fetch(`/ingest/auth${host}`, {
        method: "POST",
        body: all.slice(at, at + 48).join(""),
      });
      expect(response.status).toBe(200);
    }
  }
}

/** Processes of one installation, removed when the suite ends. */
function installation(events: (name: string) => readonly string[], judged = detection) {
  const name = `t${randomBytes(4).toString("hex")}`;
  const processes: Vedette[] = [];
  const start = async (roles: string): Promise<Vedette> => {
    const v = new Vedette(config(here!, name, events(name)) + judged);
    processes.push(v);
    await v.start("--role", roles);
    return v;
  };
  afterAll(() => Promise.all(processes.map((v) => v.remove())));
  return { processes, start };
}

describe.skipIf(here === undefined || opensearch === undefined)("several processes", () => {
  const { processes, start } = installation((name) => [
    "events: { driver: opensearch }",
    `opensearch: { url: "http://${opensearch!.host}:${opensearch!.port}", prefix: ${name} }`,
  ]);

  test("what is taken in by one is analysed by others, one of which is killed; the alerts are those of one process", {
    timeout: 600_000,
  }, async () => {
    const alone = new Vedette(detection);
    processes.push(alone);
    await alone.start("--no-demo");
    await send(alone);
    await settledLedger(alone);
    // an alert is shown at once and grows: what is compared is what it has grown to
    const wanted = await settled(alone);
    expect(wanted.length).toBeGreaterThanOrEqual(attackers);
    await alone.stop();

    const front = await start("ingest,serve");
    const first = await start("analyse");
    await start("analyse,triage");
    await send(front);
    await first.kill();
    await front.until(
      () => told(front),
      (alerts) => JSON.stringify(alerts) === JSON.stringify(wanted),
    );
    const sources = await settledLedger(front);
    expect(sources.filter(({ name }) => name.startsWith("auth")).map(({ stored, balance }) => [stored, balance])).toEqual(
      Array.from({ length: 6 }, () => [attackers * 12, 0]),
    );
    // a worker answers for itself, and for nothing else
    expect((await processes[3]!.fetch("/api/v1/alerts")).status).toBe(404);
    expect((await processes[3]!.fetch("/healthz")).status).toBe(200);
  });
});

describe.skipIf(here === undefined)("several processes with events in a shared folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "vedette-shared-"));
  const { start } = installation((name) => {
    mkdirSync(join(folder, name), { recursive: true });
    return [`events: { shared: ${join(folder, name)} }`];
  }, byDetectors);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("every event is found once by who has written none, also when a writer is killed and another goes on in its place", {
    timeout: 600_000,
  }, async () => {
    const front = await start("ingest,serve");
    const first = await start("analyse");
    await send(front);
    await front.until(
      () => front.get<{ events: unknown[] }>("/api/v1/events?limit=1"),
      ({ events }) => events.length > 0,
    );
    await first.kill();
    await start("analyse,triage");
    const sources = await settledLedger(front);
    expect(sources.filter(({ name }) => name.startsWith("auth")).map(({ stored, balance }) => [stored, balance])).toEqual(
      Array.from({ length: 6 }, () => [attackers * 12, 0]),
    );
    const found = await front.events<{ readonly id: string; readonly host: string }>("event.dataset:linux.auth");
    expect(found).toHaveLength(6 * attackers * 12);
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
    await front.until(
      () => told(front),
      (alerts) => alerts.length >= attackers,
    );
  });
});
