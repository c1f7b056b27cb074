/** The `splunk_hec` sink: Splunk's HTTP Event Collector, with acknowledgements where the receiver offers them. Knows no record's schema. */
import { randomUUID } from "node:crypto";
import { type Clock, type Delivery, defineSink, type Outgoing, z } from "@vedette/kit";
import { type Answer, attempt, brief, HttpClient, httpConfig, secretOf } from "../http.ts";

const config = z.strictObject({
  ...httpConfig,
  token_file: z.string().min(1).describe("File whose first line is the collector's token."),
  index: z.string().min(1).optional().describe("Index to write to; the token's own when absent."),
  sourcetype: z.string().min(1).default("vedette").describe("Sourcetype of the events."),
  ack_timeout_s: z
    .number()
    .positive()
    .max(600)
    .default(60)
    .describe("How long an acknowledgement may take before the batch is sent again, in seconds."),
});

/** Between questions for an acknowledgement; Vector asks each ten seconds, an indexer usually has it after one. */
const askEvery_ms = 1_000;

export default defineSink({
  name: "splunk_hec",
  summary: "Sends events to Splunk's HTTP Event Collector.",
  description:
    "Bodies are gzipped. Where the token has indexer acknowledgement the batch counts as sent when it is acknowledged. HEC knows no ids: `vedette_id` in each event's `fields` tells a repeat. " +
    "A missing index or a wrong token is waited for; an event that the collector calls malformed becomes a dead letter.",
  stability: "beta",
  config,
  // a collector takes a megabyte by default in its cloud
  batch: { records: 1_000, bytes: 900_000, wait_ms: 500 },
  examples: [{ title: "With a token file", config: { url: "https://splunk:8088", token_file: "/etc/vedette/hec.token" } }],
  async open({ name, config: c, clock }) {
    const client = await HttpClient.open(name, c);
    const headers = {
      authorization: `Splunk ${await secretOf(name, "token_file", c.token_file)}`,
      "content-type": "application/json",
      "x-splunk-request-channel": randomUUID(),
    };
    const wrap = (record: Outgoing) =>
      // the time is told to the microsecond, as text: a double would round it
      `{"time":${Math.floor(record.time / 1e6)}.${String(record.time % 1e6).padStart(6, "0")},${JSON.stringify({
        ...(record.host !== "" && { host: record.host }),
        source: "vedette",
        sourcetype: c.sourcetype,
        ...(c.index !== undefined && { index: c.index }),
        fields: { vedette_id: record.id, vedette_kind: record.kind },
      }).slice(1, -1)},"event":${record.body}}`;
    return {
      async send(records, signal) {
        let ackId: number | undefined;
        const sent = await attempt(
          () => client.post("/services/collector/event", records.map(wrap).join(""), headers, signal),
          (answer) => {
            ackId = ackOf(answer);
            return { outcome: "answered", answer: brief(answer.body) };
          },
        );
        if (ackId !== undefined) return acknowledged(client, headers, ackId, { clock, signal, timeout_ms: c.ack_timeout_s * 1_000 });
        return sent.outcome === "refused" ? whose(sent) : sent;
      },
      close: async () => client.close(),
    };
  },
});

/** Codes that are about our settings, not about an event: a wrong channel, index or token passes when somebody mends it. */
const settings = new Set([2, 3, 4, 7, 10, 11, 14]);

function whose(refusal: Extract<Delivery, { outcome: "refused" }>): Delivery {
  const code = Number(/"code"\s*:\s*(\d+)/.exec(refusal.reason)?.[1]);
  return settings.has(code) ? { outcome: "unavailable", reason: refusal.reason } : refusal;
}

function ackOf({ body }: Answer): number | undefined {
  try {
    const { ackId } = JSON.parse(body) as { ackId?: unknown };
    return typeof ackId === "number" ? ackId : undefined;
  } catch {
    return undefined;
  }
}

async function acknowledged(
  client: HttpClient,
  headers: { readonly [name: string]: string },
  id: number,
  { clock, signal, timeout_ms }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeout_ms: number },
): Promise<Delivery> {
  for (let left = Math.max(1, Math.ceil(timeout_ms / askEvery_ms)); left > 0 && !signal.aborted; left--) {
    let done = false;
    const asked = await attempt(
      () => client.post("/services/collector/ack", JSON.stringify({ acks: [id] }), headers, signal),
      (answer) => {
        done = new RegExp(`"${id}"\\s*:\\s*true`).test(answer.body);
        return { outcome: "answered", answer: `acknowledged as ${id}` };
      },
    );
    if (done) return asked;
    // the batch is in; that nobody answers the question is no reason to send it again at once
    if (left > 1) await clock.sleep(askEvery_ms, signal);
  }
  return { outcome: "unavailable", reason: `not acknowledged within ${timeout_ms / 1_000} s` };
}
