/** Findings of rules on trial are kept beside the alerts and listed apart. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const shadow: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .alterTable("alert")
      .addColumn("shadow", "integer", (c) => c.notNull().defaultTo(0))
      .execute();
    await db.schema.createIndex("alert_by_rule").on("alert").columns(["rule", "id"]).execute();
  },
};
