/**
 * A request's body → records → durable in the log → the answer, per protocol: events per CPU second of the whole process, its log's thread included. HTTP's
 * own parsing and what happens to records afterwards are left out; forward comes by a real connection, whose sender is in the same process and counted.
 */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { loadavg } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { endpoints } from "@vedette/ingest";
import { type Intake, systemClock } from "@vedette/kit";
import { openLog } from "@vedette/log";
import { formats } from "@vedette/normalise";
import { Intakes } from "@vedette/pipeline";
import { listenForward } from "../../../packages/ingest/src/forward/tcp.ts";
import { temporary } from "../corpus.ts";
import { exported, forwardChunk, forwardEntry, gauge, logRecord, span } from "../exported.ts";
import { costOf, print, say } from "../harness.ts";

/** The goals, events per CPU second. A data point counts as an event. */
const goals = { _bulk: 30_000, otlp: 30_000, forward: 40_000 };
const perRequest = 1_000;
/** Senders have several requests under way. */
const atOnce = 4;

const message = (n: number) => `Nov 21 06:00:00 node1 sshd[7]: Failed password for root from 198.51.100.${n % 250} port ${n % 60_000} ssh2`;
const numbered = <T>(from: number, one: (n: number) => T): T[] => Array.from({ length: perRequest }, (_, i) => one(from + i));
const nanos = (n: number) => 1_795_000_000_000_000_000n + BigInt(n) * 1_000_000n;
const attributes = { "service.name": "shop", "host.name": "node1", "service.version": "1.4.2" };
const protobuf = "application/x-protobuf";

interface Request {
  readonly goal: keyof typeof goals;
  readonly endpoint: string;
  readonly path: string;
  readonly type: string;
  readonly body: (from: number) => string | Buffer;
}
const requests: { readonly [name: string]: Request } = {
  _bulk: {
    goal: "_bulk",
    endpoint: "elasticsearch",
    path: "/logs/_bulk",
    type: "application/x-ndjson",
    body: (from) =>
      numbered(
        from,
        (n) => `{"create":{"_id":"d${n}"}}\n${JSON.stringify({ "@timestamp": "2026-11-21T06:00:00Z", message: message(n) })}\n`,
      ).join(""),
  },
  otlp_logs_json: {
    goal: "otlp",
    endpoint: "otlp",
    path: "/v1/logs",
    type: "application/json",
    body: (from) => {
      const logRecords = numbered(from, (n) => ({
        timeUnixNano: String(nanos(n)),
        severityNumber: 9,
        body: { stringValue: message(n) },
      }));
      return JSON.stringify({
        resourceLogs: [
          { resource: { attributes: [{ key: "service.name", value: { stringValue: "sshd" } }] }, scopeLogs: [{ logRecords }] },
        ],
      });
    },
  },
  otlp_logs: {
    goal: "otlp",
    endpoint: "otlp",
    path: "/v1/logs",
    type: protobuf,
    body: (from) =>
      exported(
        attributes,
        numbered(from, (n) => logRecord(nanos(n), message(n), { "log.file.path": "/var/log/auth.log", "process.pid": n })),
      ),
  },
  otlp_traces: {
    goal: "otlp",
    endpoint: "otlp",
    path: "/v1/traces",
    type: protobuf,
    body: (from) =>
      exported(
        attributes,
        numbered(from, (n) =>
          span(n, nanos(n), { "http.request.method": "GET", "url.path": `/cart/${n}`, "http.response.status_code": 200 }),
        ),
      ),
  },
  otlp_metrics: {
    goal: "otlp",
    endpoint: "otlp",
    path: "/v1/metrics",
    type: protobuf,
    body: (from) =>
      exported(attributes, [
        gauge(
          "system.cpu.utilization",
          numbered(from, (n) => [nanos(n), n / 7, { cpu: `cpu${n % 64}` }] as const),
        ),
      ]),
  },
};

