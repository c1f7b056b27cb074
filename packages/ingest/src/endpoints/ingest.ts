/** The `ingest` endpoint: records by plain HTTP POST. Knows nothing of formats beyond where one record ends. */
import { defineEndpoint, type EndpointContext, type EndpointRequest, type EndpointResponse, idOf, z } from "@vedette/kit";
import { bodyCaps, problem, problemOf, readBody } from "../body.ts";
import { bodyBytes, recordBytes, sourceName, wireBytes } from "../endpoint_config.ts";
import { nonce } from "../nonce.ts";
import { cutBody, flawed } from "../records.ts";

const config = z.strictObject({
  source: sourceName("ingest", "records sent to `/ingest`"),
  max_body_bytes: bodyBytes(),
  max_wire_bytes: wireBytes(),
  max_record_bytes: recordBytes("record in bytes"),
});

export default defineEndpoint({
  name: "ingest",
  summary: "Takes NDJSON, JSON or plain lines by HTTP.",
  description:
    "`POST /ingest` or `/ingest/<source>`. The body may be NDJSON, a JSON array, JSON documents or lines of text, as its content shows; gzip, deflate, zstd and br by Content-Encoding. " +
    'Answers `{"accepted": n, "dead": m, "duplicates": d}` once everything is durable; `dead` records could not be understood and are kept with the reason. ' +
    "A request with an `Idempotency-Key` that is sent again gives the same events.",
  stability: "beta",
  config,
  routes: [
    { method: "POST", path: "/ingest" },
    { method: "POST", path: "/ingest/:source" },
  ],
  examples: [
    { title: "Two records", config: {}, request: 'POST /ingest\n\n{"message":"a"}\n{"message":"b"}\n', status: 200 },
    { title: "An array for a source", config: {}, request: 'POST /ingest/payroll\n\n[{"message":"a"},{"message":"b"}]', status: 200 },
    { title: "Not gzip", config: {}, request: "POST /ingest\nContent-Encoding: gzip\n\nplain", status: 400 },
  ],
  handle,
});

async function handle(request: EndpointRequest, options: z.output<typeof config>, context: EndpointContext): Promise<EndpointResponse> {
  const source = sourceOf(request.path, options.source);
  if (source === undefined) return problem(404, "not_found", "A source's name has up to 64 letters, digits, dots, dashes and underscores.");
  let body: Buffer;
  try {
    body = await readBody(request, { ...bodyCaps, wireBytes: options.max_wire_bytes, bytes: options.max_body_bytes });
  } catch (error) {
    return problemOf(error);
  }
  const key = request.headers["idempotency-key"];
  const token = key === undefined ? nonce(context.clock) : idOf("idempotency-key", key);
  const intake = context.intake(source);
  const reply = { accepted: 0, dead: 0, duplicates: 0 };
  for (const batch of cutBody(body, { token, maxRecordBytes: options.max_record_bytes, peer: request.peer })) {
    const { records, preamble } = batch;
    // only with a key of the sender's own are positions the same when it sends again: then they are ids, and repeats are dropped
    const named = key === undefined ? records : records.map((r) => (r.flaw ? r : { ...r, id: r.position }));
    const { duplicates } = await intake.accept(named, { stream: request.path, ...(preamble === undefined ? {} : { preamble }) });
    const dead = flawed(records);
    reply.dead += dead;
    reply.duplicates += duplicates.length;
    reply.accepted += records.length - dead - duplicates.length;
  }
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(reply) };
}

function sourceOf(path: string, standard: string): string | undefined {
  const name = path.split("/")[2];
  if (name === undefined || name === "") return standard;
  return /^[\w.-]{1,64}$/.test(name) ? name : undefined;
}
