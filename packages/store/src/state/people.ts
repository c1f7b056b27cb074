/** People and their sessions in the state database. Knows nothing of what their bodies say. */
import { VedetteError } from "@vedette/kit";
import type { PeopleStore } from "@vedette/model";
import type { State } from "./tables.ts";

export function peopleStore(state: State): PeopleStore {
  return {
    async load(now) {
      await state.deleteFrom("session").where("expires", "<=", now).execute();
      return {
        people: await state.selectFrom("person").selectAll().orderBy("name").execute(),
        sessions: await state.selectFrom("session").selectAll().orderBy("id").execute(),
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
        for (const { id, person, expires, body } of sessions)
          await tx
            .insertInto("session")
            .values({ id, person, expires, body })
            .onConflict((conflict) => conflict.column("id").doUpdateSet({ person, expires, body }))
            .execute();
      });
    },
  };
}
