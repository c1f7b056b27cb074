/** OTLP over gRPC on one HTTP/2 connection: unary calls, five-byte frames, trailers. Knows no record. */
import { hash, timingSafeEqual } from "node:crypto";
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { type Clock, type Intake, UnavailableError, VedetteError } from "@vedette/kit";
import { bodyCaps, readBody } from "../body.ts";
import { writeMessage } from "../protobuf.ts";
import { type ListenContext, type ListenOptions, listen } from "../tcp.ts";
import { logs, metrics, type Signal, traces } from "./messages.ts";
import { codes, receiveExport, rejectedBecause } from "./receive.ts";

interface GrpcOptions extends ListenOptions {
  readonly maxMessageBytes: number;
  readonly maxRecordBytes: number;
  /** Callers must bring it as `authorization: Bearer …`. */
  readonly token: string | undefined;
}

const service = (name: string) => `/opentelemetry.proto.collector.${name}Service/Export`;
/** By path; streams are called as over HTTP. */
const signals = new Map<string, readonly [stream: string, signal: Signal]>([
  [service("logs.v1.Logs"), ["/v1/logs", logs]],
  [service("metrics.v1.Metrics"), ["/v1/metrics", metrics]],
  [service("trace.v1.Trace"), ["/v1/traces", traces]],
]);

/** Calls of one connection at once: a collector has ten senders by default. */
const maxCalls = 64;
/** A flag, and the message's length. */
const frameHead = 5;

interface Status {
  readonly code: number;
  readonly message: string;
  readonly retryAfter_s?: number;
}
class Refused extends Error {
  readonly status: Status;
  constructor(code: number, message: string) {
    super(message);
    this.status = { code, message };
  }
}

type Call = GrpcOptions & { readonly intake: Intake; readonly clock: Clock };

/** Resolves when `signal` has aborted and everything that was read is handed on. */
export const listenGrpc = (options: GrpcOptions, context: ListenContext): Promise<void> =>
  listen({ ...options, protocols: ["h2"] }, context, (socket) => serve(socket, { ...options, ...context }));

/** Resolves when the connection has ended and every call on it. */
async function serve(socket: Socket, options: Call): Promise<void> {
  const session: ServerHttp2Session = performServerHandshake(socket, { settings: { maxConcurrentStreams: maxCalls } });
  const calls = new Set<Promise<void>>();
  // the socket ends with it, and that is what is waited for
  session.on("error", () => {});
  session.on("stream", (stream, headers) => {
    // a caller that has gone is no trouble of ours
    stream.on("error", () => {});
    const call = answer(stream, headers, socket.remoteAddress, options).finally(() => calls.delete(call));
    calls.add(call);
  });
  await new Promise<void>((resolve) => session.once("close", resolve));
  await Promise.allSettled(calls);
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string | undefined, options: Call): Promise<void> {
  if (!/^application\/grpc(?:\+proto)?(?:;|$)/.test(headers["content-type"] ?? "")) {
    stream.respond({ ":status": 415 }, { endStream: true });
    return;
  }
  try {
    const body = await take(stream, headers, peer, options);
    if (stream.destroyed) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const head = Buffer.alloc(frameHead);
    head.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([head, body]));
  } catch (error) {
    if (!stream.destroyed) refuse(stream, statusOf(error));
  }
}

/** The answer's message. */
async function take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, peer: string | undefined, options: Call): Promise<Buffer> {
  const [name, signal] = signals.get(headers[":path"] as string) ?? [];
  if (name === undefined || signal === undefined) throw new Refused(codes.unimplemented, "only the Export calls of OTLP are answered here");
  if (options.token !== undefined && !isToken(headers.authorization, options.token))
    throw new Refused(codes.unauthenticated, "expected authorization: Bearer TOKEN");
  const body = await messageOf(stream, headers["grpc-encoding"] as string | undefined, options.maxMessageBytes);
  const { intake, clock, maxRecordBytes } = options;
  const taken = await receiveExport(body, "protobuf", signal, { intake, clock, stream: name, peer, maxRecordBytes });
  if (typeof taken === "string") throw new Refused(codes.invalid, taken);
  return taken === 0 ? Buffer.alloc(0) : writeMessage([1, writeMessage([1, taken], [2, rejectedBecause])]);
}

/** The one message of the call, decompressed. */
async function messageOf(stream: ServerHttp2Stream, encoding: string | undefined, cap: number): Promise<Buffer> {
  const frame = await readBody({ headers: {}, body: stream }, { ...bodyCaps, bytes: cap + frameHead });
  if (frame.length < frameHead || frame.readUInt32BE(1) !== frame.length - frameHead)
    throw new Refused(codes.invalid, "expected one message in a frame of its length");
  const message = frame.subarray(frameHead);
  if (frame[0] === 0) return message;
  async function* whole() {
    yield message;
  }
  const read = { headers: { "content-encoding": encoding }, body: whole() };
  return readBody(read, { ...bodyCaps, wireBytes: cap, bytes: cap });
}

// hashes are of one length, so that comparing them tells nothing
const isToken = (given: string | undefined, token: string): boolean =>
  timingSafeEqual(hash("sha256", given ?? "", "buffer"), hash("sha256", `Bearer ${token}`, "buffer"));

function statusOf(error: unknown): Status {
  if (error instanceof Refused) return error.status;
  if (error instanceof UnavailableError) {
    const { code, message } = error;
    if (code === "backpressure") return { code: codes.exhausted, message, retryAfter_s: 1 };
    return { code: codes.unavailable, message, retryAfter_s: code === "log_full" ? 30 : 5 };
  }
  if (error instanceof VedetteError) return { code: error.code === "too_large" ? codes.exhausted : codes.invalid, message: error.message };
  return { code: codes.internal, message: "the call failed" };
}

/** Without RetryInfo, RESOURCE_EXHAUSTED is not sent again: right for what is too large, wrong for a full queue (OTLP, "Failures"). */
function refuse(stream: ServerHttp2Stream, { code, message, retryAfter_s }: Status): void {
  const retry = retryAfter_s === undefined ? undefined : writeMessage([1, writeMessage([1, retryAfter_s])]);
  const details = retry && writeMessage([1, "type.googleapis.com/google.rpc.RetryInfo"], [2, retry]);
  const status = details && writeMessage([1, code], [2, message], [3, details]);
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": String(code),
      "grpc-message": encodeURIComponent(message.slice(0, 500)),
      ...(status ? { "grpc-status-details-bin": status.toString("base64").replace(/=+$/, "") } : {}),
    },
    { endStream: true },
  );
}
