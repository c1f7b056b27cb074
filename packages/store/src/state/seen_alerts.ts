/**
 * Alerts as who sees a part of the events may see them: there is an alert where one event of its evidence is seen, and all that is told of it is
 * told from those events. Evidence is a bounded copy, so what it leaves open is asked of the event store; what neither tells is not seen.
 */
import {
  always,
  type Condition,
  compile,
  evaluate,
  masked,
  type Predicate,
  rowsOf,
  sightOf,
  type View,
  wholeText,
} from "@vedette/condition";
import { auditTenant } from "@vedette/kit";
import type { Alert, Event, EvidenceEvent } from "@vedette/model";

export type LookUp = (
  tenant: string,
  ids: readonly string[],
  range: { readonly from: number; readonly to: number },
) => Promise<readonly Event[]>;

/** Evidence's own bounds (detect/evidence.ts): at them it may be a part of the event only. */
const maxValue = 512;

/** What a condition says of the event that evidence was taken from; undefined where evidence is not enough to say it for sure. */
export function decided(condition: Condition, evidence: EvidenceEvent): boolean | undefined {
  switch (condition.op) {
    case "and":
    case "or": {
      const settles = condition.op === "or";
      let open = false;
      for (const one of condition.of) {
        const says = decided(one, evidence);
        if (says === settles) return settles;
        open ||= says === undefined;
      }
      return open ? undefined : !settles;
    }
    case "not": {
      const says = decided(condition.of, evidence);
      return says === undefined ? undefined : !says;
    }
    case "keyword":
      return undefined;
    default:
      return decidedBy(condition, evidence);
  }
}

/** Several values of a field are one text in evidence, with commas between them: the comparison must say the same of either reading. */
function decidedBy(condition: Extract<Condition, { readonly field: string }>, { fields }: EvidenceEvent): boolean | undefined {
  const of = (field: string): string | undefined => {
    const value = fields[field];
    // what is absent here may have been left out: detectors keep the fields they need only; what is empty may have been null
    return value === undefined || value === "" || value.length >= maxValue ? undefined : value;
  };
  const value = of(condition.field);
  if (value === undefined) return undefined;
  if (condition.op === "fieldref") {
    const other = of(condition.other);
    if (other === undefined || value.includes(",") || other.includes(",")) return undefined;
    return evaluate(condition, { fields: { [condition.field]: value, [condition.other]: other } });
  }
  const says = evaluate(condition, { fields: { [condition.field]: value } });
  if (!value.includes(",")) return says;
  const several = value.split(",");
  if (several.includes("")) return undefined;
  return evaluate(condition, { fields: { [condition.field]: several } }) === says ? says : undefined;
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

/** What a judgement rests on: the alert alone, stored events that were found, or that some were not. */
export type RestsOn = "alert" | "found" | "missing";
export interface Judged {
  /** Absent: it may not be seen. */
  readonly seen?: SeenAlert;
  readonly rests: RestsOn;
}

/** An alert as it may be seen. */
export interface SeenAlert {
  /** Without evidence: what lists are searched and ordered by. */
  readonly outline: Alert;
  whole(): Alert;
}

export class AlertSight {
  readonly #view: View;
  readonly #parts: readonly Part[];
  readonly #everyRow: boolean;
  readonly #lookUp: LookUp;
  readonly #shows = new Map<string, Shows | undefined>();

  constructor(view: View, lookUp: LookUp) {
    this.#view = view;
    this.#parts = view.parts.map(({ rows }) => ({ rows, test: compile(rows) }));
    const rows = rowsOf(view);
    this.#everyRow = rows.op === "and" && rows.of.length === 0;
    this.#lookUp = lookUp;
  }

  /** Those that may be seen, in order. */
  async seen(alerts: readonly Alert[]): Promise<readonly SeenAlert[]> {
    return (await this.judge(alerts)).flatMap(({ seen }) => seen ?? []);
  }

  /** Each of them, in order. */
  async judge(alerts: readonly Alert[]): Promise<readonly Judged[]> {
    const judged = alerts.map(({ evidence }) => evidence.map((event) => this.#parts.map(({ rows }) => decided(rows, event))));
    const found = await this.#found(alerts, judged);
    return alerts.map((alert, n): Judged => {
      let rests: RestsOn = "alert";
      const evidence = alert.evidence.flatMap((event, at): Seen[] => {
        const stored = found.get(event.id);
        if (judged[n]![at]!.includes(undefined)) rests = stored === undefined ? "missing" : rests === "alert" ? "found" : rests;
        const holds = judged[n]![at]!.map((says, part) => says ?? (stored !== undefined && this.#parts[part]!.test(stored)));
        const shows = this.#shownBy(holds);
        return shows === undefined ? [] : [{ event, shows }];
      });
      if (evidence.length === 0) return { rests };
      const outline = this.#told(alert, evidence);
      return { rests, seen: { outline, whole: () => ({ ...outline, evidence: evidence.map(shownEvidence) }) } };
    });
  }

  /** What the parts that let an event through show of it; a view has few parts, so that few sets of them occur. */
  #shownBy(holds: readonly boolean[]): Shows | undefined {
    const name = holds.map(Number).join("");
    if (!this.#shows.has(name)) {
      const parts = this.#view.parts.filter((_, part) => holds[part]).map(({ masks }) => ({ rows: always, masks }));
      this.#shows.set(name, sightOf({ parts })({ fields: {} }));
    }
    return this.#shows.get(name);
  }

  /** The stored events of the evidence that leaves something open. */
  async #found(
    alerts: readonly Alert[],
    judged: readonly (readonly (readonly (boolean | undefined)[])[])[],
  ): Promise<ReadonlyMap<string, Event>> {
    const found = new Map<string, Event>();
    const open = alerts.flatMap(({ tenant, evidence }, n) =>
      evidence.filter((_, at) => judged[n]![at]!.includes(undefined)).map((event) => ({ tenant, event })),
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
    const history = alert.history.map((one) => (one.note === undefined ? one : { ...one, note: masked }));
    const told = { ...rest, title: alert.rule.title, summary: alert.rule.title, evidence: [], history };
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
