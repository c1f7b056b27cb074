/**
 * Alerts as who sees a part of the events may see them: there is an alert where one event of its evidence is seen, and all that is told of it is
 * told from those events. Evidence is a bounded copy, so what it leaves open is asked of the event store; what neither tells is not seen.
 */
import { type Condition, compile, evaluate, masked, type Predicate, rowsOf, sightOf, type View, wholeText } from "@vedette/condition";
import { auditTenant } from "@vedette/kit";
import type { Alert, Event, EvidenceEvent } from "@vedette/model";

export type LookUp = (
  tenant: string,
  ids: readonly string[],
  range: { readonly from: number; readonly to: number },
) => Promise<readonly Event[]>;

/** Evidence's own bounds (detect/evidence.ts): at them it may be a part of the event only. */
const maxValue = 512;

/** The texts that an event's field may have had which evidence keeps as one text: several values are written with commas between them. */
function readings({ fields, original }: EvidenceEvent): readonly { readonly fields: Event["fields"]; readonly original: string }[] {
  const split = Object.entries(fields).filter(([, value]) => value.includes(","));
  if (split.length === 0) return [{ fields, original }];
  return [
    { fields, original },
    { fields: { ...fields, ...Object.fromEntries(split.map(([name, value]) => [name, value.split(",")])) }, original },
  ];
}

/** Whether evidence is enough to say that the condition holds (or does not) for the event it was taken from. */
export function surely(condition: Condition, evidence: EvidenceEvent, wanted: boolean): boolean {
  switch (condition.op) {
    case "and":
    case "or":
      return (condition.op === "and") === wanted
        ? condition.of.every((one) => surely(one, evidence, wanted))
        : condition.of.some((one) => surely(one, evidence, wanted));
    case "not":
      return surely(condition.of, evidence, !wanted);
    case "keyword":
      return false;
    default: {
      const named = condition.op === "fieldref" ? [condition.field, condition.other] : [condition.field];
      const whole = named.every((field) => {
        const value = evidence.fields[field];
        // what is absent here may have been left out: detectors keep the fields they need only; nothing between commas may have been null
        return value !== undefined && value.length < maxValue && value.split(",").every((one) => one !== "");
      });
      if (condition.op === "fieldref" && named.some((field) => evidence.fields[field]?.includes(","))) return false;
      return whole && readings(evidence).every((one) => evaluate(condition, one) === wanted);
    }
  }
}

interface Part {
  readonly rows: Condition;
  readonly test: Predicate;
}
type Shows = (field: string) => boolean;
interface Seen {
  readonly event: EvidenceEvent;
  readonly shows: Shows;
}

export class AlertSight {
  readonly #view: View;
  readonly #parts: readonly Part[];
  readonly #everyRow: boolean;
  readonly #lookUp: LookUp;

  constructor(view: View, lookUp: LookUp) {
    this.#view = view;
    this.#parts = view.parts.map(({ rows }) => ({ rows, test: compile(rows) }));
    const rows = rowsOf(view);
    this.#everyRow = rows.op === "and" && rows.of.length === 0;
    this.#lookUp = lookUp;
  }

  /** Each as it may be seen; those that may not are left out. */
  async seen(alerts: readonly Alert[]): Promise<readonly Alert[]> {
    const found = await this.#found(alerts);
    return alerts.flatMap((alert) => {
      const evidence = alert.evidence.flatMap((event): Seen[] => {
        const parts = this.#parts.flatMap((part, at) => (this.#holds(part, event, found.get(event.id)) ? [this.#view.parts[at]!] : []));
        const shows = sightOf({ parts: parts.map(({ masks }) => ({ rows: { op: "and", of: [] }, masks })) })({ fields: {} });
        return shows === undefined ? [] : [{ event, shows }];
      });
      return evidence.length === 0 ? [] : [this.#told(alert, evidence)];
    });
  }

  #holds({ rows, test }: Part, evidence: EvidenceEvent, event: Event | undefined): boolean {
    return event === undefined ? surely(rows, evidence, true) : test(event);
  }

  /** The stored events of the evidence that leaves something open. */
  async #found(alerts: readonly Alert[]): Promise<ReadonlyMap<string, Event>> {
    const found = new Map<string, Event>();
    const open = alerts.flatMap(({ tenant, evidence }) =>
      evidence
        .filter((event) => this.#parts.some(({ rows }) => !surely(rows, event, true) && !surely(rows, event, false)))
        .map((event) => ({ tenant, event })),
    );
    for (const tenant of new Set(open.map((one) => one.tenant))) {
      const events = open.filter((one) => one.tenant === tenant).map((one) => one.event);
      const times = events.map((one) => one.time);
      const range = { from: times.reduce((a, b) => Math.min(a, b)), to: times.reduce((a, b) => Math.max(a, b)) + 1 };
      for (const where of [tenant, auditTenant(tenant)]) {
        const ids = events.map((one) => one.id).filter((id) => !found.has(id));
        if (ids.length === 0) break;
        for (const event of await this.#lookUp(where, ids, range)) found.set(event.id, event);
      }
    }
    return found;
  }

  /** Texts of rules and people may quote what is not shown. Where some rows are not seen, counts and times are those of the evidence that is. */
  #told(alert: Alert, seen: readonly Seen[]): Alert {
    const { versions: _versions, retracted: _retracted, ...rest } = alert;
    const evidence = seen.map(shownEvidence);
    const history = alert.history.map((one) => (one.note === undefined ? one : { ...one, note: masked }));
    const told = { ...rest, title: alert.rule.title, summary: alert.rule.title, evidence, history };
    if (this.#everyRow) return { ...told, entities: alert.entities.filter(({ type }) => seen.every(({ shows }) => shows(type))) };
    const times = seen.map(({ event }) => event.time);
    const [first_seen, last_seen] = [times.reduce((a, b) => Math.min(a, b)), times.reduce((a, b) => Math.max(a, b))];
    const byPeople = history.filter((one) => one.by !== "vedette");
    return {
      ...told,
      entities: alert.entities.filter((entity) => seen.some((one) => names(one, entity))),
      count: Math.min(alert.count, seen.length),
      events: seen.length,
      first_seen,
      last_seen,
      created: first_seen,
      updated: byPeople.reduce((latest, one) => Math.max(latest, one.at), last_seen),
      history: [{ at: first_seen, by: "vedette", what: "opened" }, ...byPeople],
    };
  }
}

function shownEvidence({ event, shows }: Seen): EvidenceEvent {
  const fields: { [ecs: string]: string } = {};
  // `__proto__` is a field name like any other here
  for (const [name, value] of Object.entries(event.fields))
    Object.defineProperty(fields, name, { value: shows(name) ? value : masked, enumerable: true });
  // a clause without a field matched somewhere in the text
  const matches = event.matches.filter(({ field }) => shows(field === "" ? wholeText : field));
  return { ...event, fields, matches, original: shows(wholeText) ? event.original : masked };
}

/** Whether an event that is seen names the entity. */
function names({ event, shows }: Seen, { type, id }: Alert["entities"][number]): boolean {
  if (!shows(type)) return false;
  if (type === "source") return event.source === id;
  const value = event.fields[type];
  return value !== undefined && (value === id || value.split(",").includes(id));
}
