/** The state database's tables as types; docs/format/state.md explains each column. Knows no driver. */
import type { Kysely } from "kysely";

/** JSON text and booleans as 0/1 throughout, so that SQLite and PostgreSQL hold the same values. */
export interface Tables {
  partition: {
    name: string;
    segment: number;
    hour: number;
    class: string;
    rows: number;
    bytes: number;
    original_bytes: number;
    demo: number;
    odd: string;
    min_time: number;
    max_time: number;
    format: number;
  };
  progress: { name: string; value: number };
  /** Who writes the events of a raw partition to the shared folder. */
  event_writer: { partition: number; epoch: number; takeover: number; applied: number; sealed_segment: number; left_open: string };
  /** Sealed files there. */
  event_file: Tables["partition"] & { partition: number };
  series_file: { name: string; width: number; level: number; rows: number; bytes: number; min_time: number; max_time: number };
  alert: {
    id: string;
    tenant: string;
    group_key: string;
    state: string;
    severity: number;
    rule: string;
    first_seen: number;
    last_seen: number;
    updated: number;
    demo: number;
    shadow: number;
    historical: number;
    serial: number;
    text: string;
    body: string;
  };
  alert_entity: { alert: string; type: string; id: string };
  /** Events that alerts rest on, whatever becomes of them in the event store. */
  event_of_interest: { tenant: string; id: string; time: number; source: string };
  alert_event: { alert: string; tenant: string; event: string };
  folded_finding: { id: string; alert: string; revision: number; events: number };
  checkpoint: { consumer: string; epoch: number; offset: number; meta: string | null };
  checkpoint_key: { consumer: string; shard: number; key: string; value: string; due: number | null };
  api_key: { hash: string; owner: string | null; expires: number; body: string };
  machine: { id: string; body: string };
  machine_certificate: { serial: string; machine: string; expires: number; body: string };
  machine_enrolment: { hash: string; expires: number; body: string };
  person: { id: string; name: string; body: string };
  session: { id: string; person: string | null; expires: number; body: string };
  setting: { name: string; value: string };
}
export type State = Kysely<Tables>;
