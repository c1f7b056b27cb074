/** What somebody did, as the audit trail keeps it and as detection sees it. Types only. */
import type { Fields } from "./event.ts";

/** Flat ECS fields: `event.action`, `event.outcome`, `user.name`, `source.ip`, `rule.id`, and `vedette.audit.*` for what ECS has no name for. */
export interface AuditEntry {
  /** Snake case, past tense where something changed: `login`, `rule_disabled`, `events_exported`. */
  readonly action: string;
  /** `unknown`: asked for and let in; a second entry says how it ended. */
  readonly outcome: "success" | "failure" | "unknown";
  readonly by: { readonly user: string; readonly session?: string; readonly ip?: string };
  /** Further fields of the event. */
  readonly fields?: Fields;
}
