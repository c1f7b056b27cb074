/** What an alert keeps of an event, independent of the event store's retention: bounded copies. Knows no rule. */
import type { Entity, Event, EvidenceEvent, Fields, Match } from "@vedette/model";

/** Bounds of stored evidence; an alert page shows these, the full event is in the store while retention lasts. */
const maxFields = 64;
const maxValue = 512;
const maxOriginal = 2_048;

export function evidenceOf(
  event: Pick<Event, "id" | "time" | "source" | "seq" | "fields" | "original">,
  matches: readonly Match[],
): EvidenceEvent {
  const fields: { [ecs: string]: string } = {};
  let n = 0;
  for (const name in event.fields) {
    const value = event.fields[name];
    if (value === undefined || value === null) continue;
    if (++n > maxFields) break;
    // `__proto__` is a field name like any other here; plain assignment would set the prototype
    Object.defineProperty(fields, name, { value: String(value).slice(0, maxValue), enumerable: true });
  }
  return {
    id: event.id,
    time: event.time,
    source: event.source,
    seq: event.seq,
    matches: matches.map((m) => ({ ...m, value: m.value.slice(0, maxValue) })),
    fields,
    original: event.original.slice(0, maxOriginal),
  };
}

/**
 * Fields that name somebody or something, most telling first for each kind of event; the first present is what alerts group by. Where a batch
 * job is known it is that, whatever the event: thousands of processes of one job are one matter, and the host is shared by many.
 */
const byClass: { readonly [C in Event["class"]]: readonly string[] } = {
  authentication: ["source.ip", "user.name", "host.name"],
  process: ["host.name", "user.name"],
  network: ["source.ip", "destination.ip", "host.name"],
  web: ["source.ip", "host.name", "url.domain"],
  cloud: ["user.name", "user.id", "cloud.account.id", "source.ip"],
  host: ["host.name", "user.name", "source.ip"],
  audit: ["user.name", "host.name", "source.ip"],
  other: ["host.name", "source.ip", "user.name"],
};
const jobFields = ["hpc.job.id", "hpc.cluster"];
const also = ["host.name", "user.name", "source.ip", "destination.ip", "process.executable"];

/** Numbers of Linux accounts that are people's: UID_MIN of login.defs(5), without nobody and (uid_t)-1. */
const isPerson = (uid: number): boolean => uid >= 1_000 && uid < 4_294_967_295 && uid !== 65_534;

/** Whose session a process is of: on a machine that many share, what one of them does is not the host's. */
const isPersons = ({ class: kind, fields }: { readonly class: Event["class"]; readonly fields: Fields }): boolean =>
  kind === "process" && fields["user.name"] !== undefined && isPerson(Number(fields["user.id"] ?? Number.NaN));

/** Entities of an event; `preferred` (a rule's `vedette.entity`) comes first. Never empty: the source stands in. */
export function entitiesOf(
  event: { readonly class: Event["class"]; readonly source: string; readonly fields: Fields },
  preferred?: string,
): readonly Entity[] {
  const entities: Entity[] = [];
  const add = (type: string) => {
    const value = event.fields[type];
    const id = Array.isArray(value) ? value[0] : value;
    if (id === undefined || id === null || id === "" || entities.some((e) => e.type === type)) return;
    entities.push({ type, id: String(id).slice(0, maxValue) });
  };
  if (event.fields["hpc.job.id"] !== undefined) for (const type of jobFields) add(type);
  if (preferred) add(preferred);
  else if (isPersons(event)) add("user.name");
  for (const type of byClass[event.class]) add(type);
  for (const type of also) add(type);
  return entities.length > 0 ? entities.slice(0, 8) : [{ type: "source", id: event.source }];
}