export async function bench(events = 100_000): Promise<void> {
  const known = await endpoints();
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "protocols-"));
  const log = await openLog({ directory });
  const details: { [name: string]: number | string } = {
    events,
    goal_bulk: goals._bulk,
    goal_otlp: goals.otlp,
    goal_forward: goals.forward,
  };
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
    const measure = async (name: string, goal: keyof typeof goals, bodies: readonly Buffer[], send: (body: Buffer) => Promise<void>) => {
      let next = 0;
      const sender = async () => {
        for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) await send(body);
      };
      const { cpu_s, wall_s } = await costOf(async () => void (await Promise.all(Array.from({ length: atOnce }, sender))));
      const rate = (bodies.length * perRequest) / cpu_s;
      details[`${name}_per_cpu_s`] = rate;
      details[`${name}_per_wall_s`] = (bodies.length * perRequest) / wall_s;
      least = Math.min(least, rate / goals[goal]);
      say(`${name}: ${Math.round(rate)} events per CPU second`);
    };
    const bodiesOf = (body: (from: number) => string | Buffer) =>
      Array.from({ length: Math.ceil(events / perRequest) }, (_, i) => Buffer.from(body(i * perRequest)));

    for (const [name, { goal, endpoint, path, type, body }] of Object.entries(requests)) {
      const spec = known.get(endpoint)!;
      const config = spec.config.parse({});
      await measure(name, goal, bodiesOf(body), async (bytes) => {
        async function* pieces() {
          for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
        }
        const headers = { "content-type": type };
        const request = { method: "POST", path, query: new URLSearchParams(), headers, body: pieces(), peer: "192.0.2.1" };
        const { status } = await spec.handle(request, config, context as never);
        if (status !== 200) throw new Error(`${name}: ${status}`);
      });
    }
    await withForward(intakes.open({ source: "forward" }), async (port) => {
      const sockets = await Promise.all(
        Array.from({ length: atOnce }, async () => {
          const socket = connect(port, "127.0.0.1");
          await once(socket, "connect");
          return socket;
        }),
      );
      for (const [name, body] of Object.entries(forwarded)) {
        await measure(name, "forward", bodiesOf(body), async (bytes) => {
          const socket = sockets.pop()!;
          socket.write(bytes);
          await once(socket, "data");
          sockets.push(socket);
        });
      }
      for (const socket of sockets) socket.destroy();
    });
  } finally {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  }
  details["load_average"] = loadavg()[0]!;
  print({ name: "protocols", value: least, unit: "times the goal, of the protocol that is furthest from its own", baseline: 1, details });
}

/** A chunk as Fluentd and Fluent Bit send it, with an id, so that it is acknowledged. */
const chunk = (from: number, compress: (entries: Buffer) => Buffer, options: { readonly [option: string]: string }): Buffer =>
  forwardChunk(
    "auth",
    compress(Buffer.concat(numbered(from, (n) => forwardEntry(1_795_000_000 + n, { host: "node1", message: message(n) })))),
    {
      ...options,
      chunk: `${options["compressed"] ?? "plain"}${from}`,
    },
  );
const forwarded: { readonly [name: string]: (from: number) => Buffer } = {
  forward: (from) => chunk(from, (entries) => entries, {}),
  forward_gzip: (from) => chunk(from, (entries) => gzipSync(entries), { compressed: "gzip" }),
};

async function withForward(intake: Intake, use: (port: number) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const bound = Promise.withResolvers<{ readonly port: number }>();
  const ended = listenForward(
    {
      name: "forward",
      address: { host: "127.0.0.1", port: 0 },
      key: undefined,
      maxConnections: atOnce,
      idle_ms: 600_000,
      maxMessageBytes: 16 * 1024 ** 2,
      maxRecordBytes: 1024 ** 2,
      listening: bound.resolve,
    },
    { name: "forward", intake, clock: systemClock, warn: (code, told) => say(`${code}: ${told}`), signal: stop.signal },
  );
  try {
    await use((await bound.promise).port);
  } finally {
    stop.abort();
    await ended;
  }
}
