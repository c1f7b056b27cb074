/** Keys of API clients in the state database. Knows nothing of what their bodies say. */
import type { KeyStore } from "@vedette/model";
import type { State } from "./tables.ts";

export function keyStore(state: State): KeyStore {
  return {
    async load(now) {
      await state.deleteFrom("api_key").where("expires", "<=", now).execute();
      return await state.selectFrom("api_key").selectAll().orderBy("hash").execute();
    },
    async save({ keys = [], removed = [] }) {
      await state.transaction().execute(async (tx) => {
        for (const hash of removed) await tx.deleteFrom("api_key").where("hash", "=", hash).execute();
        for (const { hash, ...rest } of keys)
          await tx
            .insertInto("api_key")
            .values({ hash, ...rest })
            .onConflict((conflict) => conflict.column("hash").doUpdateSet(rest))
            .execute();
      });
    },
  };
}
