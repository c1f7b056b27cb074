/** The `splunk_hec` endpoint: Splunk's HTTP Event Collector with indexer acknowledgement. What an event means is the format's business. */
import { defineEndpoint, type EndpointContext, type EndpointRequest, type EndpointResponse, z } from "@vedette/kit";
import { batchesOf } from "../batch.ts";
import { bodyCaps, readBody, senderFault } from "../body.ts";
import { bodyBytes, recordBytes, sourceName, wireBytes } from "../endpoint_config.ts";
import { HecEvents, hecAnswer, rawLine } from "../hec.ts";
import { nonce } from "../nonce.ts";
import { cutBody } from "../records.ts";

const config = z.strictObject({
  source: sourceName("splunk_hec"),
  max_body_bytes: bodyBytes(),
  max_wire_bytes: wireBytes(),
  max_record_bytes: recordBytes("event in bytes"),
});
type Options = z.output<typeof config>;

const base = "/services/collector";
/** The version may be left out everywhere. */
const versioned = (path: string) => [path, `${path}/1.0`];
const post = [base, ...versioned(`${base}/event`), ...versioned(`${base}/raw`), `${base}/ack`];

/** Splunk asks for a GUID. */
const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Ids asked about in one request; Vector asks about all it waits for, every 10 s. */
const maxAsked = 100_000;
const maxAckBytes = 2 * 1024 * 1024;

/** How many ids each channel of an endpoint was given: all of them stand for events that were durable before the answer. */
class Acknowledged {
  readonly #given = new Map<string, number>();
  /** The channel that was quiet the longest is forgotten; its sender sends again what it had not asked about. */
  static readonly maxChannels = 10_000;

  give(channel: string): number {
    const id = this.#given.get(channel) ?? 0;
    this.#given.delete(channel);
    if (this.#given.size >= Acknowledged.maxChannels) this.#given.delete(this.#given.keys().next().value!);
    this.#given.set(channel, id + 1);
    return id;
  }
  has(channel: string, id: unknown): boolean {
    return typeof id === "number" && Number.isInteger(id) && id >= 0 && id < (this.#given.get(channel) ?? 0);
  }
}
/** By configuration, of which there is one for each endpoint that is mounted. */
const acknowledged = new WeakMap<object, Acknowledged>();
function acknowledgedOf(options: Options): Acknowledged {
  const known = acknowledged.get(options) ?? new Acknowledged();
  acknowledged.set(options, known);
  return known;
}

export default defineEndpoint({
  name: "splunk_hec",
  summary: "Takes events as Splunk's HTTP Event Collector does.",
  description:
    "`/services/collector[/event]` takes JSON events one after another, `/raw` lines; both answer once everything is durable. A request with a channel gets an `ackId` as well, and `/ack` says true of it at once; " +
    "ids are forgotten when Vedette restarts, so that their sender sends again. Events that cannot be taken are kept as dead letters and the answer names the first by `invalid-event-number`; the others of the request are kept. " +
    "When too much is waiting the answer is 503 with code 9. Tokens in the query are refused, since they end up in logs.",
  stability: "beta",
  config,
  routes: [
    ...post.map((path) => ({ method: "POST" as const, path })),
    ...versioned(`${base}/health`).map((path) => ({ method: "GET" as const, path, open: true })),
  ],
  examples: [
    {
      title: "Two events",
      config: {},
      request: 'POST /services/collector\n\n{"event":"a"}{"event":{"b":1},"time":1700000000.5}',
      status: 200,
    },
    { title: "Lines", config: {}, request: "POST /services/collector/raw?sourcetype=syslog\n\none\ntwo\n", status: 200 },
    { title: "No event", config: {}, request: 'POST /services/collector/event\n\n{"host":"a"}', status: 400 },
    { title: "Health", config: {}, request: "GET /services/collector/health", status: 200 },
  ],
  async handle(request, options, context) {
    try {
      return await route(request, options, context);
    } catch (error) {
      return hecAnswer(senderFault(error).code === "too_large" ? "too_large" : "invalid_format");
    }
  },
  refuse({ status, presented }) {
    if (status === 429 || status === 503) return hecAnswer("busy");
    return hecAnswer(presented ? "invalid_token" : "token_required");
  },
});

async function route(request: EndpointRequest, options: Options, context: EndpointContext): Promise<EndpointResponse> {
  const { path, headers, query } = request;
  if (path.startsWith(`${base}/health`)) return hecAnswer("healthy");
  const channel = (headers["x-splunk-request-channel"] ?? query.get("channel") ?? "").trim();
  if (channel !== "" && !guid.test(channel)) return hecAnswer("invalid_channel");
  if (path === `${base}/ack`) {
    const asked = await readBody(request, { ...bodyCaps, bytes: maxAckBytes });
    return channel === "" ? hecAnswer("channel_missing") : acks(asked, channel.toLowerCase(), options);
  }
  const body = await readBody(request, { ...bodyCaps, wireBytes: options.max_wire_bytes, bytes: options.max_body_bytes });
  const cut = { token: nonce(context.clock), maxRecordBytes: options.max_record_bytes, peer: request.peer };
  const refused = path.startsWith(`${base}/raw`)
    ? await acceptLines(body, request, cut, options, context)
    : await acceptEvents(body, cut, options, context);
  if (refused !== undefined) return refused;
  return hecAnswer("success", channel === "" ? {} : { ackId: acknowledgedOf(options).give(channel.toLowerCase()) });
}

type Cut = ConstructorParameters<typeof HecEvents>[1];

async function acceptEvents(body: Buffer, cut: Cut, options: Options, context: EndpointContext): Promise<EndpointResponse | undefined> {
  const events = new HecEvents(body, cut);
  const intake = context.intake(options.source);
  for (const batch of batchesOf(events.records())) await intake.accept(batch.records, { stream: "event" });
  if (events.count === 0) return hecAnswer("no_data");
  return events.fault && hecAnswer(events.fault.answer, { "invalid-event-number": events.fault.event });
}

async function acceptLines(
  body: Buffer,
  request: EndpointRequest,
  cut: Cut,
  options: Options,
  context: EndpointContext,
): Promise<EndpointResponse | undefined> {
  const intake = context.intake(options.source);
  let empty = true;
  for (const { records, preamble } of cutBody(body, cut)) {
    empty = false;
    const described = records.map((record) => rawLine(record, request.query));
    await intake.accept(described, { stream: "raw", ...(preamble === undefined ? {} : { preamble }) });
  }
  return empty ? hecAnswer("no_data") : undefined;
}

function acks(body: Buffer, channel: string, options: Options): EndpointResponse {
  let asked: unknown;
  try {
    asked = (JSON.parse(body.toString()) as { readonly acks?: unknown } | null)?.acks;
  } catch {
    return hecAnswer("invalid_format");
  }
  if (!Array.isArray(asked) || asked.length > maxAsked) return hecAnswer("invalid_format");
  const known = acknowledgedOf(options);
  const told = Object.fromEntries(asked.filter((id) => typeof id === "number").map((id) => [String(id), known.has(channel, id)]));
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify({ acks: told }) };
}
