/** The one table of keys: it drives the handlers, the hints on buttons and the help. */

export type Scope = "everywhere" | "alerts" | "alert" | "events";

export interface Binding {
  readonly id: string;
  /** One key, or two in a row separated by a space. Keys as `KeyboardEvent.key` names them. */
  readonly keys: string;
  readonly scope: Scope;
  readonly what: string;
}

export const scopes: readonly { readonly scope: Scope; readonly title: string }[] = [
  { scope: "everywhere", title: "Everywhere" },
  { scope: "alerts", title: "Alert list" },
  { scope: "alert", title: "One alert" },
  { scope: "events", title: "Events" },
];

export const keymap = [
  { id: "help", keys: "?", scope: "everywhere", what: "Show this help" },
  { id: "go_now", keys: "g n", scope: "everywhere", what: "Go to Now" },
  { id: "go_alerts", keys: "g a", scope: "everywhere", what: "Go to Alerts" },
  { id: "go_events", keys: "g e", scope: "everywhere", what: "Go to Events" },
  { id: "go_metrics", keys: "g m", scope: "everywhere", what: "Go to Metrics" },
  { id: "go_hpc", keys: "g h", scope: "everywhere", what: "Go to HPC" },
  { id: "go_rules", keys: "g r", scope: "everywhere", what: "Go to Rules" },
  { id: "go_sources", keys: "g s", scope: "everywhere", what: "Go to Sources" },
  { id: "go_audit", keys: "g u", scope: "everywhere", what: "Go to Audit" },
  { id: "go_access", keys: "g c", scope: "everywhere", what: "Go to Access" },
  { id: "go_profile", keys: "g p", scope: "everywhere", what: "Go to your profile" },
  { id: "zone", keys: "u", scope: "everywhere", what: "Switch between UTC and local time" },
  { id: "copy_link", keys: "c", scope: "everywhere", what: "Copy a link to this view" },
  { id: "alerts_next", keys: "j", scope: "alerts", what: "Next alert" },
  { id: "alerts_previous", keys: "k", scope: "alerts", what: "Previous alert" },
  { id: "alerts_open", keys: "Enter", scope: "alerts", what: "Open the selected alert" },
  { id: "alerts_acknowledge", keys: "a", scope: "alerts", what: "Acknowledge the selected alert" },
  { id: "alerts_close", keys: "e", scope: "alerts", what: "Close the selected alert with a verdict" },
  { id: "alerts_search", keys: "/", scope: "alerts", what: "Search the list" },
  { id: "alert_acknowledge", keys: "a", scope: "alert", what: "Acknowledge" },
  { id: "alert_close", keys: "e", scope: "alert", what: "Close with a verdict" },
  { id: "alert_events", keys: "v", scope: "alert", what: "Show its events" },
  { id: "alert_back", keys: "b", scope: "alert", what: "Back to the list" },
  { id: "events_query", keys: "/", scope: "events", what: "Write a query" },
  { id: "events_tail", keys: "t", scope: "events", what: "Start or stop the live tail" },
  { id: "events_pause", keys: "p", scope: "events", what: "Pause or resume the live tail" },
] as const satisfies readonly Binding[];

export type BindingId = (typeof keymap)[number]["id"];

const by_id = new Map<string, Binding>(keymap.map((binding) => [binding.id, binding]));

export function keysOf(id: BindingId): string {
  return by_id.get(id)!.keys;
}

/** The binding that a key completes, given the key before it; only among the ids that have a handler now. */
export function findBinding(previous: string | undefined, key: string, handled: readonly BindingId[]): BindingId | undefined {
  const pair = previous === undefined ? undefined : handled.find((id) => keysOf(id) === `${previous} ${key}`);
  return pair ?? handled.find((id) => keysOf(id) === key);
}
