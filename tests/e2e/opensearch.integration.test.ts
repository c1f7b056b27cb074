/** A Vedette whose events are on OpenSearch goes on while that is away: everything accepted is found afterwards, once, and detection did not wait. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vedette } from "./cli.ts";
import { service } from "./services.ts";
import { Vedette } from "./vedette.ts";

const opensearch = service("opensearch");
const prefix = `e2e-${process.pid}-${Date.now().toString(36)}`;
const start_ms = 300_000;

/** Between Vedette and the cluster: what it does not let through is away, as far as Vedette knows. */
class Line {
  readonly #open = new Set<Socket>();
  readonly #server: Server;
  cut = false;
  constructor(to: { readonly host: string; readonly port: number }) {
    this.#server = createServer((here) => {
      if (this.cut) return void here.destroy();
      const there = connect(to.port, to.host);
      for (const [one, other] of [[here, there] as const, [there, here] as const]) {
        this.#open.add(one);
        one.on("error", () => other.destroy()).on("close", () => this.#open.delete(one));
        one.pipe(other);
      }
    });
  }
  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  breakAll(): void {
    this.cut = true;
    for (const one of this.#open) one.destroy();
  }
  close(): void {
    this.breakAll();
    this.#server.close();
  }
}

interface Found {
  readonly id: string;
  readonly fields: { readonly [name: string]: unknown };
}

describe.skipIf(opensearch === undefined)("events on OpenSearch", () => {
  let line: Line;
  let server: Vedette;

  beforeAll(async () => {
    line = new Line(opensearch!);
    const url = await line.listen();
    server = new Vedette(
      `events: { driver: opensearch }\nopensearch: { url: "${url}", prefix: ${prefix}, replicas: 0 }\nrules: { starter: false }\ncanaries: { enabled: false }\n`,
    );
    await server.start("--no-demo");
  }, start_ms);
  afterAll(async () => {
    await server?.remove();
    line?.close();
    if (opensearch === undefined) return;
    const url = `http://${opensearch.host}:${opensearch.port}`;
    await fetch(`${url}/${prefix}-*`, { method: "DELETE" });
    await fetch(`${url}/_index_template/${prefix}`, { method: "DELETE" });
  });

  const failures = (from: number, to: number) =>
    Array.from(
      { length: to - from },
      (_, i) =>
        `Nov 20 06:00:${String(i % 60).padStart(2, "0")} node1 sshd[7]: Failed password for user${from + i} from 198.51.100.7 port ${40_000 + i} ssh2`,
    ).join("\n");
  const ingest = async (from: number, to: number) =>
    expect((await server.fetch("/ingest/auth", { method: "POST", body: failures(from, to) })).status).toBeLessThan(300);
  const users = async () => (await server.events<Found>("user.name:*")).map(({ fields }) => String(fields["user.name"]));
  const wanted = (to: number) => Array.from({ length: to }, (_, i) => `user${i}`).sort();

  test(
    "accepts, detects and says why it waits while the cluster is away; stores everything once it is back",
    async () => {
      await ingest(0, 5);
      await server.until(users, (found) => found.length === 5);
      line.breakAll();
      await ingest(5, 40);
      const problems = async () => (await server.get<{ problems: { code: string; message: string }[] }>("/api/v1/status")).problems;
      const said = await server.until(problems, (list) => list.some(({ code }) => code === "output_blocked"));
      expect(said.find(({ code }) => code === "output_blocked")?.message).toMatch(/OpenSearch at .* does not answer .*opensearch\.url/);
      expect((await server.fetch("/readyz")).status).toBe(503);
      line.cut = false;
      const found = await server.until(users, (list) => list.length >= 40);
      expect(found.sort()).toEqual(wanted(40));
      await server.until(problems, (list) => !list.some(({ code }) => code === "output_blocked"));
      const { alerts } = await server.until(
        () => server.get<{ alerts: { evidence: unknown[] }[] }>("/api/v1/alerts"),
        ({ alerts }) => alerts.length > 0,
      );
      expect(alerts).toHaveLength(1);
    },
    start_ms,
  );

  test("doctor says how the cluster is", async () => {
    const { stdout } = await vedette(["doctor", "--config", join(server.directory, "vedette.yaml"), "--data-dir", server.data], {
      cwd: server.directory,
    });
    expect(stdout).toMatch(/ok {3}events on OpenSearch: OpenSearch 2\.\d+\.\d+, (green|yellow), \d+ indices/);
  });
});
