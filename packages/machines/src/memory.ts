/** Machines and secrets kept in memory only, for tests. Knows nothing of what they say. */
import type { Secrets } from "@vedette/kit";
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
  };
}

/** What a vault keeps, unsealed. */
export function memorySecrets(): Secrets & { readonly kept: ReadonlyMap<string, Uint8Array> } {
  const kept = new Map<string, Uint8Array>();
  return {
    kept,
    keep: async (name, make) => {
      const found = kept.get(name) ?? make();
      kept.set(name, found);
      return found;
    },
  };
}
