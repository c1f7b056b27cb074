/** After a start, learns again from the log which sender ids were taken in lately. */
import type { Clock } from "@vedette/kit";
import { idOf } from "@vedette/kit";
import type { Log } from "@vedette/log";
import { decodeBatch } from "../batch.ts";
import type { SeenIds } from "./seen_ids.ts";

const window = 24 * 3_600 * 1_000_000;
const readBytes = 4_194_304;

/**
 * Reads the retained raw log in the background; requests that carry sender ids wait for it (others do not).
 * A batch that no longer reads is passed over: its documents are then taken as new, never lost.
 */
export async function rememberSenderIds(log: Log, seen: SeenIds, clock: Clock, partitions = 1): Promise<void> {
  if (!(await log.counts()).has("ids")) return;
  for (let partition = 0; partition < partitions; partition++) await remember(log, partition, seen, clock);
}

async function remember(log: Log, partition: number, seen: SeenIds, clock: Clock): Promise<void> {
  const { start, end } = await log.bounds("raw", partition);
  const oldest = clock.now() - window;
  for (let at = start; at < end; ) {
    const entries = await log.read("raw", partition, at, readBytes);
    if (entries.length === 0) return;
    for (const entry of entries) {
      at = entry.offset + 1;
      if (!("bytes" in entry)) continue;
      try {
        const { header } = decodeBatch(entry.bytes);
        if (header.kind !== "records" || !header.ids || header.received < oldest) continue;
        for (const id of Object.values(header.ids)) seen.add(idOf(header.tenant, header.source, "id", id));
      } catch {
        // reported by the engine, which reads the same batch
      }
    }
  }
}
