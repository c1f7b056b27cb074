/** People and their sessions in the state database. Knows nothing of what their bodies say. */
import { VedetteError } from "@vedette/kit";
import type { PeopleStore } from "@vedette/model";
import type { State } from "./tables.ts";

/** Whose the shared admin token's sessions are: in the table they belong to no person. */
const nobody = "";

export function peopleStore(state: State): PeopleStore {
  return {
    async load(now) {
      await state.deleteFrom("session").where("expires", "<=", now).execute();
      const sessions = await state.selectFrom("session").selectAll().orderBy("id").execute();
      return {
        people: await state.selectFrom("person").selectAll().orderBy("name").execute(),
        sessions: sessions.map((row) => ({ ...row, person: row.person ?? nobody })),
      };
    },
    async save({ people = [], sessions = [], removedPeople = [], removedSessions = [] }) {
      await state.transaction().execute(async (tx) => {
        for (const id of removedPeople) await tx.deleteFrom("person").where("id", "=", id).execute();
        for (const id of removedSessions) await tx.deleteFrom("session").where("id", "=", id).execute();
        for (const { id, name, body } of people) {
          const other = await tx.selectFrom("person").select("id").where("name", "=", name).where("id", "!=", id).executeTakeFirst();
          if (other !== undefined) throw new VedetteError("conflict", true, `there is somebody named ${name} already`);
          await tx
            .insertInto("person")
            .values({ id, name, body })
            .onConflict((conflict) => conflict.column("id").doUpdateSet({ name, body }))
            .execute();
        }
        for (const { id, ...rest } of sessions) {
          const row = { ...rest, person: rest.person === nobody ? null : rest.person };
          await tx
            .insertInto("session")
            .values({ id, ...row })
            .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
            .execute();
        }
      });
    },
  };
}
