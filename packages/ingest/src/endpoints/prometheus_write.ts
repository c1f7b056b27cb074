/** The `prometheus_write` endpoint: Prometheus' remote write, 1.0 and 2.0. What a series means is the format's business. */
import { BadInputError, defineEndpoint, type EndpointRequest, type EndpointResponse, z } from "@vedette/kit";
import { batchesOf, flawedRecord } from "../batch.ts";
import { bodyCaps, readBody, senderFault } from "../body.ts";
import { bodyBytes, recordBytes, sourceName } from "../endpoint_config.ts";
import { nonce } from "../nonce.ts";
import { writeRequest1, writeRequest2 } from "../prometheus/messages.ts";
import { SeriesCutter, seriesOf1, seriesOf2 } from "../prometheus/write.ts";
import { NotProtobuf, readMessage, type Told } from "../protobuf.ts";
import { unsnappy } from "../snappy.ts";

const config = z.strictObject({
  source: sourceName("prometheus", "the series"),
  // Prometheus sends at most 2,000 samples at once by default: some 300 KB.
  max_body_bytes: bodyBytes(16 * 1024 ** 2, 256 * 1024 ** 2),
  max_record_bytes: recordBytes("series in bytes, as JSON"),
});

const version2 = "io.prometheus.write.v2.Request";

/** Which of the two requests it is; undefined for what is neither. */
function versionOf({ headers }: Pick<EndpointRequest, "headers">): 1 | 2 | undefined {
  const [type, ...parameters] = (headers["content-type"] ?? "").split(";").map((part) => part.trim());
  if (type?.toLowerCase() !== "application/x-protobuf") return undefined;
  const proto = parameters.find((one) => one.startsWith("proto="))?.slice(6);
  if (proto === version2) return 2;
  return proto === undefined || proto === "prometheus.WriteRequest" ? 1 : undefined;
}

const text = { "content-type": "text/plain; charset=utf-8" };
const failure = (status: number, message: string, headers: EndpointResponse["headers"] = {}): EndpointResponse => ({
  status,
  headers: { ...text, ...headers },
  body: message,
});

export default defineEndpoint({
  name: "prometheus_write",
  summary: "Takes series by Prometheus' remote write, 1.0 and 2.0.",
  description:
    "Answers once everything is durable. When too much is waiting the answer is 503 with Retry-After, never 429, on which Prometheus drops samples unless it is told otherwise. A series without a name or with a label twice goes to the dead letters; the others of its request are taken, and the answer is 400, " +
    "so that it is not sent again. Samples are known by series and time: what is sent twice counts once. Native histograms are taken, exemplars are not. Another content type than the two requests' is answered 415, from which a sender of 2.0 learns to try 1.0.",
  stability: "beta",
  config,
  routes: [{ method: "POST", path: "/api/v1/write" }],
  examples: [
    {
      title: "A request of 1.0 without series",
      config: {},
      request: "POST /api/v1/write\nContent-Type: application/x-protobuf\nContent-Encoding: snappy\n\n\u0000",
      status: 204,
    },
    { title: "Another type", config: {}, request: "POST /api/v1/write\nContent-Type: application/json\n\n{}", status: 415 },
    {
      title: "No snappy",
      config: {},
      request: "POST /api/v1/write\nContent-Type: application/x-protobuf\nContent-Encoding: snappy\n\n{}",
      status: 400,
    },
  ],
  async handle(request, options, context) {
    const version = versionOf(request);
    if (version === undefined) return failure(415, `expected application/x-protobuf, with or without proto=${version2}`);
    const encoding = (request.headers["content-encoding"] ?? "snappy").trim().toLowerCase();
    if (encoding !== "snappy") return failure(415, "expected Content-Encoding: snappy");
    const intake = context.intake(options.source);
    const token = nonce(context.clock);
    let body: Buffer | undefined;
    let read: Told;
    try {
      const wire = await readBody({ headers: {}, body: request.body }, { ...bodyCaps, bytes: options.max_body_bytes });
      body = wire;
      body = unsnappy(wire, options.max_body_bytes);
      read = readMessage(body, version === 1 ? writeRequest1 : writeRequest2);
    } catch (error) {
      const fault = error instanceof NotProtobuf ? new BadInputError("bad_request", error.message) : senderFault(error);
      if (body !== undefined) {
        const flaw = { code: fault.code, expected: `a remote write request: ${fault.message}` };
        await intake.accept([flawedRecord(`${token}:0`, body, flaw, options.max_record_bytes, request.peer)]);
      }
      return failure(fault.code === "too_large" ? 413 : 400, fault.message);
    }
    const cutter = new SeriesCutter({ token, maxRecordBytes: options.max_record_bytes, peer: request.peer });
    const series = version === 1 ? seriesOf1(read) : seriesOf2(read);
    for (const batch of batchesOf(cutter.records(series))) await intake.accept(batch.records);
    return written(cutter, version);
  },
  refuse({ status, message }) {
    return failure(status === 429 ? 503 : status, message);
  },
});

function written({ samples, histograms, rejected, problem }: SeriesCutter, version: 1 | 2): EndpointResponse {
  const counts = {
    "x-prometheus-remote-write-samples-written": String(samples),
    "x-prometheus-remote-write-histograms-written": String(histograms),
    "x-prometheus-remote-write-exemplars-written": "0",
  };
  const headers = version === 2 ? counts : {};
  return rejected === 0 ? { status: 204, headers } : failure(400, `${rejected} series were not taken: ${problem}`, headers);
}
