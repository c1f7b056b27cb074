/** Keys of API clients. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const apiKeys: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .createTable("api_key")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("expires", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .execute();
  },
};
