/** What Vedette itself has to tell people about detection, as findings like any other: alerts are where they look. */
import { idOf } from "@vedette/kit";
import type { Log } from "@vedette/log";
import type { Entity, Finding, Micros, Severity } from "@vedette/model";
import type { FindingsBatch } from "./triage_runner.ts";

export interface OwnFinding {
  /** Name and title of what is reported, in the place of a rule's. */
  readonly rule: { readonly id: string; readonly title: string };
  readonly severity: Severity;
  readonly summary: string;
  /** What alerts are grouped by comes first. */
  readonly entities: readonly Entity[];
  /** When it began: with what it is about it makes the finding's id. */
  readonly at: Micros;
  /** What it is about, where entities do not tell. */
  readonly episode?: string;
  /** It has passed: the finding is withdrawn, and an alert that held nothing else is closed. */
  readonly over?: boolean;
}

export async function reportOwn(log: Log, tenant: string, own: OwnFinding): Promise<void> {
  const { rule, severity, summary, entities, at } = own;
  const key = own.episode ?? entities.map(({ type, id }) => `${type}=${id}`).join(" ");
  const finding: Finding = {
    id: idOf(rule.id, key, at),
    tenant,
    rule: { ...rule, hash: rule.id, kind: "detector" },
    severity,
    key,
    window: { start: at, end: at },
    time: at,
    events: [],
    count: 1,
    entities,
    evidence: [],
    attack: [],
    summary,
    revision: own.over ? 1 : 0,
    canonical: true,
    ...(own.over ? { withdrawn: true as const } : {}),
    demo: false,
    received: at,
  };
  await log.append("findings", 0, Buffer.from(JSON.stringify({ findings: [finding] } satisfies FindingsBatch)));
}
