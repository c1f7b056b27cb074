/** Machines kept in memory only, for tests. Knows nothing of what their bodies say. */
import type { EnrolmentRow, MachineCertificateRow, MachineRow, MachineStore } from "@vedette/model";

export function memoryMachines(): MachineStore {
  const machines = new Map<string, MachineRow>();
  const certificates = new Map<string, MachineCertificateRow>();
  const enrolments = new Map<string, EnrolmentRow>();
  return {
    load: async (now) => ({
      machines: [...machines.values()],
      certificates: [...certificates.values()].filter(({ expires }) => expires > now),
      enrolments: [...enrolments.values()].filter(({ expires }) => expires > now),
    }),
    save: async (change) => {
      for (const one of change.machines ?? []) machines.set(one.id, one);
      for (const one of change.certificates ?? []) certificates.set(one.serial, one);
      for (const one of change.enrolments ?? []) enrolments.set(one.hash, one);
    },
    replaceEnrolment: async (hash, before, after) => {
      const found = enrolments.get(hash);
      if (found?.body !== before) return false;
      enrolments.set(hash, { ...found, body: after });
      return true;
    },
  };
}
