/** What one backup consists of: its files, each a list of chunks, and what is told of it. Knows no disk. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { BadInputError, type Sealer, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { maxChunkBytes, objectName } from "./objects.ts";

/**
 * How a file lives, which says what of it need not be read again: `fixed` under its name for good, `grows` at its end only, `changes` anywhere.
 */
export type Growth = "fixed" | "grows" | "changes";
/**
 * What it is to a restore. `state` must be whole. A damaged stretch of `log` or `trail` becomes zeros, for what stands around it still proves
 * itself. `events` may follow while the server runs. Anything else that is damaged is left out.
 */
export type Part = "state" | "log" | "trail" | "events" | "other";

export interface BackupFile {
  /** Below the data directory, with slashes. */
  readonly path: string;
  readonly part: Part;
  readonly growth: Growth;
  readonly bytes: number;
  /** Bytes of every chunk but the last. */
  readonly chunk: number;
  readonly chunks: readonly string[];
}

/** What a drill holds a restored installation against, and what people ask of a backup. */
export interface About {
  /** Next offset of each `topic/partition` of the log. */
  readonly log: Readonly<Record<string, number>>;
  readonly alerts: number;
  /** The alert that changed last. */
  readonly last_alert?: string | undefined;
  readonly trail: { readonly records: number; readonly hash: string };
  /** Rows in sealed event files. */
  readonly events: number;
}

export interface Manifest {
  readonly id: string;
  /** When the state that it holds was taken: what came later is not in it. */
  readonly taken: Micros;
  readonly finished: Micros;
  /** Of the program that made it. */
  readonly version: string;
  readonly host: string;
  readonly about: About;
  readonly files: readonly BackupFile[];
}

/** Larger than a year's event files come to, a hundred bytes each. */
const maxManifestBytes = 256 << 20;

/** A path that stays below the data directory and says nothing to a shell or a terminal. */
const path = z.string().regex(/^(?!\.{1,2}(\/|$))[\w.@~=+,-]{1,255}(\/(?!\.{1,2}(\/|$))[\w.@~=+,-]{1,255}){0,15}$/);
const count = z.int().min(0);
const schema = z.object({
  format: z.literal(1),
  id: z.string(),
  taken: count,
  finished: count,
  version: z.string().max(100),
  host: z.string().max(255),
  about: z.object({
    log: z.record(z.string().max(64), count),
    alerts: count,
    last_alert: z.string().max(64).optional(),
    trail: z.object({ records: count, hash: z.string().max(64) }),
    events: count,
  }),
  files: z.array(
    z.object({
      path,
      part: z.enum(["state", "log", "trail", "events", "other"]),
      growth: z.enum(["fixed", "grows", "changes"]),
      bytes: count,
      chunk: z.int().min(1).max(maxChunkBytes),
      chunks: z.array(z.string().regex(objectName)),
    }),
  ),
});

export const goodPath = (text: string): boolean => path.safeParse(text).success;

export function sealManifest(manifest: Manifest, sealer: Sealer): Uint8Array {
  return sealer.seal(zstdCompressSync(JSON.stringify({ format: 1, ...manifest })), manifest.id);
}

/** @throws VedetteError `sealed_damaged`, `sealed_key_missing`; BadInputError `backup_invalid` for one of another version */
export function openManifest(id: string, box: Uint8Array, sealer: Sealer): Manifest {
  const text = zstdDecompressSync(sealer.open(box, id), { maxOutputLength: maxManifestBytes }).toString("utf8");
  const parsed = schema.safeParse(JSON.parse(text));
  const problem = parsed.success ? undefined : parsed.error.issues[0];
  if (!parsed.success)
    throw new BadInputError("backup_invalid", `backup ${id}: ${problem?.path.join(".")}: ${problem?.message}; a newer version may read it`);
  const { format: _, ...manifest } = parsed.data;
  for (const file of manifest.files)
    if (file.chunks.length !== Math.ceil(file.bytes / file.chunk))
      throw new BadInputError("backup_invalid", `backup ${id}: ${file.path} has ${file.chunks.length} chunks for ${file.bytes} bytes`);
  return manifest;
}
