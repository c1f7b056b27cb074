/** Folds findings into alerts: one alert per rule and entity until it is closed. Knows no store. */
import { idOf, ownerOf } from "@vedette/kit";
import { type Alert, type EvidenceEvent, type Finding, severities } from "@vedette/model";

/** An alert keeps the first and the newest evidence, at most so many events in all. */
const maxEvidence = 20;
/** Versions of its rule that one alert lives to see: rules change weekly, alerts are open for days. */
const maxVersions = 32;

/**
 * What findings are grouped by: tenant, rule, and the batch job where there is one, else the first entity; demo, shadow and historical apart, so
 * that none touches what people work on.
 */
export function groupOf(finding: Finding): string {
  const job = finding.entities.find(({ type }) => type === "hpc.job.id");
  // schedulers number their jobs each for itself
  const cluster = job && finding.entities.find(({ type }) => type === "hpc.cluster");
  const entity = job ?? finding.entities[0];
  const kind = `${finding.demo ? "demo" : ""}${finding.shadow ? "shadow" : ""}${finding.historical ? "historical" : ""}`;
  return idOf(ownerOf(finding.tenant), kind, finding.rule.id, entity?.type ?? "", entity?.id ?? "", ...(cluster ? [cluster.id] : []));
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
  if (finding.withdrawn) return withdraw(alert, finding, before?.events ?? 0, now);
  const higher = severities.indexOf(finding.severity) > severities.indexOf(alert.severity);
  const history = higher
    ? [
        ...alert.history,
        { at: now, by: "vedette", what: "escalated" as const, note: `${alert.severity} → ${finding.severity}: ${finding.summary}` },
      ]
    : alert.history;
  const entities = [...alert.entities];
  // one that had been withdrawn counts again
  const findings = (before && before.events > 0) || finding.supersedes ? 0 : 1;
  const events = Math.max(0, finding.count - (before?.events ?? 0));
  for (const e of finding.entities) if (entities.length < 32 && !entities.some((x) => x.type === e.type && x.id === e.id)) entities.push(e);
  return {
    ...alert,
    severity: higher ? finding.severity : alert.severity,
    summary: finding.summary,
    entities,
    attack: [...new Set([...alert.attack, ...finding.attack])],
    count: alert.count + findings,
    events: alert.events + events,
    versions: addVersion(alert.versions ?? {}, finding.rule.hash, findings, events),
    first_seen: Math.min(alert.first_seen, finding.window.start),
    last_seen: Math.max(alert.last_seen, finding.window.end),
    updated: Math.max(now, alert.updated + 1),
    ...(finding.late ? { late: finding.late } : {}),
    evidence: mergeEvidence(alert.evidence, finding.evidence),
    history,
  };
}

function open(finding: Finding, now: number): Alert {
  return {
    id: idOf("alert", groupOf(finding), finding.id),
    tenant: ownerOf(finding.tenant),
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
    ...(finding.late ? { late: finding.late } : {}),
    ...(finding.shadow ? { shadow: finding.shadow } : {}),
    ...(finding.historical ? { historical: finding.historical } : {}),
    versions: addVersion({}, finding.rule.hash, 1, finding.count),
    evidence: finding.evidence.slice(0, maxEvidence),
    history: [{ at: now, by: "vedette", what: "opened", note: finding.summary }],
  };
}

/** An earlier event, come later, proved the finding wrong. With nothing left the alert is closed as retracted. */
function withdraw(alert: Alert, finding: Finding, events: number, now: number): Alert {
  const count = Math.max(0, alert.count - 1);
  return {
    ...alert,
    count,
    events: Math.max(0, alert.events - events),
    versions: addVersion(alert.versions ?? {}, finding.rule.hash, -1, -events),
    ...(count === 0 ? { state: "closed" as const, retracted: now } : {}),
    updated: Math.max(now, alert.updated + 1),
    history: [
      ...alert.history,
      { at: now, by: "vedette", what: "retracted", note: `an event that came later proved it wrong: ${finding.summary}` },
    ],
  };
}

type Versions = NonNullable<Alert["versions"]>;

function addVersion(versions: Versions, hash: string, findings: number, events: number): Versions {
  const known = versions[hash];
  // beyond it a version is not told apart any more, and stays when it is rolled back
  if (known === undefined && Object.keys(versions).length >= maxVersions) return versions;
  return { ...versions, [hash]: { findings: (known?.findings ?? 0) + findings, events: (known?.events ?? 0) + events } };
}

/**
 * Takes back what some versions of the alert's rule gave. With nothing left the alert is closed as retracted, whatever state it was in.
 * @returns `alert` itself when it holds nothing of these versions
 */
export function retract(alert: Alert, hashes: ReadonlySet<string>, by: string, reason: string, now: number): Alert {
  const taken = Object.entries(alert.versions ?? {}).filter(([hash]) => hashes.has(hash));
  if (taken.length === 0) return alert;
  const findings = taken.reduce((n, [, v]) => n + v.findings, 0);
  const count = Math.max(0, alert.count - findings);
  const rest = Object.fromEntries(Object.entries(alert.versions ?? {}).filter(([hash]) => !hashes.has(hash)));
  return {
    ...alert,
    count,
    events: Math.max(0, alert.events - taken.reduce((n, [, v]) => n + v.events, 0)),
    versions: rest,
    ...(count === 0 ? { state: "closed" as const, retracted: now } : {}),
    updated: Math.max(now, alert.updated + 1),
    history: [...alert.history, { at: now, by, what: "retracted", note: `${findings} of ${alert.count} findings taken back: ${reason}` }],
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
