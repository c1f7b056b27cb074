/** The `otlp` sink: OpenTelemetry log records over HTTP, as JSON. Knows no record's schema. */
import { type Delivery, defineSink, type Outgoing, z } from "@vedette/kit";
import { attempt, brief, HttpClient, httpConfig, secretOf } from "../http.ts";

const config = z.strictObject({
  ...httpConfig,
  path: z.string().startsWith("/").default("/v1/logs").describe("Path of the logs signal below the URL."),
  token_file: z.string().min(1).optional().describe("File whose first line is sent as a Bearer token."),
});

/** `severity_number` of OpenTelemetry's log data model. */
const severityNumbers = { informational: 9, low: 10, medium: 13, high: 17, critical: 21 } as const;

export default defineSink({
  name: "otlp",
  summary: "Sends log records to an OpenTelemetry receiver over HTTP.",
  description:
    "The record's body is the JSON text; `vedette.id` and `vedette.kind` are attributes, `event.name` is the rule or action. What `partial_success` rejects is counted as refused: " +
    "OTLP does not say which, so the last ones of the batch are kept as dead letters in their stead.",
  stability: "beta",
  config,
  batch: { records: 1_000, bytes: 3_000_000, wait_ms: 500 },
  examples: [{ title: "A collector beside us", config: { url: "http://127.0.0.1:4318" } }],
  async open({ name, config: c, hostname, version }) {
    const client = await HttpClient.open(name, c);
    const headers = {
      "content-type": "application/json",
      ...(c.token_file !== undefined && { authorization: `Bearer ${await secretOf(name, "token_file", c.token_file)}` }),
    };
    const resource = { attributes: [text("service.name", "vedette"), text("service.version", version), text("host.name", hostname)] };
    return {
      async send(records, signal) {
        const logs = {
          resourceLogs: [{ resource, scopeLogs: [{ scope: { name: "vedette", version }, logRecords: records.map(logRecord) }] }],
        };
        return attempt(
          () => client.post(c.path, JSON.stringify(logs), headers, signal),
          (answer) => partial(answer.body, records.length),
        );
      },
      close: async () => client.close(),
    };
  },
});

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });

const logRecord = (record: Outgoing) => ({
  timeUnixNano: `${record.time}000`,
  severityNumber: severityNumbers[record.severity],
  severityText: record.severity,
  body: { stringValue: record.body },
  attributes: [
    text("vedette.id", record.id),
    text("vedette.kind", record.kind),
    text("event.name", record.name),
    ...(record.host === "" ? [] : [text("host.name", record.host)]),
  ],
});

function partial(body: string, count: number): Delivery {
  let rejected = 0;
  let message = "";
  try {
    const { partialSuccess } = JSON.parse(body === "" ? "{}" : body) as {
      partialSuccess?: { rejectedLogRecords?: string | number; errorMessage?: string };
    };
    rejected = Number(partialSuccess?.rejectedLogRecords ?? 0);
    message = partialSuccess?.errorMessage ?? "";
  } catch {
    // a receiver that answers 2xx has taken it, whatever else it says
  }
  const n = Number.isSafeInteger(rejected) ? Math.min(Math.max(rejected, 0), count) : 0;
  const reason = brief(`partial_success: ${n} of ${count}, OTLP does not say which: ${message}`);
  return {
    outcome: "answered",
    answer: n === 0 ? brief(body) || "taken" : `${n} of ${count} rejected: ${message}`,
    refused: Array.from({ length: n }, (_, i) => ({ index: count - n + i, reason })),
  };
}
