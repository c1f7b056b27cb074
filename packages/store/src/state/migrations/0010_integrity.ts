/**
 * Events that alerts rest on are known by themselves; sessions, keys, folded findings and evidence belong to somebody or something that is there.
 * Names of keys become short enough for an index of PostgreSQL. Never edited once released.
 */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { nameOfKey } from "../key_names.ts";

// Kysely's own convention: a migration must not depend on today's table types.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = Kysely<any>;

/** Alerts read at once. */
const page = 200;

async function evidence(db: Any): Promise<void> {
  await db.schema
    .createTable("event_of_interest")
    .addColumn("tenant", "text", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("time", "bigint", (c) => c.notNull())
    .addColumn("source", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("event_of_interest_key", ["tenant", "id"])
    .execute();
  await db.schema
    .createTable("alert_event")
    .addColumn("alert", "text", (c) => c.notNull().references("alert.id").onDelete("cascade"))
    .addColumn("tenant", "text", (c) => c.notNull())
    .addColumn("event", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("alert_event_key", ["alert", "event"])
    .addForeignKeyConstraint("alert_event_event", ["tenant", "event"], "event_of_interest", ["tenant", "id"])
    .execute();
  await db.schema.createIndex("alert_event_by_event").on("alert_event").columns(["tenant", "event"]).execute();
  for (let last = ""; ; ) {
    const rows = await db.selectFrom("alert").select(["id", "tenant", "body"]).where("id", ">", last).orderBy("id").limit(page).execute();
    for (const { id, tenant, body } of rows) await rest(db, id, tenant, JSON.parse(body).evidence ?? []);
    if (rows.length < page) return;
    last = rows.at(-1)!["id"];
  }
}

async function rest(db: Any, alert: string, tenant: string, events: readonly { id: string; time: number; source: string }[]) {
  for (const { id, time, source } of events) {
    await db
      .insertInto("event_of_interest")
      .values({ tenant, id, time, source })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await db
      .insertInto("alert_event")
      .values({ alert, tenant, event: id })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

/** SQLite adds no foreign key to a table that is there: each is made anew. What belonged to nobody any more is left behind. */
async function owned(db: Any): Promise<void> {
  await db.schema
    .createTable("owned_session")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("person", "text", (c) => c.references("person.id").onDelete("cascade"))
    .addColumn("expires", "bigint", (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .execute();
  await sql`insert into owned_session (id, person, expires, body) select id, nullif(person, ''), expires, body from session
    where person = '' or person in (select id from person)`.execute(db);
  await replace(db, "session");
  await db.schema
    .createTable("owned_api_key")
    .addColumn("hash", "text", (c) => c.primaryKey())
    .addColumn("owner", "text", (c) => c.references("person.id").onDelete("cascade"))
    .addColumn("expires", "bigint", (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .execute();
  await sql`insert into owned_api_key (hash, owner, expires, body) select hash, nullif(owner, ''), expires, body from api_key
    where owner = '' or owner in (select id from person)`.execute(db);
  await replace(db, "api_key");
  await db.schema
    .createTable("owned_folded_finding")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("alert", "text", (c) => c.notNull().references("alert.id").onDelete("cascade"))
    .addColumn("revision", "integer", (c) => c.notNull())
    .addColumn("events", "bigint", (c) => c.notNull())
    .execute();
  await sql`insert into owned_folded_finding (id, alert, revision, events) select id, alert, revision, events from folded_finding
    where alert in (select id from alert)`.execute(db);
  await replace(db, "folded_finding");
  await db.schema.createIndex("session_by_person").on("session").columns(["person"]).execute();
  await db.schema.createIndex("api_key_by_owner").on("api_key").columns(["owner"]).execute();
  await db.schema.createIndex("folded_finding_by_alert").on("folded_finding").columns(["alert"]).execute();
}

async function replace(db: Any, table: string): Promise<void> {
  await db.schema.dropTable(table).execute();
  await db.schema.alterTable(`owned_${table}`).renameTo(table).execute();
}

async function shortNames(db: Any): Promise<void> {
  // SQLite's length and like end at a NUL, and keys have one
  const rows = await db
    .selectFrom("checkpoint_key")
    .select(["consumer", "shard", "key", "value"])
    .where(sql<boolean>`octet_length(key) > 500 or replace(key, ${"\u0002#"}, '') <> key`)
    .execute();
  for (const { consumer, shard, key, value } of rows) {
    const name = nameOfKey(key);
    if (name === key) continue;
    await db
      .updateTable("checkpoint_key")
      .set({ key: name, value: `${key.length}:${key}${value}` })
      .where("consumer", "=", consumer)
      .where("shard", "=", shard)
      .where("key", "=", key)
      .execute();
  }
}

export const integrity: Migration = {
  async up(db) {
    await evidence(db);
    await owned(db);
    await shortNames(db);
  },
};
