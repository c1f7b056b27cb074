/** Parcels in the Open Cybersecurity Schema Framework, version 1.3. Knows which attributes a class needs from its table alone. */
import type { FieldValue } from "@vedette/condition";
import type { Fields } from "@vedette/model";
import { type Parcel, severityRank } from "./ecs.ts";
import { commonRows, type EventClass, eventClasses, type Row } from "./ocsf_classes.ts";

type Told = { [attribute: string]: unknown };

export const ocsfVersion = "1.3.0";
const severityNames = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];
/** Told in every document anyway, or of no use to others. */
const ours = new Set(["@timestamp", "ecs.version", "event.category", "event.type", "event.outcome", "event.ingested", "vedette.event.id"]);
/** Objects that OCSF gives a required kind of their own; what it is, no log says. */
const kinds: readonly string[] = ["device", "file", "process.file", "actor.process.file"];

const told = (): Told => Object.create(null) as Told;

/** @param version Vedette's own */
export function toOcsf(parcel: Parcel, version: string): Told {
  return parcel.claim ? detectionFinding(parcel, version) : activity(parcel, version);
}

const milliseconds = (micros: number): number => Math.floor(micros / 1_000);

function base(parcel: Parcel, version: string, uid: number, category: number, name: string, activityId: number): Told {
  const rank = severityRank(parcel.severity);
  return Object.assign(told(), {
    activity_id: activityId,
    category_uid: category,
    class_name: name,
    class_uid: uid,
    type_uid: uid * 100 + activityId,
    time: milliseconds(parcel.time),
    severity_id: rank,
    severity: severityNames[rank],
    metadata: Object.assign(told(), {
      version: ocsfVersion,
      uid: parcel.id,
      product: { name: "Vedette", vendor_name: "Vedette", version },
    }),
  });
}

function activity(parcel: Parcel, version: string): Told {
  const { fields } = parcel;
  const has = (name: string) => (value: string) => {
    const all = fields[name];
    return all === value || (Array.isArray(all) && all.includes(value));
  };
  for (const one of eventClasses) {
    if (!one.concerns(has("event.category"), fields)) continue;
    const read = new Set<string>();
    const body = fill(
      base(parcel, version, one.uid, one.category, one.name, one.activity(has("event.type"), fields)),
      one.rows,
      fields,
      read,
    );
    if (one.needs.some((name) => body[name] === undefined)) continue;
    if (one.oneOf && !one.oneOf.some((name) => body[name] !== undefined)) continue;
    return complete(body, one, fields, read);
  }
  return complete(base(parcel, version, 0, 0, "Base Event", 0), undefined, fields, new Set());
}

function complete(body: Told, of: EventClass | undefined, fields: Fields, read: Set<string>): Told {
  fill(body, commonRows, fields, read);
  const outcome = fields["event.outcome"];
  body["status_id"] = outcome === "success" ? 1 : outcome === "failure" ? 2 : 0;
  for (const path of kinds) {
    const object = at(body, path);
    if (object === undefined) continue;
    object["type_id"] ??= 0;
    // a file has a name; where only its path is told, that is it
    if (path.endsWith("file")) object["name"] ??= String(object["path"] ?? "");
  }
  if (at(body, "connection_info") !== undefined) at(body, "connection_info")!["direction_id"] ??= 0;
  if (of?.uid === 4003 && at(body, "query") !== undefined) at(body, "query")!["hostname"] ??= "";
  const rest = told();
  for (const name in fields) if (!read.has(name) && !ours.has(name) && fields[name] !== undefined) rest[name] = fields[name];
  if (Object.keys(rest).length > 0) body["unmapped"] = rest;
  return body;
}

/** A field counts as read where its value was taken: another spelling of the same attribute stays in `unmapped`. */
function fill(body: Told, rows: readonly Row[], fields: Fields, read: Set<string>): Told {
  for (const [path, from, as = "text"] of rows) {
    const name = (typeof from === "string" ? [from] : from).find((one) => written(fields[one], as) !== undefined);
    if (name === undefined) continue;
    const value = written(fields[name], as);
    const keys = path.split(".");
    const last = keys.pop()!;
    let object = body;
    for (const key of keys) {
      object[key] ??= told();
      object = object[key] as Told;
    }
    // rows before are more telling
    if (object[last] !== undefined) continue;
    object[last] = value;
    read.add(name);
  }
  return body;
}

function written(value: FieldValue | undefined, as: "integer" | "time" | "text"): string | number | undefined {
  const one = Array.isArray(value) ? value[0] : value;
  if (one === undefined || one === null || one === "") return undefined;
  if (as === "text") return String(one);
  const number = as === "time" ? Date.parse(String(one)) : Number(one);
  return Number.isSafeInteger(number) ? number : undefined;
}

function at(body: Told, path: string): Told | undefined {
  let object: unknown = body;
  for (const key of path.split(".")) object = (object as Told | undefined)?.[key];
  return object as Told | undefined;
}

const activities = { create: 1, update: 2, close: 3 } as const;
const statuses = { new: 1, in_progress: 2, suppressed: 3, resolved: 4 } as const;
/** `type_id` of observables, by what the entity is. */
const observables: { readonly [entity: string]: number } = {
  host: 1,
  "host.name": 1,
  "source.ip": 2,
  "destination.ip": 2,
  "source.mac": 3,
  user: 4,
  "user.name": 4,
  "url.full": 6,
  "file.name": 7,
  "process.name": 9,
};

function detectionFinding(parcel: Parcel, version: string): Told {
  const { fields } = parcel;
  const claim = parcel.claim!;
  const body = base(parcel, version, 2004, 2, "Detection Finding", activities[claim.activity]);
  body["is_alert"] = claim.activity !== "close";
  body["message"] = claim.summary;
  body["status_id"] = statuses[claim.status];
  body["start_time"] = milliseconds(claim.first);
  body["end_time"] = milliseconds(claim.last);
  body["finding_info"] = {
    uid: claim.uid,
    title: claim.rule.title,
    desc: claim.summary,
    created_time: milliseconds(claim.created),
    modified_time: milliseconds(claim.updated),
    first_seen_time: milliseconds(claim.first),
    last_seen_time: milliseconds(claim.last),
    related_events_count: claim.events,
    analytic: { uid: claim.rule.id, name: claim.rule.title, type_id: claim.rule.sigma ? 1 : 0 },
    ...(claim.attack.length > 0 && {
      attacks: claim.attack.map((uid) => (uid.includes(".") ? { sub_technique: { uid } } : { technique: { uid } })),
    }),
  };
  if (claim.entities.length > 0)
    body["observables"] = claim.entities.map(({ type, id }) => ({
      name: type,
      type_id: Object.hasOwn(observables, type) ? observables[type] : 99,
      value: id,
    }));
  const evidence = fields["vedette.evidence.original"];
  const ids = fields["vedette.evidence.id"];
  if (Array.isArray(evidence) && Array.isArray(ids))
    body["evidences"] = evidence.map((original, i) => ({ uid: ids[i], data: { raw_data: original } }));
  return body;
}
