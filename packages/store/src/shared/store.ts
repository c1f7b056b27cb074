/** The event store in a folder that several processes share: each writes the raw partitions it has taken over, all read what all have written. */
import { randomBytes } from "node:crypto";
import type { Policy } from "../events/partitions.ts";
import { OpenScans, Scans } from "../events/scan.ts";
import { Search } from "../events/search.ts";
import type { State } from "../state/tables.ts";
import type { EncodedEvents, EventHold, EventWriter, TimeRange } from "../store.ts";
import { Awaited } from "./awaited.ts";
import { claimFolder } from "./folder.ts";
import { SharedReader } from "./reader.ts";
import { SharedUpkeep } from "./upkeep.ts";
import { type SharedParts, Writers } from "./writers.ts";

/** In `setting`: the id that the shared folder bears. */
export const folderSetting = "events.shared";

/** @throws ConfigError `config_invalid` (another installation's folder, or nothing mounted there); UnavailableError `store_unavailable` */
async function claim(state: State, root: string): Promise<void> {
  await state
    .insertInto("setting")
    .values({ name: folderSetting, value: randomBytes(12).toString("hex") })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { value } = await state.selectFrom("setting").select("value").where("name", "=", folderSetting).executeTakeFirstOrThrow();
  const { count } = await state
    .selectFrom("event_file")
    .select(({ fn }) => fn.countAll().as("count"))
    .executeTakeFirstOrThrow();
  const writer = await state.selectFrom("event_writer").select("partition").limit(1).executeTakeFirst();
  claimFolder(root, value, Number(count) > 0 || writer !== undefined);
}

export async function openSharedEvents(options: Omit<SharedParts, "awaited">) {
  const parts: SharedParts = { ...options, awaited: new Awaited(options.root) };
  await claim(parts.state, parts.root);
  const writers = new Writers(parts);
  const reader = new SharedReader(parts);
  const upkeep = new SharedUpkeep(parts);
  const search = new Search(parts.duck, reader);
  const scans = new Scans(parts.duck, reader);
  const open = new OpenScans(scans.pages.bind(scans));
  const methods = {
    put: (offset: number, received: number, encoded: EncodedEvents, writer?: EventWriter) => writers.put(offset, received, encoded, writer),
    // who asks is about to write
    applied: (writer?: EventWriter) => (writer === undefined ? -1 : writers.take(writer)),
    search: search.search.bind(search),
    get: search.get.bind(search),
    histogram: search.histogram.bind(search),
    top: search.top.bind(search),
    stats: search.stats.bind(search),
    startScan: open.start.bind(open),
    nextPage: open.next.bind(open),
    closeScan: open.close.bind(open),
    estimate: scans.estimate.bind(scans),
    seal: (all?: boolean) => writers.seal(all === true),
    retain: async (policy: Policy, holds: readonly EventHold[] = []) => ({ dropped: await upkeep.retain(policy, holds) }),
    clearDemo: async () => {
      await writers.seal(true);
      return await upkeep.clearDemo();
    },
    remove: async (tenant: string, ids: readonly string[], range: TimeRange) => {
      await writers.seal(true);
      return await upkeep.remove(tenant, ids, range);
    },
    usage: () => reader.usage(),
  };
  const close = async () => {
    await writers.close();
    await reader.close();
  };
  return { methods, get: methods.get, close };
}
