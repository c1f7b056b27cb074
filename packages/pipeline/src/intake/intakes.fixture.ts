/** Intakes over a log, as a fresh installation has them. For tests alone. */
import { formats } from "@vedette/normalise";
import { type IntakeOptions, Intakes } from "./intakes.ts";
import { SeenIds } from "./seen_ids.ts";

type Given = Pick<IntakeOptions, "log" | "clock" | "program">;

export async function freshIntakes({ clock, ...given }: Given & Partial<IntakeOptions>): Promise<Intakes> {
  return new Intakes({
    clock,
    formats: await formats(),
    tenant: "main",
    counts: new Map(),
    seen: new SeenIds(clock),
    known: Promise.resolve(),
    ...given,
  });
}
