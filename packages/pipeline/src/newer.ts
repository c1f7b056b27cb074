/**
 * What a newer version of Vedette wrote is neither skipped nor guessed at: whoever meets it stands still before it, and a process of that version
 * goes on there. Knows no format.
 */
import { VedetteError } from "@vedette/kit";

/** @param what it is, as the message begins @returns undefined where this version knows it */
export function newer(what: string, version: unknown, known: number): VedetteError | undefined {
  if (typeof version !== "number" || version <= known) return undefined;
  const told = `${what} is of format ${version}, written by a newer version of Vedette; this one reads up to format ${known}`;
  return new VedetteError("newer_version", true, `${told}. Nothing is lost: it goes on where a process of the newer version runs`);
}
