/** What a detector that follows another sees of its claim. Knows no state and no engine. */
import { type Claim, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { matchedBy } from "./correlations.ts";
import type { PreparedDetector } from "./stage.ts";

/** Field of a first step's claim: ids of the events that it is made of, for the second's evidence. */
export const carriedEvents = "vedette.events";
/** And where the first of them stands: its source and its number there. */
export const carriedPlace = "vedette.place";

/** The claim's own fields, its entities by type, and who claims it. */
export function fieldsOfClaim({ spec: { name }, kind }: PreparedDetector, claim: Claim): Fields {
  const fields: Fields = Object.assign(newFields(), claim.fields);
  for (const { type, id } of claim.entities) fields[type] ??= id;
  const part = claim.fields?.["rule.id"];
  fields[matchedBy] = kind === "sigma" ? name : [name, ...(typeof part === "string" ? [part] : [])].map((one) => `detector.${one}`);
  return fields;
}
