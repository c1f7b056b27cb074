/** How a kind of step is declared. Knows no concrete step. */
import { z } from "@vedette/kit";
import type { Draft } from "./draft.ts";
import type { Pseudonyms } from "./pseudonyms.ts";

/** False: the event is dropped. Pure; never throws; linear in the event's length. */
export type Apply = (draft: Draft) => boolean;

export interface StepContext {
  /** Absent where no key is at hand: then what would be a pseudonym is masked, and never shown. */
  readonly pseudonyms: Pseudonyms | undefined;
  /** Where the question is what may be lost: what leaves some events out leaves all out. */
  readonly worst?: boolean;
}

export interface StepSpec<C extends z.ZodType = z.ZodType> {
  /** The key in a step's YAML. */
  readonly name: string;
  /** One sentence, capital letter to full stop. */
  readonly summary: string;
  readonly settings: C;
  /** Fields whose values are gone or unrecognisable behind it: a later step that asks for them would ask in vain. */
  takes?(settings: z.output<C>): readonly string[];
  /** Fields it reads, besides those that it takes. */
  reads?(settings: z.output<C>): readonly string[];
  /** @throws Error with what is wrong with the settings, beyond what the schema says */
  make(settings: z.output<C>, context: StepContext): Apply;
}
export const defineStep = <C extends z.ZodType>(spec: StepSpec<C>): StepSpec<C> => spec;

/** A field that a pipeline may read. */
export const fieldName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^\s\u0000-\u001f]+$/, "expected a field such as user.name");
/** A field that a pipeline may write: `vedette.*` is what Vedette itself says. */
export const ownField = fieldName.refine((name) => name !== "vedette" && !name.startsWith("vedette."), {
  error: "fields below vedette. are Vedette's own; labels.NAME is free",
});
