/** State on a real PostgreSQL that goes away and comes back under a running Vedette: senders notice nothing, people are told, nothing is lost. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PostgresServer, postgresMissing } from "../../packages/store/src/testing/postgres.ts";
import { vedette } from "./cli.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Alert {
  readonly id: string;
  readonly state: string;
  readonly rule: { readonly id: string };
  readonly entities: readonly { readonly id: string }[];
}
interface Ready {
  readonly ready: boolean;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

const attack = (ip: string) =>
  Array.from(
    { length: 12 },
    (_, n) => `Nov 20 06:00:${String(n).padStart(2, "0")} node1 sshd[7]: Failed password for root from ${ip} port ${40_000 + n} ssh2`,
  ).join("\n");

test("PostgreSQL goes away: intake goes on, the API says so, and all goes on when it is back", { timeout: 300_000 }, async (context) => {
  const missing = postgresMissing();
  if (missing) return context.skip(missing);
  const server = new PostgresServer();
  await server.create();
  await server.start();
  const { host, port, db, user, password } = server.settings();
  const v = new Vedette(
    `state: {driver: postgres}\npostgres: {host: "${host}", port: ${port}, db: ${db}, user: ${user}, password: ${password}}\ncanaries: {enabled: false}\n`,
  );
  const post = (ip: string, headers: { readonly [name: string]: string } = {}) =>
    v.fetch("/ingest/auth", { method: "POST", body: attack(ip), headers: { "content-type": "text/plain", ...headers } });
  const alertsOf = async (ip: string) =>
    (await v.get<{ alerts: Alert[] }>("/api/v1/alerts?state=open,acknowledged,closed")).alerts.filter(
      ({ rule, entities }) => rule.id === "brute_force" && entities.some(({ id }) => id === ip),
    );
  const ready = async () => {
    const answer = await v.fetch("/readyz");
    return { status: answer.status, ...((await answer.json()) as Ready) };
  };
  const one = (alerts: readonly Alert[]) => alerts.length === 1;
  try {
    await v.start("--no-demo");
    const made = await v.fetch("/api/v1/source-tokens", {
      method: "POST",
      body: JSON.stringify({ source: "auth" }),
      headers: { "content-type": "application/json" },
    });
    const { token } = (await made.json()) as { token: string };
    expect(made.ok).toBe(true);
    expect((await post("203.0.113.1")).status).toBe(200);
    await v.until(() => alertsOf("203.0.113.1"), one);

    await server.stop();
    // by the source's own token and by the administrator's
    for (const [ip, bearer] of [
      ["203.0.113.2", token],
      ["203.0.113.3", v.token],
    ] as const)
      expect((await post(ip, { authorization: `Bearer ${bearer}` })).status).toBe(200);
    const refused = await v.fetch("/api/v1/alerts");
    expect([refused.status, refused.headers.get("content-type"), refused.headers.get("retry-after")]).toEqual([
      503,
      expect.stringContaining("application/problem+json"),
      "5",
    ]);
    expect(await refused.json()).toMatchObject({
      code: "store_unavailable",
      detail: expect.stringContaining("PostgreSQL does not answer"),
    });
    const told = await v.until(ready, ({ problems }) => problems.some(({ code }) => code === "state_blocked"));
    expect([told.status, told.ready]).toEqual([503, false]);
    expect(JSON.stringify(told.problems)).not.toContain(String(port));

    await server.start();
    for (const n of [2, 3]) await v.until(() => alertsOf(`203.0.113.${n}`), one);
    await v.until(ready, (now) => now.ready);
    expect((await settledLedger(v)).find(({ name }) => name === "auth")).toMatchObject({ in: 36, stored: 36, balance: 0 });

    // stopped while it is away: what could not be written is done again, and no alert twice
    await server.stop();
    expect((await post("203.0.113.4")).status).toBe(200);
    expect(await v.stop()).toBe(0);
    await server.start();
    await v.start("--no-demo");
    await v.until(() => alertsOf("203.0.113.4"), one);
    for (const n of [1, 2, 3]) expect(await alertsOf(`203.0.113.${n}`)).toHaveLength(1);
    expect(server.run(`select count(*) from vedette.alert_event`).trim()).not.toBe("0");
    await v.stop();

    // back to one machine with nothing beside it
    const place = ["--config", join(v.directory, "vedette.yaml"), "--data-dir", v.data];
    const moved = await vedette(["move", "--to", "sqlite", "--json", ...place], { cwd: v.directory });
    expect([moved.code, moved.stderr]).toEqual([0, expect.stringContaining("Set state.driver to sqlite")]);
    expect(JSON.parse(moved.stdout)).toContainEqual({ table: "session", rows: expect.any(Number) });
    expect(existsSync(join(v.data, "LOCK"))).toBe(false);
  } finally {
    await v.remove();
    await server.remove();
  }
});
