/** Keys of API clients in the state database. Knows nothing of what their bodies say. */
import type { KeyStore } from "@vedette/model";
import type { State } from "./tables.ts";

/** Whose the shared admin token's keys are: in the table they belong to no person. */
const nobody = "";

export function keyStore(state: State): KeyStore {
  return {
    async load(now) {
      await state.deleteFrom("api_key").where("expires", "<=", now).execute();
      const rows = await state.selectFrom("api_key").selectAll().orderBy("hash").execute();
      return rows.map((row) => ({ ...row, owner: row.owner ?? nobody }));
    },
    async save({ keys = [], removed = [] }) {
      await state.transaction().execute(async (tx) => {
        for (const hash of removed) await tx.deleteFrom("api_key").where("hash", "=", hash).execute();
        for (const { hash, ...rest } of keys) {
          const row = { ...rest, owner: rest.owner === nobody ? null : rest.owner };
          await tx
            .insertInto("api_key")
            .values({ hash, ...row })
            .onConflict((conflict) => conflict.column("hash").doUpdateSet(row))
            .execute();
        }
      });
    },
  };
}
