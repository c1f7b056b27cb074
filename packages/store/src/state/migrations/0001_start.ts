/** First tables: sealed partitions, progress, alerts, checkpoints, settings. Never edited once released; later changes are later files. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

// Kysely's own convention: a migration must not depend on today's table types.
// biome-ignore lint/suspicious/noExplicitAny: see above
type Any = Kysely<any>;

async function events(db: Any): Promise<void> {
  await db.schema
    .createTable("partition")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("segment", "bigint", (c) => c.notNull())
    .addColumn("hour", "bigint", (c) => c.notNull())
    .addColumn("class", "text", (c) => c.notNull())
    .addColumn("rows", "bigint", (c) => c.notNull())
    .addColumn("bytes", "bigint", (c) => c.notNull())
    .addColumn("original_bytes", "bigint", (c) => c.notNull())
    .addColumn("demo", "bigint", (c) => c.notNull())
    .addColumn("odd", "text", (c) => c.notNull())
    .addColumn("min_time", "bigint", (c) => c.notNull())
    .addColumn("max_time", "bigint", (c) => c.notNull())
    .addColumn("format", "integer", (c) => c.notNull())
    .execute();
  await db.schema
    .createTable("progress")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("value", "bigint", (c) => c.notNull())
    .execute();
}

async function alerts(db: Any): Promise<void> {
  await db.schema
    .createTable("alert")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("tenant", "text", (c) => c.notNull())
    .addColumn("group_key", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull())
    .addColumn("severity", "integer", (c) => c.notNull())
    .addColumn("rule", "text", (c) => c.notNull())
    .addColumn("first_seen", "bigint", (c) => c.notNull())
    .addColumn("last_seen", "bigint", (c) => c.notNull())
    .addColumn("updated", "bigint", (c) => c.notNull())
    .addColumn("demo", "integer", (c) => c.notNull())
    .addColumn("text", "text", (c) => c.notNull())
    .addColumn("body", "text", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("alert_by_group").on("alert").columns(["group_key", "state"]).execute();
  await db.schema.createIndex("alert_by_time").on("alert").columns(["tenant", "last_seen", "id"]).execute();
  await db.schema
    .createTable("alert_entity")
    .addColumn("alert", "text", (c) => c.notNull().references("alert.id").onDelete("cascade"))
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("alert_entity_key", ["alert", "type", "id"])
    .execute();
  await db.schema.createIndex("alert_entity_by_id").on("alert_entity").columns(["id"]).execute();
  await db.schema
    .createTable("folded_finding")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("alert", "text", (c) => c.notNull())
    .addColumn("revision", "integer", (c) => c.notNull())
    .addColumn("events", "bigint", (c) => c.notNull())
    .execute();
  await db.schema.createIndex("folded_finding_by_alert").on("folded_finding").columns(["alert"]).execute();
}

async function runtime(db: Any): Promise<void> {
  await db.schema
    .createTable("checkpoint")
    .addColumn("consumer", "text", (c) => c.primaryKey())
    .addColumn("epoch", "bigint", (c) => c.notNull())
    .addColumn("offset", "bigint", (c) => c.notNull())
    .addColumn("meta", "text")
    .execute();
  await db.schema
    .createTable("checkpoint_key")
    .addColumn("consumer", "text", (c) => c.notNull())
    .addColumn("shard", "integer", (c) => c.notNull())
    .addColumn("key", "text", (c) => c.notNull())
    .addColumn("value", "text", (c) => c.notNull())
    .addPrimaryKeyConstraint("checkpoint_key_key", ["consumer", "shard", "key"])
    .execute();
  await db.schema
    .createTable("setting")
    .addColumn("name", "text", (c) => c.primaryKey())
    .addColumn("value", "text", (c) => c.notNull())
    .execute();
}

export const start: Migration = {
  async up(db) {
    await events(db);
    await alerts(db);
    await runtime(db);
  },
};
