/** Leaves events out, on purpose and counted. */
import { z } from "@vedette/kit";
import { defineStep } from "../step.ts";

export const drop = defineStep({
  name: "drop",
  summary: "Leaves the event out: it is neither stored nor judged, and counted in the loss ledger.",
  settings: z.strictObject({}).or(z.literal(true).transform(() => ({}))),
  make: () => () => false,
});
