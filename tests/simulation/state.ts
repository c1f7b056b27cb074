/** The state of an installation: the program's own queries and transactions on SQLite in memory, emptied between runs. Knows no process. */
import type { AlertStore, CheckpointStore, SettingStore } from "@vedette/store";
import { alertStore } from "../../packages/store/src/state/alerts.ts";
import { checkpointStore, settingStore } from "../../packages/store/src/state/checkpoints.ts";
import { openState } from "../../packages/store/src/state/open.ts";

export interface State {
  readonly alerts: AlertStore;
  readonly checkpoints: CheckpointStore;
  readonly settings: SettingStore;
}

/** Tables that simulated processes write to. */
const tables = [
  "alert_event",
  "alert_entity",
  "event_of_interest",
  "alert",
  "folded_finding",
  "checkpoint_key",
  "checkpoint",
  "progress",
  "setting",
] as const;

let opened: ReturnType<typeof openState> | undefined;

export async function emptyState(): Promise<State> {
  opened ??= openState(":memory:");
  const state = await opened;
  for (const table of tables) await state.deleteFrom(table).execute();
  const stored = { get: async () => [] };
  return { alerts: alertStore(state, stored as never), checkpoints: checkpointStore(state), settings: settingStore(state) };
}
