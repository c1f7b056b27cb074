/** The shapes of the HTTP API as the console reads them; it knows no package of the server. Times are RFC 3339 UTC strings. */

export type Severity = "informational" | "low" | "medium" | "high" | "critical";
export type AlertState = "open" | "acknowledged" | "closed";
export type Verdict = "true_positive" | "benign" | "false_positive";

export interface Entity {
  readonly type: string;
  readonly id: string;
}

export interface Match {
  readonly clause: string;
  readonly field: string;
  readonly value: string;
}

export type FieldValue = string | number | boolean | null | readonly (string | number | boolean | null)[];
export type Fields = { readonly [ecs: string]: FieldValue };

export interface EvidenceEvent {
  readonly id: string;
  readonly time: string;
  readonly source: string;
  readonly matches: readonly Match[];
  readonly fields: Fields;
  readonly original: string;
}

export interface Change {
  readonly at: string;
  readonly by: string;
  readonly what: string;
  readonly note?: string;
  readonly verdict?: Verdict;
}

/** What an alert's rule tells whoever reads it, and how its newest closed alerts ended. */
export interface Guidance {
  readonly description: string;
  readonly status: string;
  readonly response: readonly string[];
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
  readonly verdicts: { readonly [verdict in Verdict]: number };
}

/** An alert as lists and the stream carry it: without evidence and history. */
export interface AlertRow {
  readonly id: string;
  readonly severity: Severity;
  readonly title: string;
  readonly summary: string;
  readonly rule: { readonly id: string; readonly title: string };
  readonly entities: readonly Entity[];
  readonly attack: readonly string[];
  readonly count: number;
  readonly events: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly created: string;
  readonly updated: string;
  readonly state: AlertState;
  readonly verdict?: Verdict;
  readonly demo: boolean;
  /** Of a rule on trial. */
  readonly shadow?: boolean;
  readonly historical?: boolean;
  /** When all its findings had been taken back by a rollback. */
  readonly retracted?: string;
}

export interface Alert extends AlertRow {
  readonly evidence: readonly EvidenceEvent[];
  readonly history: readonly Change[];
}

export interface AlertPage {
  readonly alerts: readonly AlertRow[];
  readonly cursor?: string;
  readonly total: number;
}

export interface EventRow {
  readonly id: string;
  readonly time: string;
  readonly received: string;
  readonly source: string;
  readonly class: string;
  readonly host: string;
  readonly fields: Fields;
  readonly original: string;
}

export interface Histogram {
  readonly width_ms: number;
  readonly from: string;
  readonly to: string;
  readonly total: number;
  readonly buckets: readonly { readonly start: string; readonly count: number }[];
}

export interface Stats {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly FieldValue[])[];
}

export interface BadQuery {
  readonly ok: false;
  readonly message: string;
  /** From 0. */
  readonly position: number;
  /** Characters in trouble; 0 at the end of the text. */
  readonly length: number;
  /** What to write in their place. */
  readonly suggestion?: string;
}

export type QueryCheck = { readonly ok: true; readonly warning?: string; readonly suggestion?: string } | BadQuery;

export interface Source {
  readonly name: string;
  readonly type: string;
  readonly state: "running" | "idle" | "failed" | "stopped";
  readonly in: number;
  readonly stored: number;
  readonly dead: number;
  readonly dropped: { readonly [reason: string]: number };
  readonly pending: number;
  readonly last_received?: string;
  /** Events a second, mean over 10 s. */
  readonly rate: number;
  readonly warnings: readonly { readonly at: string; readonly code: string; readonly message: string; readonly count?: number }[];
}

export type RuleState = "enabled" | "shadow" | "quarantined" | "refused";

export interface Decision {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  readonly owner?: string;
  /** Day by which somebody should look at it again. */
  readonly review?: string;
}

export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly level: Severity;
  /** Sigma's own: stable, test, experimental. */
  readonly status: string;
  readonly author: string;
  readonly state: RuleState;
  readonly file: string;
  readonly reason?: string;
  readonly attack: readonly string[];
  /** What is counted of events is absent for whoever sees a part of them only. */
  readonly seen?: number;
  readonly matched?: number;
  /** Matches of which no finding was written. */
  readonly capped?: number;
  readonly skipped?: { readonly [reason: string]: number };
  readonly cost_ms?: number;
  /** Absent: on because the configuration names it. */
  readonly decision?: Decision & { readonly changed: boolean };
  /** Fields that no event is known to carry: what the rule waits for may never come. */
  readonly unknown_fields?: readonly string[];
  /** In shadow: what is missing before a promotion is proposed. */
  readonly missing?: readonly string[];
}

export interface RuleInFull extends Rule {
  readonly description: string;
  readonly falsepositives: readonly string[];
  readonly references: readonly string[];
  readonly response: readonly string[];
  readonly hash: string;
  readonly history: readonly (Decision & { readonly version: number; readonly what: string; readonly state: string })[];
}

export interface RuleVersion {
  readonly number: number;
  readonly at: string;
  readonly program: string;
  readonly rules: number;
  readonly what: string;
  readonly by: string;
  readonly reason: string;
  readonly subject?: string;
  readonly to?: number;
  readonly current: boolean;
}

/** A record of the audit trail; `fields` is absent where the content was erased. */
export interface AuditRecord {
  readonly n: number;
  readonly time: string;
  readonly hash: string;
  readonly fields?: { readonly [name: string]: unknown };
  readonly erased?: { readonly by: string; readonly reason: string; readonly time: string };
}

export interface DeadLetter {
  readonly source: string;
  readonly position: string;
  readonly received: string;
  readonly stage: string;
  readonly code: string;
  readonly expected: string;
  /** The input, base64. */
  readonly bytes: string;
}

export interface Status {
  readonly version: string;
  readonly started: string;
  /** Events stored. */
  readonly events: number;
  /** Events a second. */
  readonly rate: number;
  readonly lag_ms: number;
  readonly alerts: { readonly open: { readonly [severity in Severity]: number } };
  readonly disk: {
    readonly log_bytes: number;
    readonly open_bytes: number;
    readonly sealed_bytes: number;
    readonly original_bytes: number;
  };
  readonly demo: { readonly present: boolean; readonly running: boolean; readonly events: number };
  readonly ready: boolean;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}
