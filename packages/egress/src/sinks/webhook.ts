/** The `webhook` sink: a signed JSON document to any HTTP receiver. Knows no record's schema. */
import { createHmac } from "node:crypto";
import { defineSink, z } from "@vedette/kit";
import { attempt, brief, HttpClient, httpConfig, secretOf } from "../http.ts";

const config = z.strictObject({
  ...httpConfig,
  gzip: z.boolean().default(false).describe("Whether bodies are compressed; the signature is over the body before that."),
  secret_file: z.string().min(1).optional().describe("File whose first line is the key of the signature; unsigned without it."),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/), z.string().regex(/^[\x20-\x7e]{0,1000}$/))
    .default({})
    .describe("Further headers, as NAME: VALUE. No secrets: the configuration is shown to who may see it."),
});

export default defineSink({
  name: "webhook",
  summary: "Posts JSON to a URL, signed.",
  description:
    'The body is `{"records": […]}`. `X-Vedette-Signature: v0=HEX` is the HMAC-SHA-256 of `v0:TIMESTAMP:BODY` with TIMESTAMP from `X-Vedette-Timestamp` (seconds): refuse what is older than five minutes. ' +
    "`X-Vedette-Id` stays the same when the same batch is sent again. Any 2xx is taken for received. Redirects are not followed.",
  stability: "beta",
  config,
  batch: { records: 100, bytes: 500_000, wait_ms: 200 },
  examples: [{ title: "Signed", config: { url: "https://soc.example/hooks/vedette", secret_file: "/etc/vedette/webhook.key" } }],
  async open({ name, config: c, clock }) {
    const client = await HttpClient.open(name, c);
    const key = c.secret_file === undefined ? undefined : await secretOf(name, "secret_file", c.secret_file);
    return {
      async send(records, signal) {
        const body = `{"records":[${records.map(({ id, kind, body }) => `{"id":${JSON.stringify(id)},"kind":"${kind}","body":${body}}`).join(",")}]}`;
        const timestamp = String(Math.floor(clock.now() / 1e6));
        const headers = {
          ...c.headers,
          "content-type": "application/json",
          "x-vedette-id": records.length === 1 ? records[0]!.id : `${records[0]!.id}+${records.length - 1}`,
          "x-vedette-timestamp": timestamp,
          ...(key !== undefined && {
            "x-vedette-signature": `v0=${createHmac("sha256", key).update(`v0:${timestamp}:${body}`).digest("hex")}`,
          }),
        };
        return attempt(
          () => client.post("", body, headers, signal),
          (answer) => ({ outcome: "answered", answer: `HTTP ${answer.status} ${brief(answer.body)}`.trim() }),
        );
      },
      close: async () => client.close(),
    };
  },
});
