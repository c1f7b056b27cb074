/** What `vedette doctor` says of where events are, if that is not the data directory. Changes nothing. */
import { openSearchStatus, sharedStatus } from "@vedette/store";
import type { Config } from "../config/schema.ts";
import { configuredOpenSearch } from "../opensearch.ts";
import { configuredShared } from "../shared_events.ts";

/** Below this much free space there is no room for what an hour brings. */
const lowDisk = 2 * 1_073_741_824;

/** Nothing where events are in the data directory. */
export async function eventsChecks(config: Config) {
  const shared = configuredShared(config);
  if (shared !== undefined) return [sharedCheck(shared)];
  return config.events.driver === "opensearch" ? await openSearchChecks(config) : [];
}

function sharedCheck(folder: string) {
  const name = "events in a shared folder";
  const advice = "see docs/guide/events-in-a-shared-folder.md";
  try {
    const { marked, partitions, open, freeBytes } = sharedStatus(folder);
    const held = marked ? `${partitions} raw partitions, ${open} segments open` : "not used yet";
    const detail = `${folder}: ${held}, ${(freeBytes / 1e9).toFixed(1)} GB free`;
    return { name, ok: freeBytes >= lowDisk, detail, advice: "free space there, or lower events.retention" };
  } catch (e) {
    return { name, ok: false, detail: (e as Error).message, advice };
  }
}

async function openSearchChecks(config: Config) {
  const name = "events on OpenSearch";
  try {
    const { version, health, indices, blocked, foreign } = await openSearchStatus(configuredOpenSearch(config)!);
    const detail = `OpenSearch ${version}, ${health}, ${indices} indices`;
    if (blocked.length > 0)
      return [
        {
          name,
          ok: false,
          detail: `${detail}; ${blocked[0]} takes no more events`,
          advice: "free disk space on its nodes, or lower events.retention",
        },
      ];
    if (foreign.length > 0)
      return [
        {
          name,
          ok: false,
          detail: `${detail}; ${foreign[0]} is not as we make indices`,
          advice: "nothing else may begin with opensearch.prefix: delete it, or choose another prefix",
        },
      ];
    return [{ name, ok: health !== "red", detail, advice: "some shard has no copy left: look at its nodes" }];
  } catch (e) {
    return [{ name, ok: false, detail: (e as Error).message, advice: "see docs/guide/events-on-opensearch.md" }];
  }
}
