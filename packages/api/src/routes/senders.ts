/** What senders are configured with to reach a source, to copy. The texts are the program's. */
import { z } from "zod";
import { type App, failures, type RouteContext } from "./context.ts";
import { sourceName } from "./source_tokens.ts";

const sender = z.object({
  name: z.string(),
  summary: z.string(),
  file: z.string().describe("Where it belongs on the sender's machine."),
  text: z.string().describe("The word TOKEN stands for the token."),
});

export function senderRoutes(app: App, { options }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/sources/:name/senders",
    config: { permission: "sources:read" },
    schema: {
      summary: "What each kind of sender is configured with to reach a source; none for a source that reads by itself.",
      tags: ["sources"],
      params: z.strictObject({ name: sourceName }),
      response: { 200: z.object({ senders: z.array(sender) }), ...failures },
    },
    handler: async ({ params, protocol, hostname, port }) => {
      const tls = protocol === "https";
      const at = { host: hostname.replace(/^\[|\]$/g, ""), port: port ?? (tls ? 443 : 80), tls };
      return { senders: [...(options.senders?.(params.name, at) ?? [])] };
    },
  });
}
