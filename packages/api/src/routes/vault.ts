/** The keys that secrets are sealed by: which there are, and sealing everything by a new one. */
import { z } from "zod";
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
});

export function vaultRoutes(app: App, { options: { vault } }: RouteContext): void {
  if (vault === undefined) return;
  app.route({
    method: "GET",
    url: "/vault",
    config: { permission: "system:read" },
    schema: { summary: "Keys at rest, and what is sealed by them.", tags: ["vault"], response: { 200: status, ...failures } },
    handler: async () => {
      const { keys, places } = await vault.status();
      return { keys: [...keys], places: [...places] };
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
          dropped: z.array(z.string()).describe("Keys of the installation's own that nothing needs any more."),
        }),
        ...failures,
      },
    },
    handler: async (request) => {
      const { key, resealed, dropped } = await vault.rotate();
      request.told = { ...request.told, "vedette.audit.key": key, "vedette.audit.resealed": resealed };
      return { key, resealed, dropped: [...dropped] };
    },
  });
}
