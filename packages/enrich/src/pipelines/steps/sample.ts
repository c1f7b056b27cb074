/** Keeps a share of the events, the same ones on every run. */
import { hash } from "node:crypto";
import { z } from "@vedette/kit";
import type { Draft } from "../draft.ts";
import { defineStep, fieldName } from "../step.ts";

export const sample = defineStep({
  name: "sample",
  summary: "Keeps a share of the events, chosen by what they are and not by chance; the others are counted in the loss ledger.",
  settings: z.strictObject({
    keep: z.number().gt(0).lt(1).describe("Share kept, e.g. 0.1."),
    by: fieldName.optional().describe("Keep or drop all events with the same value together; by default each event is for itself."),
  }),
  reads: ({ by }) => (by === undefined ? [] : [by]),
  make: ({ keep, by }, { worst = false }) => {
    if (worst) return () => false;
    const bound = Math.floor(keep * 2 ** 32);
    const keyOf = (draft: Draft) => (by === undefined ? draft.id : JSON.stringify(draft.fields[by] ?? null));
    return (draft) => hash("sha256", `sample\0${keyOf(draft)}`, "buffer").readUInt32BE(0) < bound;
  },
});
