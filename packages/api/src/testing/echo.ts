/** An endpoint that takes whatever comes and tells it back. */
import { defineEndpoint, type EndpointResponse, UnavailableError, z } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";

/** Takes one record a body; `/fail/:how` fails as asked. */
export const echo = defineEndpoint({
  name: "echo",
  summary: "Takes bodies as they come.",
  stability: "stable",
  config: z.strictObject({}),
  routes: [
    { method: "GET", path: "/", open: true },
    { method: "POST", path: "/ingest" },
    { method: "POST", path: "/:index/_bulk" },
    { method: "GET", path: "/banner", open: true },
    { method: "POST", path: "/fail/:how" },
  ],
  async handle(request, _config, context): Promise<EndpointResponse> {
    if (request.method === "GET") return { status: 200, headers: { "x-elastic-product": "Elasticsearch" }, body: "banner" };
    if (request.path.startsWith("/fail/")) {
      if (request.path.endsWith("/bug")) throw new Error("secret detail");
      throw new UnavailableError(request.path.endsWith("/busy") ? "backpressure" : "log_full", "not now");
    }
    const parts: Uint8Array[] = [];
    for await (const part of request.body) parts.push(part);
    const record: RawRecord = { position: "0", body: Buffer.concat(parts) };
    await context.intake("asked").accept([record]);
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        type: request.headers["content-type"],
        token: request.headers["authorization"] ?? null,
        size: record.body.length,
      }),
    };
  },
  examples: [],
});
