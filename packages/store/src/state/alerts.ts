/** Alerts in the state database. Knows neither rules nor how findings are grouped. */
import { BadInputError, VedetteError } from "@vedette/kit";
import { type Alert, severities } from "@vedette/model";
import { type ExpressionBuilder, sql } from "kysely";
import type { AlertFilter, AlertStore, FoldedFinding } from "../store.ts";
import { forgetEvents, lastSerial, slices, takeSerials, textOf, upsertAlerts } from "./alert_rows.ts";
import { AlertSight, type LookUp } from "./seen_alerts.ts";
import { SeenCache, type StoredChanges } from "./seen_cache.ts";
import { type AlertRows, listSeen } from "./seen_list.ts";
import type { State, Tables } from "./tables.ts";

const triageOffset = "triage.offset";

const alertOf = (body: string): Alert => JSON.parse(body) as Alert;

/** `in ()` is no SQL everywhere. */
const among = (eb: ExpressionBuilder<Tables, "alert">, column: "state" | "severity", values: readonly (string | number)[]) =>
  values.length === 0 ? eb(eb.val(1), "=", 0) : eb(column, "in", values as never);

function matches(eb: ExpressionBuilder<Tables, "alert">, filter: AlertFilter) {
  const all = [
    eb("tenant", "=", filter.tenant),
    eb("shadow", "=", filter.shadow ? 1 : 0),
    eb("historical", "=", filter.historical ? 1 : 0),
  ];
  if (filter.states !== undefined) all.push(among(eb, "state", filter.states));
  if (filter.severities !== undefined)
    all.push(
      among(
        eb,
        "severity",
        filter.severities.map((one) => severities.indexOf(one)),
      ),
    );
  if (filter.rule !== undefined) all.push(eb("rule", "=", filter.rule));
  if (filter.range !== undefined) all.push(eb("last_seen", ">=", filter.range.from), eb("last_seen", "<", filter.range.to));
  if (filter.entity !== undefined) {
    all.push(eb("id", "in", eb.selectFrom("alert_entity").select("alert").where("alert_entity.id", "=", filter.entity)));
  }
  if (filter.text !== undefined && filter.text !== "") {
    const pattern = `%${filter.text.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
    all.push(eb(eb.ref("text"), "like", sql<string>`${pattern} escape '\\'`));
  }
  return eb.and(all);
}

function readCursor(cursor: string): readonly [number, string] {
  try {
    const [time, id] = JSON.parse(Buffer.from(cursor, "base64url").toString()) as [unknown, unknown];
    if (typeof time === "number" && typeof id === "string") return [time, id];
  } catch {
    // falls through to the one message
  }
  throw new BadInputError("bad_request", "cursor: not one that a list returned");
}

/** Under the lock of `takeSerials`: what was read is as it was, and what was not there still is not. @throws VedetteError `conflict` */
async function demandUnchanged(tx: State, alerts: readonly { readonly alert: Alert; readonly was?: number }[]): Promise<void> {
  const read = new Map(alerts.map(({ alert, was }) => [alert.id, was]));
  for (const some of slices([...read.keys()])) {
    const rows = await tx.selectFrom("alert").select(["id", "updated"]).where("id", "in", some).execute();
    const changed = rows.find(({ id, updated }) => Number(updated) !== read.get(id));
    if (changed) throw new VedetteError("conflict", false, `alert ${changed.id} was changed meanwhile`);
  }
}

const writeCursor = (time: number, id: string): string => Buffer.from(JSON.stringify([time, id])).toString("base64url");

/** The same, without the tests that what is told of an alert decides. */
const rowsOf = (state: State, { text: _text, entity: _entity, range: _range, ...inRow }: AlertFilter): AlertRows => ({
  after: (id, limit) =>
    state
      .selectFrom("alert")
      .select(["id", "serial"])
      .where((eb) => eb.and([matches(eb, inRow), eb("id", ">", id)]))
      .orderBy("id")
      .limit(limit)
      .execute(),
  async load(ids) {
    const found = [];
    for (const some of slices(ids))
      found.push(...(await state.selectFrom("alert").select(["serial", "body"]).where("id", "in", some).execute()));
    return found.map(({ serial, body }) => ({ serial, alert: alertOf(body) }));
  },
});

/** As if something changed all the time. */
function restless(): () => StoredChanges {
  let n = 0;
  return () => ({ added: ++n, removed: n });
}

/**
 * Newest first by (last_seen, id).
 * @param lookUp stored events, for what an alert's evidence leaves open
 * @param changes of them; where it is not given, nothing that rests on them is remembered
 */
export function alertStore(state: State, lookUp: LookUp, changes: () => StoredChanges = restless()): AlertStore {
  const cache = new SeenCache(textOf);
  return {
    async byGroup(keys) {
      const found = new Map<string, Alert>();
      for (const some of slices(keys)) {
        const rows = await state
          .selectFrom("alert")
          .select(["group_key", "body"])
          .where("group_key", "in", some)
          .where("state", "!=", "closed")
          .orderBy("updated")
          .execute();
        for (const row of rows) found.set(row.group_key, alertOf(row.body));
      }
      return found;
    },
    async ofRule(rule, limit, after = "") {
      const rows = await state
        .selectFrom("alert")
        .select(["group_key", "body"])
        .where("rule", "=", rule)
        .where("id", ">", after)
        .orderBy("id")
        .limit(limit)
        .execute();
      return rows.map((row) => ({ group: row.group_key, alert: alertOf(row.body) }));
    },
    async seen(findings) {
      const found = new Map<string, FoldedFinding>();
      for (const some of slices(findings)) {
        const rows = await state.selectFrom("folded_finding").selectAll().where("id", "in", some).execute();
        for (const { id, alert, revision, events } of rows) found.set(id, { alert, revision, events });
      }
      return found;
    },
    async fold(offset, alerts, findings) {
      await state.transaction().execute(async (tx) => {
        if (alerts.length > 0) {
          const serial = await takeSerials(tx, alerts.length);
          await demandUnchanged(tx, alerts);
          await upsertAlerts(tx, alerts, serial);
        }
        for (const some of slices([...new Map(findings.map((one) => [one.id, one])).values()])) {
          await tx
            .insertInto("folded_finding")
            .values(some.map(({ id, alert, revision, events }) => ({ id, alert, revision, events })))
            .onConflict((conflict) =>
              conflict.column("id").doUpdateSet((eb) => ({
                alert: eb.ref("excluded.alert"),
                revision: eb.ref("excluded.revision"),
                events: eb.ref("excluded.events"),
              })),
            )
            .execute();
        }
        // whoever stood still while another went on must not take the place back
        const { numInsertedOrUpdatedRows } = await tx
          .insertInto("progress")
          .values({ name: triageOffset, value: offset })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: offset }).where("progress.value", "<=", offset))
          .executeTakeFirstOrThrow();
        if (!numInsertedOrUpdatedRows) throw new VedetteError("conflict", false, `findings beyond batch ${offset} are folded already`);
      });
    },
    async offset() {
      return (await state.selectFrom("progress").select("value").where("name", "=", triageOffset).executeTakeFirst())?.value ?? 0;
    },
    async list(filter, limit, cursor) {
      if (filter.view !== undefined) {
        const asked = { filter, sight: new AlertSight(filter.view, lookUp), before: cache.of(filter.view, changes()) };
        const { next, ...page } = await listSeen(
          rowsOf(state, filter),
          asked,
          limit,
          cursor === undefined ? undefined : readCursor(cursor),
        );
        return { ...page, ...(next && { cursor: writeCursor(...next) }) };
      }
      const { total } = await state
        .selectFrom("alert")
        .select((eb) => eb.fn.countAll<number>().as("total"))
        .where((eb) => matches(eb, filter))
        .executeTakeFirstOrThrow();
      let query = state
        .selectFrom("alert")
        .select(["id", "last_seen", "body"])
        .where((eb) => matches(eb, filter));
      if (cursor !== undefined) {
        const [time, id] = readCursor(cursor);
        query = query.where((eb) => eb.or([eb("last_seen", "<", time), eb.and([eb("last_seen", "=", time), eb("id", "<", id)])]));
      }
      const rows = await query
        .orderBy("last_seen", "desc")
        .orderBy("id", "desc")
        .limit(limit + 1)
        .execute();
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const alerts = page.map((row) => alertOf(row.body));
      if (rows.length <= limit || last === undefined) return { alerts, total: Number(total) };
      return { alerts, total: Number(total), cursor: writeCursor(last.last_seen, last.id) };
    },
    async get(tenant, id, view) {
      const row = await state.selectFrom("alert").select("body").where("tenant", "=", tenant).where("id", "=", id).executeTakeFirst();
      if (row === undefined) return undefined;
      const alert = alertOf(row.body);
      return view === undefined ? alert : (await new AlertSight(view, lookUp).seen([alert]))[0]?.whole();
    },
    async replace(alert, updated) {
      return await state.transaction().execute(async (tx) => {
        const serial = await takeSerials(tx, 1);
        const row = await tx
          .selectFrom("alert")
          .select(["group_key", "updated"])
          .where("tenant", "=", alert.tenant)
          .where("id", "=", alert.id)
          .executeTakeFirst();
        if (row === undefined || row.updated !== updated) return false;
        await upsertAlerts(tx, [{ group: row.group_key, alert }], serial);
        return true;
      });
    },
    async changed(after, limit) {
      const rows = await state
        .selectFrom("alert")
        .select(["serial", "body"])
        .where("serial", ">", after)
        .orderBy("serial")
        .limit(limit)
        .execute();
      return rows.map(({ serial, body }) => ({ serial, alert: alertOf(body) }));
    },
    async lastChange() {
      return (await state.selectFrom("progress").select("value").where("name", "=", lastSerial).executeTakeFirst())?.value ?? 0;
    },
    async clearDemo() {
      return await state.transaction().execute(async (tx) => {
        await takeSerials(tx, 0);
        // and with them what belongs to them
        const { numDeletedRows } = await tx.deleteFrom("alert").where("demo", "=", 1).executeTakeFirst();
        await forgetEvents(tx);
        return Number(numDeletedRows);
      });
    },
  };
}
