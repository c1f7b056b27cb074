/** Machines, their certificates and enrolments. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const machines: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .createTable("machine")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("body", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("machine_certificate")
      .addColumn("serial", "text", (column) => column.primaryKey())
      .addColumn("machine", "text", (column) => column.notNull())
      .addColumn("expires", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("machine_enrolment")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("expires", "bigint", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .execute();
  },
};
