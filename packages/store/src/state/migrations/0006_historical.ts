/** Findings of historical loads are listed apart from what people work on. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const historical: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .alterTable("alert")
      .addColumn("historical", "integer", (c) => c.notNull().defaultTo(0))
      .execute();
  },
};
