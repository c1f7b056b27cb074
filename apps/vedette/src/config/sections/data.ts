/** Keys of what comes in, what is done to it and where it is sent on. Components check their own settings. */
import { z } from "zod";

export const pipelines = z
  .strictObject({
    directories: z.array(z.string()).default([]).describe("Folders of event pipelines (*.yml, read recursively), or single files."),
    watch: z.boolean().default(true).describe("Whether they are read again when one of them changes."),
  })
  .prefault({})
  .describe("What is done to events before rules see them: drop, sample, route, redact, rename, compute, pseudonymise.");

export const sources = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .default({})
  .describe(
    "NAME: {TYPE: {…}}; `format: NAME` beside TYPE fixes the format that is otherwise detected; with settings, `format: {NAME: {…}}`. " +
      "`quota: {events_per_second, bytes_per_second}` beside TYPE: what is over waits where the protocol can wait, and is lost and counted where it cannot (UDP). " +
      "`historical: true` beside TYPE, or alone for a sender over HTTP: its events are of the past, so what they give is listed apart and calls nobody.",
  );

export const quality = z
  .strictObject({
    hosts_file: z
      .string()
      .min(1)
      .optional()
      .describe("File with one host name a line, of hosts that must be heard of; # begins a comment."),
    host_silence_s: z.int().min(60).max(2_592_000).default(900).describe("How long a host of that file may be silent, in seconds."),
    maintenance: z
      .array(
        z.strictObject({
          names: z.array(z.string().min(1)).min(1).describe("Hosts or sources; * stands for any run of characters."),
          from: z.iso.datetime({ offset: true }).optional().describe("Beginning, as RFC 3339; from the first day on when absent."),
          to: z.iso.datetime({ offset: true }).optional().describe("End, as RFC 3339; for ever when absent."),
          days: z
            .array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]))
            .min(1)
            .optional()
            .describe("Only on these days of the week, in UTC."),
          between: z
            .string()
            .regex(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/)
            .optional()
            .describe("Only between these times of day in UTC, as HH:MM-HH:MM; an end before the start is the next day's."),
        }),
      )
      .default([])
      .describe("When nobody is told that a host or source is silent."),
  })
  .prefault({})
  .describe("The watch over how well data comes in.");

export const sinks = z
  .record(z.string(), z.record(z.string(), z.unknown()))
  .default({})
  .describe(
    "NAME: {TYPE: {…}}: where alerts, findings or events are sent; beside TYPE `select: alerts|findings|events`, `when: QUERY`, `format: ecs|ocsf`, `from: now|start`.",
  );
