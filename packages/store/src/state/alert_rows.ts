/** Alerts as rows, and what is told of them in tables of their own: written in a few statements, however many there are. Knows no question. */
import { type Alert, severities } from "@vedette/model";
import type { State, Tables } from "./tables.ts";

export const lastSerial = "alert.serial";
/** Parameters per `IN` list. */
const idsPerStatement = 500;

export function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += idsPerStatement) yield items.slice(at, at + idsPerStatement);
}

/** What alerts are searched by. */
export function textOf({ title, summary, rule, entities }: Alert): string {
  return `${title}\n${summary}\n${rule.title}\n${entities.map((entity) => entity.id).join("\n")}`.toLowerCase();
}

function rowOf(alert: Alert, group: string, serial: number): Tables["alert"] {
  return {
    id: alert.id,
    tenant: alert.tenant,
    group_key: group,
    state: alert.state,
    severity: severities.indexOf(alert.severity),
    rule: alert.rule.id,
    first_seen: alert.first_seen,
    last_seen: alert.last_seen,
    updated: alert.updated,
    demo: alert.demo ? 1 : 0,
    shadow: alert.shadow ? 1 : 0,
    historical: alert.historical ? 1 : 0,
    serial,
    text: textOf(alert),
    body: JSON.stringify(alert),
  };
}
/**
 * Takes the next so many numbers of changes and returns the last. The row's lock orders transactions, so whoever changes alerts comes here first:
 * whoever reads a number reads all before it, and what is read after it is not changed by others.
 */
export async function takeSerials(db: State, count: number): Promise<number> {
  const { value } = await db
    .insertInto("progress")
    .values({ name: lastSerial, value: count })
    .onConflict((conflict) => conflict.column("name").doUpdateSet((eb) => ({ value: eb("progress.value", "+", count) })))
    .returning("value")
    .executeTakeFirstOrThrow();
  return value;
}

/** Replaces what is told of alerts in tables of their own: whom they are about, which events they rest on. */
async function writeParts(db: State, alerts: readonly Alert[]): Promise<void> {
  const entities = alerts.flatMap((alert) => {
    const own = new Map(alert.entities.map(({ type, id }) => [`${type}\0${id}`, { alert: alert.id, type, id }]));
    return [...own.values()];
  });
  const links = alerts.flatMap(({ id, tenant, evidence }) =>
    [...new Set(evidence.map((event) => event.id))].map((event) => ({ alert: id, tenant, event })),
  );
  const events = new Map(
    alerts.flatMap(({ tenant, evidence }) =>
      evidence.map(({ id, time, source }) => [`${tenant}\0${id}`, { tenant, id, time, source }] as const),
    ),
  );
  for (const some of slices(alerts.map(({ id }) => id))) {
    await db.deleteFrom("alert_entity").where("alert", "in", some).execute();
    await db.deleteFrom("alert_event").where("alert", "in", some).execute();
  }
  for (const some of slices(entities)) await db.insertInto("alert_entity").values(some).execute();
  for (const some of slices([...events.values()]))
    await db
      .insertInto("event_of_interest")
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  for (const some of slices(links)) await db.insertInto("alert_event").values(some).execute();
}

const changing = [
  "tenant",
  "group_key",
  "state",
  "severity",
  "rule",
  "first_seen",
  "last_seen",
  "updated",
  "demo",
  "shadow",
  "historical",
  "serial",
  "text",
  "body",
] as const satisfies readonly (keyof Tables["alert"])[];

/** Numbered in their order; what stands twice among them counts as it stands last. */
export async function upsertAlerts(
  db: State,
  given: readonly { readonly group: string; readonly alert: Alert }[],
  serial: number,
): Promise<void> {
  const alerts = [...new Map(given.map((one) => [one.alert.id, one])).values()];
  const first = serial - alerts.length + 1;
  for (const some of slices(alerts.map(({ alert, group }, n) => rowOf(alert, group, first + n)))) {
    await db
      .insertInto("alert")
      .values(some)
      .onConflict((conflict) =>
        conflict
          .column("id")
          .doUpdateSet((eb) => Object.fromEntries(changing.map((column) => [column, eb.ref(`excluded.${column}`)])) as object),
      )
      .execute();
  }
  await writeParts(
    db,
    alerts.map(({ alert }) => alert),
  );
}

/** Of no alert any more. */
export async function forgetEvents(db: State): Promise<void> {
  await db
    .deleteFrom("event_of_interest")
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("alert_event")
            .select("alert")
            .whereRef("alert_event.tenant", "=", "event_of_interest.tenant")
            .whereRef("alert_event.event", "=", "event_of_interest.id"),
        ),
      ),
    )
    .execute();
}
