/** What only the wiring can say of a running installation, as metrics: how far each consumer of the log is, and how full its volume is. Counts nothing itself. */
import { statfs } from "node:fs/promises";
import { defineGauge } from "@vedette/kit";
import type { Log, Topic } from "@vedette/log";
import type { Runtime } from "@vedette/pipeline";
import type { Store } from "@vedette/store";

const topics: readonly Topic[] = ["raw", "control", "findings", "dead"];

const volume = defineGauge("data_volume_bytes", "Size of the volume that holds the data directory, and what of it is free for us.", [
  "what",
]);
const lag = defineGauge("consumer_lag_batches", "Batches of the log that a consumer has not gone through durably.", ["consumer"]);
const ends = defineGauge("log_end_offset", "Batches that a topic of the log ever held.", ["topic"]);
const damaged = defineGauge("log_damaged_frames", "Frames of the log that no longer read back; they lie in log/quarantine.");

export function tellOwnMetrics(directory: string, log: Log, store: Store, runtime: Runtime): void {
  volume.readBy(async (set) => {
    const { blocks, bavail, bsize } = await statfs(directory);
    set(blocks * bsize, "size");
    set(bavail * bsize, "free");
  });
  lag.readBy(async (set) => {
    const [findings, triaged] = [await log.bounds("findings", 0), await store.alerts.offset()];
    set(await runtime.engine.behind(), "analysis");
    set(Math.max(0, findings.end - triaged), "triage");
  });
  ends.readBy(async (set) => {
    for (const topic of topics) set((await log.bounds(topic, 0)).end, topic);
  });
  damaged.readBy(async (set) => set((await log.damage()).length));
}
