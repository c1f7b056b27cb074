/** Who writes the events of each raw partition to a shared folder, and which files there count. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const sharedEvents: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .createTable("event_writer")
      .addColumn("partition", "integer", (column) => column.primaryKey())
      .addColumn("epoch", "bigint", (column) => column.notNull())
      .addColumn("takeover", "bigint", (column) => column.notNull())
      .addColumn("applied", "bigint", (column) => column.notNull())
      .addColumn("sealed_segment", "bigint", (column) => column.notNull())
      .addColumn("left_open", "text", (column) => column.notNull())
      .execute();
    let files = db.schema
      .createTable("event_file")
      .addColumn("partition", "integer", (column) => column.notNull())
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("class", "text", (column) => column.notNull())
      .addColumn("odd", "text", (column) => column.notNull())
      .addColumn("format", "integer", (column) => column.notNull());
    for (const name of ["segment", "hour", "rows", "bytes", "original_bytes", "demo", "min_time", "max_time"])
      files = files.addColumn(name, "bigint", (column) => column.notNull());
    await files.addPrimaryKeyConstraint("event_file_key", ["partition", "name"]).execute();
    await db.schema.createIndex("event_file_by_time").on("event_file").columns(["max_time", "min_time"]).execute();
    await db.schema.createIndex("event_file_by_hour").on("event_file").columns(["class", "hour"]).execute();
  },
};
