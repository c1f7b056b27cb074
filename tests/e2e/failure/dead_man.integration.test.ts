/** The second path: while detection works a receiver elsewhere is told so; when it stops, the receiver hears why, and nothing else until it works again. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { Vedette } from "../vedette.ts";
import { eventually } from "./seeds.ts";
import { absent, OwnServer } from "./servers.ts";

interface Beat {
  readonly what: "alive" | "stopped";
  readonly why?: string;
}

/** Somebody else's service. */
async function receiving() {
  const beats: Beat[] = [];
  const server = createServer(async (request, answer) => {
    let body = "";
    for await (const part of request) body += String(part);
    beats.push(JSON.parse(body) as Beat);
    answer.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { beats, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/beat` };
}

describe.skipIf(absent(["postgres"]).length > 0)("a dead man's switch", () => {
  test("detection that stands still is told, and not called alive until it goes on", { timeout: 1_200_000 }, async () => {
    const { beats, server, url } = await receiving();
    const postgres = new OwnServer("postgres");
    await postgres.start();
    const database = `db: ${postgres.fact("database")}, user: ${postgres.fact("user")}, password: ${postgres.fact("password")}`;
    const v = new Vedette(
      [
        "state: { driver: postgres }",
        `postgres: { host: ${postgres.host}, port: ${postgres.port}, ${database}, statement_timeout_s: 3, connect_timeout_s: 3 }`,
        `heartbeat: { url: "${url}", stopped_url: "${url}", every_s: 5 }`,
        "",
      ].join("\n"),
    );
    const next = async (what: Beat["what"]): Promise<Beat> => {
      const from = beats.length;
      const beat = await eventually(
        async () => beats.slice(from).find((one) => one.what === what),
        (one) => one !== undefined,
      );
      if (beat === undefined)
        throw new Error(`"${what}" was not told, but ${JSON.stringify(beats.slice(from))}\n${v.output.slice(-3_000)}`);
      return beat;
    };
    try {
      await v.start("--no-demo");
      await next("alive");
      // its process runs and answers; only nothing is detected any more
      postgres.hold();
      const stopped = await next("stopped");
      expect(stopped.why).toMatch(/not ready|no canary came through/);
      const since = beats.length;
      await next("stopped");
      expect(beats.slice(since).map(({ what }) => what)).not.toContain("alive");
      expect((await v.fetch("/healthz")).status).toBe(200);
      postgres.goOn();
      await next("alive");
    } finally {
      postgres.goOn();
      await v.remove();
      await postgres.remove();
      server.close();
    }
  });
});
