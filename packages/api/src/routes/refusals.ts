/** Senders that were refused lately, with the cause and what to do. */
import { z } from "zod";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const refusal = z.object({
  first: z.string(),
  last: z.string(),
  count: z.int(),
  peer: z.string(),
  endpoint: z.string().optional().describe("Absent where the request reached none."),
  source: z.string().optional().describe("Whose token the sender had."),
  cause: z.string(),
  status: z.int().optional(),
  message: z.string().describe("What the sender was told, or did."),
  fix: z.string(),
});

export function refusalRoutes(app: App, { refusals }: RouteContext): void {
  app.route({
    method: "GET",
    url: "/refusals",
    config: { permission: "sources:read" },
    schema: {
      summary: "The last senders that were refused over HTTP since the server started, newest first.",
      tags: ["sources"],
      response: { 200: z.object({ refusals: z.array(refusal) }), ...failures },
    },
    handler: async () => ({
      refusals: refusals.list().map((one) => ({ ...one, first: formatTime(one.first), last: formatTime(one.last) })),
    }),
  });
}
