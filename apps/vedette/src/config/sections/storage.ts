/** Keys of what is kept: log, events, series, state, backups. Knows no driver's own settings. */
import { z } from "zod";

const retention = z.strictObject({
  days: z.number().positive().optional().describe("Sealed partitions older than this are dropped, in days of receive time."),
  gb: z.number().positive().optional().describe("The oldest sealed partitions are dropped beyond this size, in GB."),
});

export const log = z
  .strictObject({
    driver: z.enum(["segments", "kafka"]).default("segments").describe("Where the log lives: segment files on the local disk, or Kafka."),
    encryption: z
      .enum(["off", "on"])
      .default("off")
      .describe("Whether batches are sealed from now on; what is sealed is read in any case. Needed where the volume is not encrypted."),
    segment_mb: z.int().min(1).max(1024).default(64).describe("Size at which a segment file is closed, in MiB."),
  })
  .prefault({})
  .describe("The append-only log.");

export const events = z
  .strictObject({
    driver: z
      .enum(["local", "opensearch"])
      .default("local")
      .describe("Where events live: files in the data directory (Parquet, read by DuckDB), or OpenSearch."),
    shared: z
      .string()
      .min(1)
      .optional()
      .describe(
        "With driver local: a folder that all processes of the installation have mounted; events are there instead of in the data directory.",
      ),
    memory_mb: z.int().min(64).default(160).describe("Memory the event store may use, in MiB."),
    retention: z
      .strictObject({
        authentication: retention.default({ days: 400 }).describe("Log-ins; kept longest: investigations ask for them."),
        process: retention.default({ days: 90 }).describe("Process starts and ends."),
        network: retention.default({ days: 30 }).describe("Connections, DNS, TLS."),
        web: retention.default({ days: 90 }).describe("HTTP requests."),
        cloud: retention.default({ days: 400 }).describe("Cloud control planes."),
        host: retention.default({ days: 90 }).describe("Other host logs."),
        audit: retention.default({ days: 400 }).describe("Audit records."),
        other: retention.default({ days: 30 }).describe("What no class fits."),
      })
      .prefault({})
      .describe("How long and how much, by source class."),
  })
  .prefault({})
  .describe("The event store.");

export const metrics = z
  .strictObject({
    series_per_source: z
      .int()
      .min(1)
      .max(2_000_000)
      .default(100_000)
      .describe(
        "Series that one source may have at a time; samples of further ones are counted and not kept. Each costs some 200 bytes of memory.",
      ),
    fine_days: z.number().positive().default(3).describe("How long values per ten seconds are kept, in days."),
    days: z.number().positive().default(90).describe("How long values per minute are kept, in days."),
  })
  .prefault({})
  .describe("Metrics: values of series.");

export const state = z
  .strictObject({
    driver: z
      .enum(["sqlite", "postgres"])
      .default("sqlite")
      .describe("Where alerts, checkpoints, people, keys and settings live: state.db in the data directory, or PostgreSQL."),
  })
  .prefault({})
  .describe("The state store.");

export const backup = z
  .strictObject({
    to: z.string().min(1).optional().describe("Folder that backups go to, best on another disk or host; none are made without it."),
    every_min: z
      .number()
      .min(0.25)
      .max(10_080)
      .default(0.5)
      .describe(
        "How often, in minutes: what was accepted since the last finished one began is lost with the disk, so this and as long as one takes. Only what changed is read.",
      ),
    keep: z.int().min(1).max(100_000).default(60).describe("The newest so many are kept."),
    keep_days: z.int().min(0).max(36_500).default(30).describe("And the last of each of so many days."),
    drill_every_days: z
      .number()
      .min(0)
      .max(366)
      .default(7)
      .describe("How often the newest is restored beside and looked at, in days; 0 for never. It needs room for all but sealed events."),
    max_mb_per_s: z.number().positive().default(50).describe("What a backup may read, in MB a second, so that it slows nothing down."),
    key_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        "File of a further key that opens the backups, one a line, newest first: kept elsewhere, it is the way back when this host is gone.",
      ),
  })
  .prefault({})
  .describe("Backups of the data directory, made while it is in use.");
