/** Machines, their certificates and enrolments in the state database. Knows nothing of what their bodies say. */
import type { MachineStore } from "@vedette/model";
import type { State } from "./tables.ts";

export function machineStore(state: State): MachineStore {
  return {
    async load(now) {
      await state.deleteFrom("machine_certificate").where("expires", "<=", now).execute();
      await state.deleteFrom("machine_enrolment").where("expires", "<=", now).execute();
      return {
        machines: await state.selectFrom("machine").selectAll().orderBy("id").execute(),
        certificates: await state.selectFrom("machine_certificate").selectAll().orderBy("serial").execute(),
        enrolments: await state.selectFrom("machine_enrolment").selectAll().orderBy("hash").execute(),
      };
    },
    async save({ machines = [], certificates = [], enrolments = [] }) {
      await state.transaction().execute(async (tx) => {
        for (const { id, body } of machines)
          await tx
            .insertInto("machine")
            .values({ id, body })
            .onConflict((conflict) => conflict.column("id").doUpdateSet({ body }))
            .execute();
        for (const { serial, machine, expires, body } of certificates)
          await tx
            .insertInto("machine_certificate")
            .values({ serial, machine, expires, body })
            .onConflict((conflict) => conflict.column("serial").doUpdateSet({ body }))
            .execute();
        for (const { hash, expires, body } of enrolments)
          await tx
            .insertInto("machine_enrolment")
            .values({ hash, expires, body })
            .onConflict((conflict) => conflict.column("hash").doUpdateSet({ body }))
            .execute();
      });
    },
    async replaceEnrolment(hash, before, after) {
      const { numUpdatedRows } = await state
        .updateTable("machine_enrolment")
        .set({ body: after })
        .where("hash", "=", hash)
        .where("body", "=", before)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}
