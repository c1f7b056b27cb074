/** Alerts and events as this package's tests want them. */
import type { Alert, Event, Micros } from "@vedette/model";

export const start: Micros = 1_795_000_000_000_000;

export function alertOf(id: string, more: Partial<Alert> = {}): Alert {
  return {
    id,
    tenant: "main",
    severity: "high",
    title: `Alert ${id}`,
    summary: "10 failed logins",
    rule: { id: "ssh_brute_force", title: "SSH brute force" },
    entities: [{ type: "source.ip", id: "10.0.0.1" }],
    attack: ["T1110.001"],
    count: 1,
    events: 10,
    first_seen: start,
    last_seen: start + 5,
    created: start,
    updated: start,
    state: "open",
    demo: false,
    evidence: [],
    history: [{ at: start, by: "vedette", what: "opened" }],
    ...more,
  };
}

export function eventOf(id: string, fields: Event["fields"] = {}, more: Partial<Event> = {}): Event {
  return {
    id,
    tenant: "main",
    source: "web",
    time: start,
    received: start,
    seq: 0,
    class: "web",
    host: "h1",
    fields: Object.assign(Object.create(null), fields) as Event["fields"],
    original: `line ${id}`,
    ...more,
  };
}
