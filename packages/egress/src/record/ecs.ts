/** Alerts, findings and events as flat ECS: what is sent, and what `when` is asked of. Knows no receiver. */
import { formatTime, newFields } from "@vedette/kit";
import {
  type Alert,
  type Entity,
  type Event,
  type EvidenceEvent,
  type Fields,
  type Finding,
  type Micros,
  type Severity,
  severities,
} from "@vedette/model";

/** What is to leave, before anyone decided how it is written. */
export interface Parcel {
  readonly id: string;
  readonly kind: "alert" | "finding" | "event";
  readonly time: Micros;
  readonly severity: Severity;
  readonly name: string;
  readonly host: string;
  readonly fields: Fields;
  /** Present for alerts and findings. */
  readonly claim?: Claim;
}
/** What alerts and findings have in common. */
export interface Claim {
  readonly uid: string;
  readonly rule: { readonly id: string; readonly title: string; readonly sigma?: boolean };
  readonly summary: string;
  readonly entities: readonly Entity[];
  readonly attack: readonly string[];
  readonly first: Micros;
  readonly last: Micros;
  readonly events: number;
  readonly evidence: readonly EvidenceEvent[];
  readonly created: Micros;
  readonly updated: Micros;
  readonly activity: "create" | "update" | "close";
  readonly status: "new" | "in_progress" | "suppressed" | "resolved";
}

const ecsVersion = "8.17.0";
/** Contributing events told of one claim: enough to see what it is about; the rest is asked of Vedette. */
const maxEvidence = 5;
/** ECS field of an entity's type, where that is no field itself. */
const entityFields: { readonly [type: string]: string } = { host: "host.name", user: "user.name", process: "process.name" };
/** Elastic's numbers for rule severities, which ECS leaves open. */
const severityNumber: { readonly [S in Severity]: number } = { informational: 1, low: 21, medium: 47, high: 73, critical: 99 };

export function eventParcel(event: Event): Parcel {
  const fields = newFields();
  fields["@timestamp"] = formatTime(event.time);
  for (const name in event.fields) fields[name] = event.fields[name];
  fields["ecs.version"] ??= ecsVersion;
  // the sender's own id stays: Vedette's is what makes a repeat known
  fields["vedette.event.id"] = event.id;
  fields["event.ingested"] = formatTime(event.received);
  fields["event.original"] ??= event.original;
  fields["vedette.source"] = event.source;
  fields["vedette.tenant"] = event.tenant;
  const action = event.fields["event.action"] ?? event.fields["event.dataset"];
  const { id, time, host } = event;
  return { id, kind: "event", time, severity: "informational", name: typeof action === "string" ? action : event.class, host, fields };
}

export function findingParcel(finding: Finding): Parcel {
  const claim: Claim = {
    uid: finding.id,
    rule: { id: finding.rule.id, title: finding.rule.title, sigma: finding.rule.kind === "sigma" },
    summary: finding.summary,
    entities: finding.entities,
    attack: finding.attack,
    first: finding.window.start,
    last: finding.window.end,
    events: finding.count,
    evidence: finding.evidence,
    created: finding.received,
    updated: finding.received,
    activity: finding.withdrawn ? "close" : finding.revision > 0 ? "update" : "create",
    status: finding.withdrawn ? "resolved" : "new",
  };
  const fields = claimFields(claim, finding.severity, finding.time);
  fields["vedette.tenant"] = finding.tenant;
  fields["vedette.finding.id"] = finding.id;
  fields["vedette.finding.revision"] = finding.revision;
  fields["vedette.finding.canonical"] = finding.canonical;
  if (finding.late) fields["vedette.late"] = true;
  if (finding.withdrawn) fields["vedette.finding.withdrawn"] = true;
  return parcel(`${finding.id}.${finding.revision}`, "finding", finding.time, finding.severity, claim, fields);
}

export function alertParcel(alert: Alert): Parcel {
  const closed = alert.state === "closed";
  const claim: Claim = {
    uid: alert.id,
    rule: alert.rule,
    summary: alert.summary,
    entities: alert.entities,
    attack: alert.attack,
    first: alert.first_seen,
    last: alert.last_seen,
    events: alert.events,
    evidence: alert.evidence,
    created: alert.created,
    updated: alert.updated,
    activity: closed ? "close" : alert.updated > alert.created ? "update" : "create",
    status: closed
      ? alert.verdict === "false_positive"
        ? "suppressed"
        : "resolved"
      : alert.state === "acknowledged"
        ? "in_progress"
        : "new",
  };
  const fields = claimFields(claim, alert.severity, alert.updated);
  fields["vedette.tenant"] = alert.tenant;
  fields["vedette.alert.id"] = alert.id;
  fields["vedette.alert.state"] = alert.state;
  fields["vedette.alert.findings"] = alert.count;
  if (alert.verdict !== undefined) fields["vedette.alert.verdict"] = alert.verdict;
  if (alert.late) fields["vedette.late"] = true;
  return parcel(`${alert.id}.${alert.updated}`, "alert", alert.updated, alert.severity, claim, fields);
}

function parcel(id: string, kind: Parcel["kind"], time: Micros, severity: Severity, claim: Claim, fields: Fields): Parcel {
  const hosts = fields["host.name"];
  const host = Array.isArray(hosts) ? hosts[0] : hosts;
  return { id, kind, time, severity, name: claim.rule.title, host: typeof host === "string" ? host : "", fields, claim };
}

function claimFields(claim: Claim, severity: Severity, time: Micros): Fields {
  const fields = newFields();
  fields["@timestamp"] = formatTime(time);
  fields["ecs.version"] = ecsVersion;
  fields["event.kind"] = "alert";
  fields["event.module"] = "vedette";
  fields["event.dataset"] = "vedette.alert";
  fields["event.action"] = claim.activity;
  fields["event.severity"] = severityNumber[severity];
  fields["event.start"] = formatTime(claim.first);
  fields["event.end"] = formatTime(claim.last);
  fields["log.level"] = severity;
  fields["rule.id"] = claim.rule.id;
  fields["rule.name"] = claim.rule.title;
  fields["message"] = claim.summary;
  fields["vedette.severity"] = severity;
  fields["vedette.events"] = claim.events;
  if (claim.attack.length > 0) fields["threat.technique.id"] = claim.attack;
  nameEntities(fields, claim.entities);
  const told = claim.evidence.slice(0, maxEvidence);
  if (told.length > 0) {
    fields["vedette.evidence.id"] = told.map((one) => one.id);
    fields["vedette.evidence.original"] = told.map((one) => one.original);
  }
  return fields;
}

/** Entities under their ECS names; several of one type become a list, whose first is what the alert is grouped by. */
function nameEntities(fields: Fields, entities: readonly Entity[]): void {
  for (const { type, id } of entities) {
    const name = Object.hasOwn(entityFields, type) ? entityFields[type]! : type;
    const before = fields[name];
    fields[name] = before === undefined ? id : [...(Array.isArray(before) ? before : [before]), id];
  }
}

/** OCSF's `severity_id`, and CEF's scale of ten. */
export const severityRank = (severity: Severity): number => severities.indexOf(severity) + 1;
