/** The `elasticsearch` endpoint: enough of Elasticsearch's API for its senders (Beats, Logstash, Fluent Bit, Vector, rsyslog, Slurm) to hand on events. Stores and searches nothing itself. */
import {
  contentHash,
  defineEndpoint,
  type EndpointContext,
  type EndpointRequest,
  type EndpointResponse,
  type EndpointSpec,
  idOf,
  UnavailableError,
  VedetteError,
  z,
} from "@vedette/kit";
import { Batch } from "../batch.ts";
import { bodyCaps, readBody } from "../body.ts";
import { type BulkItem, bulkReply, documentRecord, maxBulkItems, parseBulk } from "../bulk.ts";
import { bodyBytes, recordBytes, sourceName, wireBytes } from "../endpoint_config.ts";

const config = z.strictObject({
  source: sourceName("elasticsearch", "the documents"),
  version: z
    .string()
    .regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/)
    .default("8.17.0")
    .describe("Version told to senders; Beats refuse servers older than themselves."),
  max_body_bytes: bodyBytes(),
  max_wire_bytes: wireBytes(),
  max_record_bytes: recordBytes("document in bytes"),
});
type Options = z.output<typeof config>;

/** Setup calls that are answered with yes: what they set up has no meaning here. */
const setup = ["_ilm", "_index_template", "_template", "_component_template", "_data_stream", "_ingest", "_nodes", "_xpack"];

type Route = EndpointSpec["routes"][number];
const each = (methods: readonly Route["method"][], ...paths: readonly string[]): Route[] =>
  paths.flatMap((path) => methods.map((method) => ({ method, path })));

export default defineEndpoint({
  name: "elasticsearch",
  summary: "Takes events as Elasticsearch does, from Beats, Logstash, Fluent Bit, Vector, rsyslog and Slurm.",
  description:
    "`_bulk` answers once everything is durable, one status an item in order: 201, or 409 for an `_id` seen before. Documents that cannot be understood are taken too and kept as dead letters with the reason. " +
    "`update` and `delete` get 400. When too much is waiting the whole request gets 429; sending it again gives the same events. Setup calls (templates, policies, pipelines) are answered and ignored; searching is not offered.",
  stability: "beta",
  config,
  routes: [
    { method: "GET", path: "/", open: true },
    { method: "HEAD", path: "/", open: true },
    ...each(["GET"], "/_license", "/_cluster/health"),
    ...each(["GET", "HEAD", "PUT", "POST"], ...setup.flatMap((name) => [`/${name}`, `/${name}/*`])),
    ...each(["POST", "PUT"], "/_bulk", "/_bulk/", "/:index/_bulk", "/:index/_bulk/"),
    ...each(["POST"], "/:index/_doc", "/:index/_doc/"),
    ...each(["POST", "PUT"], "/:index/_doc/:id", "/:index/_create/:id"),
    // Logstash asks whether its alias is there before it writes.
    ...each(["HEAD"], "/:index"),
  ],
  examples: [
    { title: "Banner", config: {}, request: "GET /", status: 200 },
    { title: "A bulk of one", config: {}, request: 'POST /_bulk\n\n{"create":{"_index":"logs"}}\n{"message":"a"}\n', status: 200 },
    { title: "A job record of Slurm", config: {}, request: 'POST /slurm/_doc\n\n{"jobid":7,"state":"COMPLETED"}', status: 201 },
    { title: "Template", config: {}, request: "PUT /_index_template/logs\n\n{}", status: 200 },
  ],
  async handle(request, options, context) {
    const headers = { "x-elastic-product": "Elasticsearch", "content-type": contentType(request) };
    const answer = await route(request, options, context).catch((error: unknown) => refusal(error));
    return { ...answer, headers: { ...headers, ...answer.headers }, ...(request.method === "HEAD" ? { body: "" } : {}) };
  },
});

async function route(request: EndpointRequest, options: Options, context: EndpointContext): Promise<EndpointResponse> {
  const segments = request.path.split("/").filter((segment) => segment !== "");
  const [first, second, third] = segments.map(unescaped);
  const write = request.method === "POST" || request.method === "PUT";
  if (first === undefined) return json(200, banner(options.version));
  if (write && first === "_bulk") return bulk(request, "_bulk", options, context);
  if (write && second === "_bulk") return bulk(request, first, options, context);
  if (write && (second === "_doc" || second === "_create")) return single(request, first, third, options, context);
  if (first === "_license") return json(200, { license: license() });
  if (first === "_xpack") return json(200, { license: license(), features: { ilm: { available: true, enabled: true } } });
  if (first === "_cluster") return json(200, { cluster_name: "vedette", status: "green", timed_out: false, number_of_nodes: 1 });
  if (first === "_nodes") return json(200, nodes(options.version));
  if (setup.includes(first)) return json(200, write ? { acknowledged: true } : {});
  if (request.method === "HEAD" && !first.startsWith("_")) return json(200, {});
  return failure(404, "resource_not_found_exception", `There is no ${request.method} ${request.path.slice(0, 200)} here.`);
}

