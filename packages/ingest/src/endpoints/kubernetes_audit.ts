/** The `kubernetes_audit` endpoint: the audit webhook of Kubernetes' API server. What an event means is the format's business. */
import { defineEndpoint, type EndpointContext, type EndpointRequest, type EndpointResponse, z } from "@vedette/kit";
import type { Flaw, RawRecord } from "@vedette/model";
import { batchesOf, flawedRecord, rawRecord } from "../batch.ts";
import { bodyCaps, readBody, senderFault } from "../body.ts";
import { bodyBytes, recordBytes, sourceName } from "../endpoint_config.ts";
import { oneDocument } from "../json_scan.ts";
import { nonce } from "../nonce.ts";

const config = z.strictObject({
  source: sourceName("kubernetes_audit"),
  // A batch has 400 events (--audit-webhook-batch-max-size), of a few KB each at the level RequestResponse.
  max_body_bytes: bodyBytes(32 * 1024 ** 2, 256 * 1024 ** 2),
  max_record_bytes: recordBytes("event in bytes", 2 * 1024 ** 2),
});
type Options = z.output<typeof config>;

const notList: Flaw = { code: "bad_request", expected: 'an audit.k8s.io EventList: {"kind": "EventList", "items": […]}' };
const notEvent: Flaw = { code: "bad_request", expected: "an audit.k8s.io Event with an auditID" };

export default defineEndpoint({
  name: "kubernetes_audit",
  summary: "Takes the batches of Kubernetes' audit webhook.",
  description:
    "`POST /kubernetes/audit` takes an EventList and answers once everything is durable. An event is known by its auditID and stage, so a batch that is sent again gives no event twice within 24 h. " +
    "Items that are no events are kept as dead letters. Refusals are Status objects; the API server sends again what got 429 or 5xx, as often as its flags say.",
  stability: "beta",
  config,
  routes: [{ method: "POST", path: "/kubernetes/audit" }],
  examples: [
    {
      title: "A batch of one",
      config: {},
      request:
        'POST /kubernetes/audit\n\n{"kind":"EventList","apiVersion":"audit.k8s.io/v1","items":[{"level":"Metadata","auditID":"a","stage":"ResponseComplete","verb":"list"}]}',
      status: 200,
    },
    { title: "Something else", config: {}, request: 'POST /kubernetes/audit\n\n{"kind":"Pod"}', status: 400 },
  ],
  async handle(request, options, context) {
    try {
      return await take(request, options, context);
    } catch (error) {
      const { code, message } = senderFault(error);
      return code === "too_large" ? status(413, "RequestEntityTooLarge", message) : status(400, "BadRequest", message);
    }
  },
  refuse: ({ status: code, message }) => status(code, reasons[code] ?? "ServiceUnavailable", message),
});

const reasons: { readonly [status: number]: string } = { 401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests" };

function status(code: number, reason: string, message: string): EndpointResponse {
  const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  return { status: code, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function take(request: EndpointRequest, options: Options, context: EndpointContext): Promise<EndpointResponse> {
  const body = await readBody(request, { ...bodyCaps, bytes: options.max_body_bytes });
  const intake = context.intake(options.source);
  const token = nonce(context.clock);
  const items = itemsOf(body);
  if (items === undefined) {
    await intake.accept([flawedRecord(`${token}:0`, body, notList, options.max_record_bytes, request.peer)], { stream: "audit" });
    return status(400, "BadRequest", `expected ${notList.expected}`);
  }
  const records = items.values().map((item, index) => recordOf(item, `${token}:${index}`, options.max_record_bytes, request.peer));
  for (const batch of batchesOf(records)) await intake.accept(batch.records, { stream: "audit" });
  return { status: 200, headers: { "content-type": "application/json" }, body: "{}" };
}

function itemsOf(body: Buffer): readonly unknown[] | undefined {
  const list = oneDocument(body) as { readonly kind?: unknown; readonly items?: unknown } | null | undefined;
  return list?.kind === "EventList" && Array.isArray(list.items) ? list.items : undefined;
}

/** Longest part of an id; an auditID is a UUID unless a client named one. */
const maxIdLength = 256;

function recordOf(item: unknown, position: string, maxBytes: number, peer: string): RawRecord {
  const { auditID, stage } = (typeof item === "object" && item !== null ? item : {}) as {
    readonly auditID?: unknown;
    readonly stage?: unknown;
  };
  const named = typeof auditID === "string" && auditID !== "" && auditID.length <= maxIdLength;
  // In a list the items leave out what they are.
  const text = Buffer.from(JSON.stringify(named ? { kind: "Event", apiVersion: "audit.k8s.io/v1", ...(item as object) } : item));
  if (!named || text.length > maxBytes) return flawedRecord(position, text, named ? undefined : notEvent, maxBytes, peer);
  return rawRecord(position, text, undefined, typeof stage === "string" ? `${auditID}/${stage.slice(0, maxIdLength)}` : undefined, peer);
}
