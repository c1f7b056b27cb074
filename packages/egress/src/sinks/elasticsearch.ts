/** The `elasticsearch` sink: `_bulk` of Elasticsearch, OpenSearch and whoever else speaks it. Knows no record's schema. */
import { type Delivery, defineSink, type Outgoing, z } from "@vedette/kit";
import { attempt, brief, HttpClient, httpConfig, secretOf } from "../http.ts";

const config = z.strictObject({
  ...httpConfig,
  index: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,200}$/)
    .default("vedette")
    .describe("Index, alias or data stream that documents are created in."),
  pipeline: z.string().min(1).optional().describe("Ingest pipeline that documents go through."),
  api_key_file: z.string().min(1).optional().describe("File whose first line is an API key."),
  username: z.string().min(1).optional().describe("User, with password_file."),
  password_file: z.string().min(1).optional().describe("File whose first line is the user's password."),
});

interface Item {
  readonly status?: number;
  readonly error?: { readonly type?: string; readonly reason?: string } | string;
}

export default defineSink({
  name: "elasticsearch",
  summary: "Creates documents in Elasticsearch or OpenSearch by the bulk API.",
  description:
    "Each document is created under its own id, so one that is sent twice is there once: 409 counts as sent. An item answered 400, 413 or 422 makes a dead letter of the one document; any other is sent again. " +
    "A data stream takes documents as they are: they carry `@timestamp`.",
  stability: "beta",
  config,
  // Elasticsearch advises 5 to 15 MB a request
  batch: { records: 2_000, bytes: 5_000_000, wait_ms: 500 },
  examples: [
    {
      title: "Alerts into an index of one's own",
      config: {
        url: "https://opensearch:9200",
        index: "vedette-alerts",
        username: "vedette",
        password_file: "/etc/vedette/opensearch.password",
      },
    },
  ],
  async open({ name, config: c }) {
    const client = await HttpClient.open(name, c);
    const headers: { [name: string]: string } = { "content-type": "application/x-ndjson" };
    if (c.api_key_file !== undefined) headers["authorization"] = `ApiKey ${await secretOf(name, "api_key_file", c.api_key_file)}`;
    else if (c.username !== undefined && c.password_file !== undefined)
      headers["authorization"] =
        `Basic ${Buffer.from(`${c.username}:${await secretOf(name, "password_file", c.password_file)}`).toString("base64")}`;
    const path = `/${c.index}/_bulk?filter_path=errors,items.*.status,items.*.error${c.pipeline === undefined ? "" : `&pipeline=${encodeURIComponent(c.pipeline)}`}`;
    return {
      async send(records, signal) {
        const body = records.map((one) => `{"create":{"_id":${JSON.stringify(one.id)}}}\n${one.body}\n`).join("");
        return attempt(
          () => client.post(path, body, headers, signal),
          (answer) => byItem(answer.body, records),
        );
      },
      close: async () => client.close(),
    };
  },
});

/** One status an action, in order. */
function byItem(text: string, records: readonly Outgoing[]): Delivery {
  let items: readonly { readonly [action: string]: Item }[] | undefined;
  try {
    items = (JSON.parse(text) as { items?: typeof items }).items;
  } catch {
    // said below
  }
  if (!Array.isArray(items) || items.length !== records.length)
    return { outcome: "unavailable", reason: `expected ${records.length} items in the answer to _bulk, found: ${brief(text)}` };
  const refused: { index: number; reason: string }[] = [];
  const later: number[] = [];
  items.forEach((item, index) => {
    const { status = 0, error }: Item = Object.values(item)[0] ?? {};
    if ((status >= 200 && status < 300) || status === 409) return;
    const reason = typeof error === "string" ? error : `${error?.type ?? ""}: ${error?.reason ?? ""}`;
    // a document is refused for what is in it; a missing index or a full disk passes
    if (status === 400 || status === 413 || status === 422) refused.push({ index, reason: brief(`${status} ${reason}`) });
    else later.push(index);
  });
  return {
    outcome: "answered",
    answer: `${records.length - refused.length - later.length} of ${records.length} created or there already`,
    refused,
    later,
  };
}
