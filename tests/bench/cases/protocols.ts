/** A request's body → records → durable in the log → the answer, per protocol: events per CPU second of the whole process, its log's thread included. HTTP's own parsing and what happens to records afterwards are left out. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { endpoints } from "@vedette/ingest";
import { systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { formats } from "@vedette/normalise";
import { Intakes } from "@vedette/pipeline";
import { temporary } from "../corpus.ts";
import { costOf, print, say } from "../harness.ts";

/** The goals, events per CPU second. */
const goals = { _bulk: 30_000, otlp: 30_000 };
const perRequest = 1_000;
/** Senders have several requests under way. */
const atOnce = 4;

const message = (n: number) => `Nov 21 06:00:00 node1 sshd[7]: Failed password for root from 198.51.100.${n % 250} port ${n % 60_000} ssh2`;
const requests: {
  readonly [name in keyof typeof goals]: {
    readonly endpoint: string;
    readonly path: string;
    readonly type: string;
    readonly body: (from: number) => string;
  };
} = {
  _bulk: {
    endpoint: "elasticsearch",
    path: "/logs/_bulk",
    type: "application/x-ndjson",
    body: (from) =>
      Array.from(
        { length: perRequest },
        (_, i) =>
          `{"create":{"_id":"d${from + i}"}}\n${JSON.stringify({ "@timestamp": "2026-11-21T06:00:00Z", message: message(from + i) })}\n`,
      ).join(""),
  },
  otlp: {
    endpoint: "otlp",
    path: "/v1/logs",
    type: "application/json",
    body: (from) => {
      const logRecords = Array.from({ length: perRequest }, (_, i) => ({
        timeUnixNano: `${1_795_000_000_000_000_000n + BigInt(from + i)}`,
        severityNumber: 9,
        body: { stringValue: message(from + i) },
      }));
      return JSON.stringify({
        resourceLogs: [
          { resource: { attributes: [{ key: "service.name", value: { stringValue: "sshd" } }] }, scopeLogs: [{ logRecords }] },
        ],
      });
    },
  },
};

export async function bench(events = 100_000): Promise<void> {
  const known = await endpoints();
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "protocols-"));
  const log = await openLog({ directory });
  const details: { [name: string]: number | string } = { events, goal_bulk: goals._bulk, goal_otlp: goals.otlp };
  let least = Number.POSITIVE_INFINITY;
  try {
    const seen = new Set<string>();
    const intakes = new Intakes({
      log,
      clock: systemClock,
      formats: await formats(),
      program: () => "bench",
      tenant: "main",
      counts: new Map(),
      seen: {
        add: (id: string) => !seen.has(id) && seen.add(id) !== undefined,
        has: (id: string) => seen.has(id),
        delete: (id: string) => seen.delete(id),
      } as never,
      known: Promise.resolve(),
    });
    const context = { intake: (source: string) => intakes.open({ source }), clock: systemClock, warn: () => {} };
    for (const name of Object.keys(goals) as (keyof typeof goals)[]) {
      const { endpoint, path, type, body } = requests[name];
      const spec = known.get(endpoint)!;
      const config = spec.config.parse({});
      const bodies = Array.from({ length: Math.ceil(events / perRequest) }, (_, i) => Buffer.from(body(i * perRequest)));
      let next = 0;
      const sender = async () => {
        for (let bytes = bodies[next++]; bytes !== undefined; bytes = bodies[next++]) {
          const piece = bytes;
          async function* pieces() {
            for (let at = 0; at < piece.length; at += 65_536) yield piece.subarray(at, at + 65_536);
          }
          const request = {
            method: "POST",
            path,
            query: new URLSearchParams(),
            headers: { "content-type": type },
            body: pieces(),
            peer: "192.0.2.1",
          };
          const { status } = await spec.handle(request, config, context as never);
          if (status !== 200) throw new Error(`${name}: ${status}`);
        }
      };
      const { cpu_s, wall_s } = await costOf(async () => void (await Promise.all(Array.from({ length: atOnce }, sender))));
      const rate = (bodies.length * perRequest) / cpu_s;
      details[`${name}_per_cpu_s`] = rate;
      details[`${name}_per_wall_s`] = (bodies.length * perRequest) / wall_s;
      least = Math.min(least, rate / goals[name]);
      say(`${name}: ${Math.round(rate)} events per CPU second`);
    }
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
  details["load_average"] = loadavg()[0]!;
  print({ name: "protocols", value: least, unit: "times the goal, of the protocol that is furthest from its own", baseline: 1, details });
}
