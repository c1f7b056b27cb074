/** Every change of an alert gets a number, by which whoever sends alerts on knows what it has not sent. Never edited once released. */
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

export const alertSerial: Migration = {
  // Kysely's own convention: a migration must not depend on today's table types.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  async up(db: Kysely<any>) {
    await db.schema
      .alterTable("alert")
      .addColumn("serial", "bigint", (c) => c.notNull().defaultTo(0))
      .execute();
    await sql`update alert set serial = numbered.n
      from (select id, row_number() over (order by updated, id) as n from alert) as numbered where numbered.id = alert.id`.execute(db);
    await sql`insert into progress (name, value) select 'alert.serial', count(*) from alert`.execute(db);
    await db.schema.createIndex("alert_by_serial").on("alert").columns(["serial"]).execute();
  },
};
