/** Keys of what Vedette says about itself: log, traces, heartbeat, heads of the audit trail. */
import { z } from "zod";

export const logging = z
  .strictObject({
    format: z
      .enum(["auto", "text", "json"])
      .default("auto")
      .describe("How Vedette says what it does: in words on a terminal, else as JSON lines in ECS."),
    level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("The least that is said."),
  })
  .prefault({})
  .describe("Vedette's own log, on standard error.");

export const telemetry = z
  .strictObject({
    otlp: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Where traces of Vedette's own work are sent: the root of an OTLP/HTTP receiver, such as http://127.0.0.1:4318. None are made without it.",
      ),
    ratio: z.number().min(0).max(1).default(0.01).describe("Part of the batches that are traced."),
    token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
  })
  .prefault({})
  .describe("Traces of batches on their way from intake to alert.");

export const heartbeat = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .describe("Told by POST while canaries come through from end to end; who hears nothing raises the alarm."),
    stopped_url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe("Told at once, with the reason, when none comes through."),
    token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
    every_s: z.int().min(5).max(30).default(20).describe("How often, in seconds; the receiver's grace is best three times that."),
  })
  .optional()
  .describe("A second path, beside Vedette's own alerts: a dead man's switch that somebody else's service watches.");

export const audit = z
  .strictObject({
    heads: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Files that signed heads of the audit trail are appended to, within a second; best where root of this host cannot write over them.",
      ),
  })
  .prefault({})
  .describe("The audit trail: who signed in, changed or read what.");
