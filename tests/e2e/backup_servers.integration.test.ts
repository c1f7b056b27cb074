/** A Vedette whose log is on Kafka and whose state is on PostgreSQL is backed up, dies with its servers, and comes back on empty ones. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { PostgresServer, postgresMissing } from "../../packages/store/src/testing/postgres.ts";
import { service } from "./services.ts";
import { settledLedger, Vedette } from "./vedette.ts";

const kafka = service("kafka");
const missing = postgresMissing();
const name = `t${randomBytes(4).toString("hex")}`;
const server = new PostgresServer();
const opened: Vedette[] = [];
afterAll(async () => {
  await Promise.all(opened.map((one) => one.remove()));
  await server.remove();
});

/** Every one of them on topics and a schema of its own, as on servers of its own. */
function vedetteOn(servers: string): Vedette {
  const { host, port, db, user, password } = server.settings();
  const v = new Vedette(
    [
      "log: { driver: kafka }",
      `kafka: { server: "${kafka?.host}:${kafka?.port}", topic: ${servers}, replicas: 1 }`,
      "state: { driver: postgres }",
      `postgres: { host: "${host}", port: ${port}, db: ${db}, user: ${user}, password: ${password}, schema: ${servers} }`,
      `auth: { secret_key: ${name}-a-secret-of-the-installation }`,
      "canaries: { enabled: false }",
      "engine: { workers: 1 }",
      "",
    ].join("\n"),
  );
  opened.push(v);
  return v;
}

async function program(...words: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const child = spawn(process.execPath, ["--conditions=source", join(import.meta.dirname, "../../apps/vedette/src/main.ts"), ...words]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text) => {
      output += text;
    });
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

interface Alert {
  readonly id: string;
  readonly rule: { readonly id: string };
  readonly count: number;
}
const attack = (ip: string, from: number) =>
  Array.from(
    { length: 12 },
    (_, n) =>
      `Nov 20 06:00:${String(from + n).padStart(2, "0")} node1 sshd[7]: Failed password for root from ${ip} port ${40_000 + n} ssh2`,
  ).join("\n");
const post = async (v: Vedette, path: string, body: string, type: string) => {
  const answer = await v.fetch(path, { method: "POST", body, headers: { "content-type": type } });
  expect([path, answer.status, answer.ok ? "" : await answer.text()]).toEqual([path, answer.status, ""]);
};
const alertsOf = async (v: Vedette) =>
  (await v.get<{ alerts: Alert[] }>("/api/v1/alerts?limit=500")).alerts.filter(({ rule }) => rule.id === "brute_force");
const ids = (alerts: readonly Alert[]) => alerts.map(({ id }) => id).sort();

test.skipIf(kafka === undefined || missing !== undefined)(
  "log and state come back from a backup on other servers, and detection goes on where it was",
  { timeout: 300_000 },
  async () => {
    await server.create();
    await server.start();
    const first = vedetteOn(`${name}a`);
    await first.start("--no-demo");
    await post(first, "/ingest/auth", attack("203.0.113.1", 0), "text/plain");
    await first.until(
      () => alertsOf(first),
      (alerts) => alerts.length === 1,
    );
    await settledLedger(first);
    const to = join(first.directory, "backup");
    mkdirSync(to);
    await post(first, "/api/v1/backup", JSON.stringify({ to }), "application/json");
    const made = await first.until(
      () => first.get<{ running: boolean; failure?: { message: string } }>("/api/v1/backup"),
      ({ running }) => !running,
    );
    expect(made.failure).toBeUndefined();
    const known = await alertsOf(first);
    const sources = await settledLedger(first);
    await first.kill();

    const second = vedetteOn(`${name}b`);
    const config = join(second.directory, "vedette.yaml");
    const restore = (data: string) => program("restore", "--from", to, "--data-dir", data, "--config", config);
    const back = await restore(second.data);
    expect([back.code, back.output]).toEqual([0, expect.stringContaining("is back")]);
    await second.start("--no-demo");
    expect(ids(await alertsOf(second))).toEqual(ids(known));
    await post(second, "/ingest/auth", attack("203.0.113.2", 20), "text/plain");
    await second.until(
      () => alertsOf(second),
      (alerts) => alerts.length === 2,
    );
    // counts go on too: nothing accepted is missing, nothing is there twice
    const auth = async () => (await settledLedger(second)).find((one) => one.name === "auth")!;
    const before = sources.find((one) => one.name === "auth")!;
    expect(await auth()).toMatchObject({ in: before.in + 12, stored: before.stored + 12, balance: 0 });
    // servers that somebody works on are not restored to
    const again = await restore(join(second.directory, "other"));
    expect([again.code, again.output]).toEqual([2, expect.stringContaining("in use")]);
    expect(await auth()).toMatchObject({ in: before.in + 12, balance: 0 });
    await post(second, "/api/v1/backup/drill", JSON.stringify({ from: to }), "application/json");
    const drilled = await second.until(
      () => second.get<{ running: boolean; drill?: { ok: boolean; checks: object[] } }>("/api/v1/backup"),
      ({ running }) => !running,
    );
    expect([drilled.drill?.ok, drilled.drill?.checks]).toEqual([true, expect.anything()]);
  },
);
