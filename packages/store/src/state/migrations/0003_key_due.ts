/** A consumer may leave keys in the table and ask for those it must look at. Never edited once released. */
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

export const keyDue: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema.alterTable("checkpoint_key").addColumn("due", "bigint").execute();
    // nobody knows when those were to be looked at: at once
    await db.updateTable("checkpoint_key").set({ due: 0 }).execute();
    await db.schema.createIndex("checkpoint_key_by_due").on("checkpoint_key").columns(["consumer", "due"]).execute();
  },
};
