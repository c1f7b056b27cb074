/** Backups of this installation: how they went, one now, and a trial to restore the newest. */
import type { BackupStatus, DrillReport } from "@vedette/model";
import { z } from "zod";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const time = z.string();
const status = z
  .object({
    schedule: z
      .object({ to: z.string(), every_min: z.number(), drill_every_days: z.number() })
      .optional()
      .describe("Absent where none is configured."),
    running: z.boolean().describe("A backup or a trial is under way."),
    last: z
      .object({
        id: z.string(),
        to: z.string(),
        taken: time.describe("What came later is not in it."),
        finished: time,
        files: z.number(),
        bytes: z.number(),
        read: z.number().describe("Bytes that had to be read."),
        stored: z.number().describe("Bytes that the folder grew by."),
        removed: z.number().describe("Old backups that were removed."),
        freed: z.number(),
        not_in_it: z.string().optional().describe("What of the installation lies elsewhere and is not in it, and what keeps that."),
      })
      .optional(),
    failure: z.object({ at: time, message: z.string() }).optional().describe("Of the newest try, where it failed."),
    overdue: z.boolean(),
    drill: z
      .object({
        backup: z.string(),
        begun: time,
        finished: time,
        ok: z.boolean(),
        checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
      })
      .optional()
      .describe("The newest trial to restore."),
  })
  .meta({ id: "BackupStatus" });

const shown = ({ last, failure, drill, ...rest }: BackupStatus): z.output<typeof status> => ({
  ...rest,
  ...(last && { last: { ...last, taken: formatTime(last.taken), finished: formatTime(last.finished) } }),
  ...(failure && { failure: { at: formatTime(failure.at), message: failure.message } }),
  ...(drill && { drill: drillShown(drill) }),
});
const drillShown = ({ begun, finished, checks, ...rest }: DrillReport) => ({
  ...rest,
  begun: formatTime(begun),
  finished: formatTime(finished),
  checks: [...checks],
});

const folder = z.string().min(1).max(4_096).optional().describe("A folder that is there on the server; the configured one when absent.");

export function backupRoutes(app: App, { options: { backups } }: RouteContext): void {
  if (backups === undefined) return;
  app.route({
    method: "GET",
    url: "/backup",
    config: { permission: "system:read" },
    schema: { summary: "How backups and trials to restore them went.", tags: ["backup"], response: { 200: status, ...failures } },
    handler: async () => shown(await backups.status()),
  });
  app.route({
    method: "POST",
    url: "/backup",
    config: { permission: "system:write", audit: { action: "backup_started" } },
    schema: {
      summary: "Make a backup now. It is made beside everything else: ask for the status until it is no longer running.",
      tags: ["backup"],
      body: z.strictObject({
        to: folder,
        keep: z.int().min(1).max(100_000).optional().describe("Keep the newest so many; as configured when absent."),
        keep_days: z.int().min(0).max(36_500).optional().describe("And the last of each of so many days."),
      }),
      response: { 202: status, ...failures },
    },
    handler: async (request, reply) => {
      const { to, keep, keep_days } = request.body;
      request.auditFields = { ...request.auditFields, "vedette.audit.backup": backups.start(to, { newest: keep, days: keep_days }) };
      return reply.code(202).send(shown(await backups.status()));
    },
  });
  app.route({
    method: "POST",
    url: "/backup/drill",
    config: { permission: "system:write", audit: { action: "backup_drill_started" } },
    schema: {
      summary:
        "Try whether the newest backup can be restored. It is done beside everything else: ask for the status until it is no longer running.",
      tags: ["backup"],
      body: z.strictObject({ from: folder }),
      response: { 202: status, ...failures },
    },
    handler: async (request, reply) => {
      request.auditFields = { ...request.auditFields, "vedette.audit.backup": backups.startDrill(request.body.from) };
      return reply.code(202).send(shown(await backups.status()));
    },
  });
}
