/** The `otlp` endpoint: OpenTelemetry's logs and spans over HTTP, as protobuf or JSON. What a record means is the format's business. */
import { defineEndpoint, type EndpointContext, type EndpointRequest, type EndpointResponse, z } from "@vedette/kit";
import type { Flaw } from "@vedette/model";
import { batchesOf, flawedRecord } from "../batch.ts";
import { bodyCaps, readBody, senderFault } from "../body.ts";
import { bodyBytes, recordBytes, sourceName } from "../endpoint_config.ts";
import { oneDocument } from "../json_scan.ts";
import { nonce } from "../nonce.ts";
import { ExportCutter, isExport } from "../otlp/export.ts";
import { logs, type Signal, traces } from "../otlp/messages.ts";
import { NotProtobuf, readMessage, type Told, writeMessage } from "../otlp/protobuf.ts";

const config = z.strictObject({
  source: sourceName("otlp", "the records"),
  // The collector's own HTTP receiver takes 20 MiB; its exporters and the SDKs send batches below 4 MiB.
  max_body_bytes: bodyBytes(16 * 1024 ** 2, 256 * 1024 ** 2),
  max_record_bytes: recordBytes("record in bytes, as JSON"),
});
type Options = z.output<typeof config>;

/** gRPC's codes, as google.rpc.Status carries them. */
const invalid = 3;
const denied = 7;
const exhausted = 8;
const unimplemented = 12;
const unavailable = 14;
const unauthenticated = 16;

const signals = new Map<string, Signal>([
  ["/v1/logs", logs],
  ["/v1/traces", traces],
]);

type Type = "application/json" | "application/x-protobuf";
/** How the sender writes, and so how it is answered: an answer of another type makes collectors send again. */
function typeOf(headers: EndpointRequest["headers"]): Type | undefined {
  const type = headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf" || type === "application/protobuf") return "application/x-protobuf";
  return type === "application/json" ? type : undefined;
}

export default defineEndpoint({
  name: "otlp",
  summary: "Takes OpenTelemetry's logs and spans over HTTP, as protobuf or JSON.",
  description:
    "`/v1/logs` and `/v1/traces` answer in the request's type once everything is durable. Records that are too large or no records are kept as dead letters and counted in `partial_success`. " +
    "When too much is waiting the answer is 429, when the log cannot be written 503, both with Retry-After; other errors are not to be sent again. `/v1/metrics` answers 501: metrics are not taken. " +
    "OTLP has no ids, so what is sent again after a lost answer is stored again.",
  stability: "beta",
  config,
  routes: ["/v1/logs", "/v1/traces", "/v1/metrics"].map((path) => ({ method: "POST" as const, path })),
  examples: [
    {
      title: "A log record as JSON",
      config: {},
      request:
        'POST /v1/logs\nContent-Type: application/json\n\n{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}',
      status: 200,
    },
    { title: "An empty export as protobuf", config: {}, request: "POST /v1/traces\nContent-Type: application/x-protobuf\n\n", status: 200 },
    { title: "Another type", config: {}, request: "POST /v1/logs\nContent-Type: text/plain\n\na", status: 415 },
    { title: "Metrics", config: {}, request: "POST /v1/metrics\nContent-Type: application/json\n\n{}", status: 501 },
  ],
  async handle(request, options, context) {
    const type = typeOf(request.headers);
    const signal = signals.get(request.path);
    if (signal === undefined) return failure(501, unimplemented, "metrics are not taken here; send logs and traces", type);
    if (type === undefined) return failure(415, invalid, "Content-Type is neither application/x-protobuf nor application/json", type);
    try {
      return await take(request, type, signal, options, context);
    } catch (error) {
      const { code, message } = senderFault(error);
      return failure(code === "too_large" ? 413 : 400, invalid, message, type);
    }
  },
  refuse({ status, message }, { headers }) {
    const code = { 401: unauthenticated, 403: denied, 429: exhausted }[status] ?? unavailable;
    return failure(status, code, message, typeOf(headers));
  },
});

function failure(status: number, code: number, message: string, type: Type = "application/json"): EndpointResponse {
  const body = type === "application/json" ? JSON.stringify({ code, message }) : writeMessage([1, code], [2, message]);
  return { status, headers: { "content-type": type }, body };
}

async function take(
  request: EndpointRequest,
  type: Type,
  signal: Signal,
  options: Options,
  context: EndpointContext,
): Promise<EndpointResponse> {
  const wireBytes = Math.min(bodyCaps.wireBytes, options.max_body_bytes);
  const body = await readBody(request, { ...bodyCaps, wireBytes, bytes: options.max_body_bytes });
  const intake = context.intake(options.source);
  const cut = { token: nonce(context.clock), maxRecordBytes: options.max_record_bytes, peer: request.peer };
  const read = type === "application/json" ? readJson(body) : readProtobuf(body, signal);
  if (typeof read === "string" || !isExport(read, signal)) {
    const problem = typeof read === "string" ? read : `"${signal.outer}" is not a list`;
    const flaw: Flaw = { code: "bad_request", expected: `an OTLP export with ${signal.outer}: ${problem}` };
    await intake.accept([flawedRecord(`${cut.token}:0`, body, flaw, options.max_record_bytes, request.peer)], { stream: request.path });
    return failure(400, invalid, problem, type);
  }
  const cutter = new ExportCutter(signal, cut);
  for (const batch of batchesOf(cutter.records(read))) await intake.accept(batch.records, { stream: request.path });
  return success(signal, cutter.rejected, type);
}

/** The request, or what is wrong with it. */
function readJson(body: Buffer): unknown {
  const document = oneDocument(body);
  if (document === undefined) return "the body is not one JSON document nested at most 64 deep";
  return typeof document === "string" ? "the body is a text" : document;
}
function readProtobuf(body: Buffer, signal: Signal): Told | string {
  try {
    return readMessage(body, signal.request);
  } catch (error) {
    if (!(error instanceof NotProtobuf)) throw error;
    return error.message;
  }
}

function success(signal: Signal, rejected: number, type: Type): EndpointResponse {
  const message = "too large, or no records; kept as dead letters";
  if (type === "application/json") {
    const body = rejected === 0 ? {} : { partialSuccess: { [signal.rejected]: String(rejected), errorMessage: message } };
    return { status: 200, headers: { "content-type": type }, body: JSON.stringify(body) };
  }
  const body = rejected === 0 ? Buffer.alloc(0) : writeMessage([1, writeMessage([1, rejected], [2, message])]);
  return { status: 200, headers: { "content-type": type }, body };
}
