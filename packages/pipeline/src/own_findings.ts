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
  readonly at: Micros;
}

export async function reportOwn(log: Log, tenant: string, { rule, severity, summary, entities, at }: OwnFinding): Promise<void> {
  const key = entities.map(({ type, id }) => `${type}=${id}`).join(" ");
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
    revision: 0,
    canonical: true,
    demo: false,
    received: at,
  };
  await log.append("findings", 0, Buffer.from(JSON.stringify({ findings: [finding] } satisfies FindingsBatch)));
}
