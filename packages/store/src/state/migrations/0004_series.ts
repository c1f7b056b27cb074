/** Sealed files of series' roll-ups. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const series: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .createTable("series_file")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("width", "bigint", (column) => column.notNull())
      .addColumn("level", "integer", (column) => column.notNull())
      .addColumn("rows", "bigint", (column) => column.notNull())
      .addColumn("bytes", "bigint", (column) => column.notNull())
      .addColumn("min_time", "bigint", (column) => column.notNull())
      .addColumn("max_time", "bigint", (column) => column.notNull())
      .execute();
  },
};
