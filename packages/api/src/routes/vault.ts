/** The keys that secrets are sealed by: which there are, and sealing everything by a new one. */

import { formatTime } from "@vedette/kit";
import { z } from "zod";
import type { LogKeyStatus } from "../ports.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const status = z.object({
  keys: z
    .array(
      z.object({
        id: z.string(),
        from: z.string().describe("SECRET_KEY, a file or a command; empty for a key that is not there."),
        boxes: z.number().describe("What this key sealed."),
        use: z.enum(["seals", "opens", "missing"]).describe("The newest seals, older ones open; what a missing one sealed cannot be read."),
      }),
    )
    .describe("Newest first."),
  places: z.array(
    z.object({
      name: z.string(),
      boxes: z.number(),
      old: z.number().describe("Sealed by another key than the newest."),
      damaged: z.number().describe("Cannot be opened."),
    }),
  ),
  log: z
    .array(
      z.object({
        id: z.string(),
        use: z.enum(["seals", "opens"]).describe("With `log.encryption: on` the newest seals."),
        since: z.string().optional().describe("When it was made."),
        needed_by: z
          .array(z.string())
          .optional()
          .describe(
            "Partitions that hold batches which it sealed, of an older key; absent for the newest, and where several processes write to the log.",
          ),
      }),
    )
    .describe("Keys that batches of the log are sealed by, newest first; they are sealed themselves."),
});

export function vaultRoutes(app: App, { options: { vault } }: RouteContext): void {
  if (vault === undefined) return;
  app.route({
    method: "GET",
    url: "/vault",
    config: { permission: "system:read" },
    schema: { summary: "Keys at rest, and what is sealed by them.", tags: ["vault"], response: { 200: status, ...failures } },
    handler: async () => {
      const { keys, places, log } = await vault.status();
      return { keys: [...keys], places: [...places], log: log.map(logKey) };
    },
  });
  app.route({
    method: "POST",
    url: "/vault/rotate",
    config: { permission: "system:write", audit: { action: "keys_rotated" } },
    schema: {
      summary: "Read the keys again, make a new one where they are the installation's own, and seal everything by the newest.",
      tags: ["vault"],
      response: {
        200: z.object({
          key: z.string().describe("Seals from now on."),
          resealed: z.number(),
          log_key: z.string().optional().describe("Seals batches of the log from now on, where they are sealed."),
          dropped: z.array(z.string()).describe("Keys of the installation's own that nothing needs any more."),
        }),
        ...failures,
      },
    },
    handler: async (request) => {
      const { key, resealed, dropped, log_key } = await vault.rotate();
      request.auditFields = { ...request.auditFields, "vedette.audit.key": key, "vedette.audit.resealed": resealed };
      return { key, resealed, dropped: [...dropped], ...(log_key !== undefined && { log_key }) };
    },
  });
}

const logKey = ({ id, use, since, neededBy }: LogKeyStatus) => ({
  id,
  use,
  ...(since !== undefined && { since: formatTime(since) }),
  ...(neededBy !== undefined && { needed_by: [...neededBy] }),
});
