/** What `vedette doctor` says of OpenSearch. Changes nothing. */
import { openSearchStatus } from "@vedette/store";
import type { Config } from "../config/schema.ts";
import { configuredOpenSearch } from "../opensearch.ts";

/** Nothing where events are in the data directory. */
export async function eventsChecks(config: Config) {
  if (config.events.driver !== "opensearch") return [];
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