async function bulk(request: EndpointRequest, index: string, options: Options, context: EndpointContext): Promise<EndpointResponse> {
  const started = context.clock.now();
  const body = await readBody(request, caps(options));
  // Sent again after a failure, the same body gives the same positions and so the same events.
  const token = idOf("bulk", contentHash(body));
  const items = parseBulk(body, { token, index, peer: request.peer, maxRecordBytes: options.max_record_bytes });
  if (items === undefined) return failure(413, "content_too_long_exception", `more than ${maxBulkItems} items in one bulk`);
  if (items.length === 0) return failure(400, "parse_exception", "request body is required");
  await accept(items, options.source, context);
  const took_ms = Math.max(0, Math.round((context.clock.now() - started) / 1_000));
  return { status: 200, body: bulkReply(items, took_ms, request.query.get("filter_path")) };
}

/** More indices in one bulk than these are not kept apart: each costs a wait for the disk. */
const maxStreams = 16;

async function accept(items: readonly BulkItem[], source: string, context: EndpointContext): Promise<void> {
  const intake = context.intake(source);
  const apart = new Set(items.map((item) => item.index)).size <= maxStreams;
  const streams = Map.groupBy(items, (item) => (apart ? item.index : "_bulk"));
  for (const [stream, members] of streams) {
    for (let from = 0; from < members.length; ) {
      const batch = new Batch();
      const part = members.slice(from, from + fill(batch, members, from));
      const { duplicates } = await intake.accept(batch.records, { stream });
      for (const index of duplicates) part[index]!.status = 409;
      from += part.length;
    }
  }
}

function fill(batch: Batch, items: readonly BulkItem[], from: number): number {
  let at = from;
  while (at < items.length && !batch.full) batch.push(items[at++]!.record);
  return at - from;
}

async function single(
  request: EndpointRequest,
  index: string,
  id: string | undefined,
  options: Options,
  context: EndpointContext,
): Promise<EndpointResponse> {
  const body = await readBody(request, caps(options));
  const token = idOf("doc", index, contentHash(body));
  const sender = id === undefined ? undefined : `${index}/${id}`;
  const bulkOptions = { token, index, peer: request.peer, maxRecordBytes: options.max_record_bytes };
  const record = documentRecord(`${token}:0`, body, sender, bulkOptions);
  const { duplicates } = await context.intake(options.source).accept([record], { stream: index });
  if (duplicates.length > 0) return failure(409, "version_conflict_engine_exception", `[${id}]: version conflict, document already exists`);
  return json(201, { _index: index, _id: id ?? token, _version: 1, result: "created", _shards: { total: 1, successful: 1, failed: 0 } });
}

const caps = (options: Options) => ({ ...bodyCaps, wireBytes: options.max_wire_bytes, bytes: options.max_body_bytes });
const json = (status: number, body: object): EndpointResponse => ({ status, body: JSON.stringify(body) });

function failure(status: number, type: string, reason: string): EndpointResponse {
  return json(status, { error: { root_cause: [{ type, reason }], type, reason }, status });
}

/** What cannot be taken, in Elasticsearch's words; only what we did not foresee is thrown on. */
function refusal(error: unknown): EndpointResponse {
  if (!(error instanceof VedetteError)) throw error;
  if (error instanceof UnavailableError) {
    const status = error.code === "log_closed" ? 503 : 429;
    return { ...failure(status, "es_rejected_execution_exception", error.message), headers: { "retry-after": "1" } };
  }
  if (error.code === "too_large") return failure(413, "content_too_long_exception", error.message);
  return failure(400, "parse_exception", error.message);
}

/** Clients since 8 speak a versioned media type and want it back. */
function contentType(request: EndpointRequest): string {
  const asked = `${request.headers.accept ?? ""} ${request.headers["content-type"] ?? ""}`;
  const version = /application\/vnd\.elasticsearch\+(?:x-nd)?json;\s{0,4}compatible-with=(\d{1,2})/.exec(asked)?.[1];
  return version === undefined ? "application/json" : `application/vnd.elasticsearch+json;compatible-with=${version}`;
}

function unescaped(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Fixed, as nothing depends on it: `vedette` in a UUID's clothes. */
const clusterId = "76656465-7474-4565-a000-000000000001";
const banner = (version: string) => ({
  name: "vedette",
  cluster_name: "vedette",
  cluster_uuid: clusterId,
  version: {
    number: version,
    build_flavor: "default",
    build_type: "tar",
    build_hash: "vedette",
    build_snapshot: false,
    lucene_version: "9.12.0",
    minimum_wire_compatibility_version: "7.17.0",
    minimum_index_compatibility_version: "7.0.0",
  },
  tagline: "You Know, for Search",
});
const license = () => ({ status: "active", uid: clusterId, type: "basic", mode: "basic" });
/** Filebeat's modules ask for the processors that older servers lacked. */
const nodes = (version: string) => ({
  cluster_name: "vedette",
  nodes: {
    vedette: { name: "vedette", version, roles: ["ingest"], ingest: { processors: [{ type: "geoip" }, { type: "user_agent" }] } },
  },
});
