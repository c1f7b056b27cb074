/** Liveness, readiness and metrics, which say nothing of what is stored. */
import { z } from "zod";
import type { Metrics } from "../metrics/metrics.ts";
import * as schemas from "../schemas.ts";
import type { App, RouteContext } from "./context.ts";

export function healthRoutes(app: App, { options }: RouteContext, metrics: Metrics): void {
  app.route({
    method: "GET",
    url: "/healthz",
    config: { access: "open" },
    schema: { summary: "Alive.", tags: ["health"], response: { 200: z.object({ status: z.literal("alive") }) } },
    handler: async () => ({ status: "alive" as const }),
  });
  app.route({
    method: "GET",
    url: "/readyz",
    config: { access: "open" },
    schema: {
      summary: "Able to accept and to detect; 503 with the problems otherwise.",
      tags: ["health"],
      response: { 200: schemas.readiness, 503: schemas.readiness },
    },
    handler: async (_, reply) => {
      const { ready, problems } = await options.runtime.ready();
      return reply.code(ready ? 200 : 503).send({ ready, problems });
    },
  });
  app.route({
    method: "GET",
    url: "/metrics",
    config: { access: "metrics" },
    schema: {
      summary: "Prometheus metrics; off loopback they need a token.",
      tags: ["health"],
      response: { 200: { description: "Text.", content: { "text/plain": { schema: z.string() } } } },
    },
    handler: async (_, reply) => {
      const text = await metrics.text();
      return reply.header("content-type", metrics.contentType).serializer(String).send(text);
    },
  });
}
