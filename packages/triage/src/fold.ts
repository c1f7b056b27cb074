/** Folds findings into alerts: one alert per rule and entity until it is closed. Pure; knows no store. */
import { idOf } from "@vedette/kit";
import { type Alert, type EvidenceEvent, type Finding, severities } from "@vedette/model";

/** An alert keeps the first and the newest evidence, at most so many events in all. */
const maxEvidence = 20;

/** What findings are grouped by: tenant, rule, and the first entity (demo apart, so that it can be removed whole). */
export function groupOf(finding: Finding): string {
  const entity = finding.entities[0];
  return idOf(finding.tenant, finding.demo ? "demo" : "", finding.rule.id, entity?.type ?? "", entity?.id ?? "");
}

/**
 * @param alert the group's open or acknowledged alert, if there is one
 * @param before what was folded of this same finding (an earlier revision), if anything
 * @returns the alert as it is now; `alert` itself when the finding changes nothing
 */
export function foldFinding(
  alert: Alert | undefined,
  finding: Finding,
  before: { readonly revision: number; readonly events: number } | undefined,
  now: number,
): Alert {
  if (before && before.revision >= finding.revision) return alert!;
  if (!alert) return open(finding, now);
  const higher = severities.indexOf(finding.severity) > severities.indexOf(alert.severity);
  const history = higher
    ? [
        ...alert.history,
        { at: now, by: "vedette", what: "escalated" as const, note: `${alert.severity} → ${finding.severity}: ${finding.summary}` },
      ]
    : alert.history;
  const entities = [...alert.entities];
  for (const e of finding.entities) if (entities.length < 32 && !entities.some((x) => x.type === e.type && x.id === e.id)) entities.push(e);
  return {
    ...alert,
    severity: higher ? finding.severity : alert.severity,
    summary: finding.summary,
    entities,
    attack: [...new Set([...alert.attack, ...finding.attack])],
    count: alert.count + (before || finding.supersedes ? 0 : 1),
    events: alert.events + Math.max(0, finding.count - (before?.events ?? 0)),
    first_seen: Math.min(alert.first_seen, finding.window.start),
    last_seen: Math.max(alert.last_seen, finding.window.end),
    updated: Math.max(now, alert.updated + 1),
    evidence: mergeEvidence(alert.evidence, finding.evidence),
    history,
  };
}

function open(finding: Finding, now: number): Alert {
  return {
    id: idOf("alert", groupOf(finding), finding.id),
    tenant: finding.tenant,
    severity: finding.severity,
    title: finding.rule.title,
    summary: finding.summary,
    rule: { id: finding.rule.id, title: finding.rule.title },
    entities: finding.entities,
    attack: finding.attack,
    count: 1,
    events: finding.count,
    first_seen: finding.window.start,
    last_seen: finding.window.end,
    created: now,
    updated: now,
    state: "open",
    demo: finding.demo,
    evidence: finding.evidence.slice(0, maxEvidence),
    history: [{ at: now, by: "vedette", what: "opened", note: finding.summary }],
  };
}

/** The first half stays as it was when the alert opened; the second half turns over so that the newest are there. */
function mergeEvidence(old: readonly EvidenceEvent[], added: readonly EvidenceEvent[]): readonly EvidenceEvent[] {
  const ids = new Set(old.map((e) => e.id));
  const fresh = added.filter((e) => !ids.has(e.id));
  if (fresh.length === 0) return old;
  const all = [...old, ...fresh];
  return all.length <= maxEvidence ? all : [...all.slice(0, maxEvidence / 2), ...all.slice(-maxEvidence / 2)];
}
