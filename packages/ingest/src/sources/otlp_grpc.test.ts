import { once } from "node:events";
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from "node:http2";
import { gzipSync } from "node:zlib";
import { systemClock } from "@vedette/kit";
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../address.ts";
import { listenGrpc } from "../otlp/grpc.ts";
import { double, fixed64, message, text, varint } from "../protobuf.fixture.ts";
import { RecordingIntake } from "../recording.fixture.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(more: { readonly token?: string; readonly maxMessageBytes?: number } = {}) {
  const intake = new RecordingIntake();
  const stop = new AbortController();
  const bound = Promise.withResolvers<Address>();
  const address = { host: "127.0.0.1", port: 0 };
  const limits = { maxConnections: 10, idle_ms: 60_000, maxMessageBytes: 100_000, maxRecordBytes: 50_000 };
  const ended = listenGrpc(
    { name: "OTLP gRPC", address, token: undefined, ...limits, listening: bound.resolve, ...more },
    { name: "test", intake, clock: systemClock, warn: () => {}, signal: stop.signal },
  );
  const { port } = await bound.promise;
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  stops.push(async () => {
    session.destroy();
    stop.abort();
    await ended;
  });
  return { intake, call: (path: string, body: Uint8Array, headers = {}) => call(session, path, body, headers), session };
}

interface Answer {
  readonly http: number;
  readonly status: string | undefined;
  readonly message: string | undefined;
  readonly details: Buffer | undefined;
  readonly body: Buffer;
}
const framed = (body: Uint8Array, flag = 0) => {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
};
async function call(session: ClientHttp2Session, path: string, body: Uint8Array, headers: object): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers", ...headers });
  stream.end(body);
  let trailers: IncomingHttpHeaders = {};
  stream.on("trailers", (all) => {
    trailers = all;
  });
  const [response] = (await once(stream, "response")) as [IncomingHttpHeaders & { ":status": number }];
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  const all = { ...response, ...trailers };
  const details = all["grpc-status-details-bin"];
  return {
    http: response[":status"],
    status: all["grpc-status"] as string | undefined,
    message: all["grpc-message"] as string | undefined,
    details: typeof details === "string" ? Buffer.from(details, "base64") : undefined,
    body: Buffer.concat(parts),
  };
}

const exportOf = (name: string) => `/opentelemetry.proto.collector.${name}Service/Export`;
const log = message(1, message(2, message(2, text(3, "INFO"))));
const gauge = message(
  1,
  message(2, message(2, text(1, "load"), message(5, message(1, fixed64(3, 1_714_557_600_000_000_000n), double(4, 0.5))))),
);
const span = message(1, message(2, message(2, text(5, "GET /"), varint(6, 2))));

describe("one call", () => {
  test.each([
    ["logs.v1.Logs", log, "resourceLogs"],
    ["metrics.v1.Metrics", gauge, "resourceMetrics"],
    ["trace.v1.Trace", span, "resourceSpans"],
  ])("%s: taken, and answered by an empty message and status 0", async (name, body, list) => {
    const { intake, call } = await start();
    const answer = await call(exportOf(name), framed(body));
    expect(answer).toEqual({ http: 200, status: "0", message: undefined, details: undefined, body: framed(Buffer.alloc(0)) });
    expect(intake.texts.map((one) => Object.keys(JSON.parse(one)))).toEqual([[list]]);
    expect(intake.records[0]!.peer).toBe("127.0.0.1");
  });

  test("compressed with gzip", async () => {
    const { intake, call } = await start();
    expect((await call(exportOf("logs.v1.Logs"), framed(gzipSync(log), 1), { "grpc-encoding": "gzip" })).status).toBe("0");
    expect(intake.records).toHaveLength(1);
  });

  test("a record that is too large is counted in partial_success", async () => {
    const { call } = await start();
    const large = message(1, message(2, message(2, text(3, "x".repeat(99_900)))));
    const { status, body } = await call(exportOf("logs.v1.Logs"), framed(large));
    expect([status, body.subarray(5, 9)]).toEqual(["0", Buffer.from([0x0a, body.length - 7, 0x08, 1])]);
  });

  test("many at once on one connection", async () => {
    const { intake, call } = await start();
    const answers = await Promise.all(Array.from({ length: 60 }, () => call(exportOf("logs.v1.Logs"), framed(log))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(["0"]));
    expect(intake.records).toHaveLength(60);
  });
});

describe("what is not taken", () => {
  test("no room is RESOURCE_EXHAUSTED with RetryInfo: it is sent again", async () => {
    const { intake, call } = await start();
    intake.refuse = 1;
    const { status, details } = await call(exportOf("logs.v1.Logs"), framed(log));
    expect([status, details!.includes("type.googleapis.com/google.rpc.RetryInfo")]).toEqual(["8", true]);
    expect((await call(exportOf("logs.v1.Logs"), framed(log))).status).toBe("0");
  });

  test.each([
    ["another service", "/a.b/C", framed(log), {}, "12"],
    ["no frame", exportOf("logs.v1.Logs"), Buffer.from("abc"), {}, "3"],
    ["a frame of another length", exportOf("logs.v1.Logs"), framed(log).subarray(0, -1), {}, "3"],
    ["no protobuf", exportOf("logs.v1.Logs"), framed(Buffer.from("no protobuf")), {}, "3"],
    ["no gzip", exportOf("logs.v1.Logs"), framed(log, 1), { "grpc-encoding": "gzip" }, "3"],
    ["a bomb", exportOf("logs.v1.Logs"), framed(gzipSync(Buffer.alloc(9_000_000)), 1), { "grpc-encoding": "gzip" }, "8"],
    ["too much", exportOf("logs.v1.Logs"), framed(Buffer.alloc(100_001)), {}, "8"],
  ])("%s, and the connection goes on", async (_, path, body, headers, status) => {
    const { call } = await start();
    const answer = await call(path, body, headers);
    expect([answer.status, answer.details]).toEqual([status, undefined]);
    expect((await call(exportOf("logs.v1.Logs"), framed(log))).status).toBe("0");
  });

  test("another content type is HTTP's 415", async () => {
    const { call } = await start();
    expect((await call(exportOf("logs.v1.Logs"), framed(log), { "content-type": "application/json" })).http).toBe(415);
  });

  test("without the token, or with another one", async () => {
    const { intake, call } = await start({ token: "right" });
    expect((await call(exportOf("logs.v1.Logs"), framed(log))).status).toBe("16");
    expect((await call(exportOf("logs.v1.Logs"), framed(log), { authorization: "Bearer wrong" })).status).toBe("16");
    expect(intake.records).toEqual([]);
    expect((await call(exportOf("logs.v1.Logs"), framed(log), { authorization: "Bearer right" })).status).toBe("0");
  });

  test("a caller that goes away mid-call harms nobody", async () => {
    const { call, session } = await start();
    const stream = session.request({ ":method": "POST", ":path": exportOf("logs.v1.Logs"), "content-type": "application/grpc" });
    stream.on("error", () => {});
    stream.write(framed(log).subarray(0, 3));
    stream.close();
    expect((await call(exportOf("logs.v1.Logs"), framed(log))).status).toBe("0");
  });
});
