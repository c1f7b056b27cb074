/** The `otlp` endpoint: OpenTelemetry's logs, metrics and spans over HTTP, as protobuf or JSON. What a record means is the format's business. */
import { defineEndpoint, type EndpointContext, type EndpointRequest, type EndpointResponse, z } from "@vedette/kit";
import { bodyCaps, readBody, senderFault } from "../body.ts";
import { bodyBytes, recordBytes, sourceName } from "../endpoint_config.ts";
import { logs, metrics, type Signal, traces } from "../otlp/messages.ts";
import { codes, receiveExport, rejectedBecause } from "../otlp/receive.ts";
import { writeMessage } from "../protobuf.ts";

const config = z.strictObject({
  source: sourceName("otlp", "the records"),
  // The collector's own HTTP receiver takes 20 MiB; its exporters and the SDKs send batches below 4 MiB.
  max_body_bytes: bodyBytes(16 * 1024 ** 2, 256 * 1024 ** 2),
  max_record_bytes: recordBytes("record in bytes, as JSON"),
});
type Options = z.output<typeof config>;

const signals = new Map<string, Signal>([
  ["/v1/logs", logs],
  ["/v1/metrics", metrics],
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
  summary: "Takes OpenTelemetry's logs, metrics and spans over HTTP, as protobuf or JSON.",
  description:
    "`/v1/logs`, `/v1/metrics` and `/v1/traces` answer in the request's type once everything is durable. Records that are too large or no records are kept as dead letters and counted in `partial_success`. " +
    "When too much is waiting the answer is 429, when the log cannot be written 503, both with Retry-After; other errors are not to be sent again. " +
    "OTLP has no ids, so logs and spans that are sent again after a lost answer are stored again; a metric's points are known by series and time.",
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
    { title: "Metrics", config: {}, request: 'POST /v1/metrics\nContent-Type: application/json\n\n{"resourceMetrics":[]}', status: 200 },
  ],
  async handle(request, options, context) {
    const type = typeOf(request.headers);
    const signal = signals.get(request.path)!;
    if (type === undefined) return failure(415, codes.invalid, "Content-Type is neither application/x-protobuf nor application/json", type);
    try {
      return await take(request, type, signal, options, context);
    } catch (error) {
      const { code, message } = senderFault(error);
      return failure(code === "too_large" ? 413 : 400, codes.invalid, message, type);
    }
  },
  refuse({ status, message }, { headers }) {
    const code = { 401: codes.unauthenticated, 403: codes.denied, 429: codes.exhausted }[status] ?? codes.unavailable;
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
  const taken = await receiveExport(body, type === "application/json" ? "json" : "protobuf", signal, {
    intake: context.intake(options.source),
    clock: context.clock,
    stream: request.path,
    peer: request.peer,
    maxRecordBytes: options.max_record_bytes,
  });
  return typeof taken === "string" ? failure(400, codes.invalid, taken, type) : success(signal, taken, type);
}

function success(signal: Signal, rejected: number, type: Type): EndpointResponse {
  if (type === "application/json") {
    const body = rejected === 0 ? {} : { partialSuccess: { [signal.rejected]: String(rejected), errorMessage: rejectedBecause } };
    return { status: 200, headers: { "content-type": type }, body: JSON.stringify(body) };
  }
  const body = rejected === 0 ? Buffer.alloc(0) : writeMessage([1, writeMessage([1, rejected], [2, rejectedBecause])]);
  return { status: 200, headers: { "content-type": type }, body };
}
