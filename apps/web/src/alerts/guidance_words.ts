/** Words of the guidance on an alert's page. Pure. */
import type { Guidance } from "../api/types.ts";

/** More than this is read by a click: about three lines. */
const opening_characters = 320;

/** A text in two parts: whole sentences that fit, and the rest. */
export function openingOf(text: string): readonly [opening: string, rest: string] {
  const flat = text.trim().replace(/\s+/g, " ");
  if (flat.length <= opening_characters) return [flat, ""];
  const end = flat.lastIndexOf(". ", opening_characters);
  const first = end < 0 ? flat.indexOf(". ") : end;
  return first < 0 ? [flat, ""] : [flat.slice(0, first + 1), flat.slice(first + 2)];
}

/** How often the rule was right, in a sentence. */
export function sureWords({ status, verdicts }: Pick<Guidance, "status" | "verdicts">): string {
  const { true_positive, benign, false_positive } = verdicts;
  const closed = true_positive + benign + false_positive;
  const so =
    closed === 0
      ? "none of its alerts has been closed with a verdict yet"
      : `of its ${closed === 1 ? "one closed alert" : `newest ${closed} closed alerts`} ${true_positive} true, ${benign} benign, ${false_positive} false`;
  return status === "" ? so : `rule is ${status === "test" ? "in test" : status}; ${so}`;
}
