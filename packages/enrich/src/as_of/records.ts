/** What is asked of the stored events to say more of one of them. Knows no store. */
import type { Condition } from "@vedette/condition";
import type { Event, FieldValue, Micros } from "@vedette/model";

/** Who asks sees no more by it than in a search. */
export interface Records {
  /** The first in this order of those in [from, to] that satisfy `where`. */
  first(question: {
    readonly where: Condition;
    readonly from: Micros;
    readonly to: Micros;
    readonly order: "newest" | "oldest";
  }): Promise<Event | undefined>;
}

export const all = (...of: readonly Condition[]): Condition => ({ op: "and", of });
export const is = (field: string, value: string | number): Condition => ({ op: "eq", field, value });
export const has = (field: string): Condition => ({ op: "exists", field });

/** The first that is not empty, as text. */
export function firstText(value: FieldValue | undefined): string | undefined {
  const one: unknown = Array.isArray(value) ? value.find((each) => each !== null && each !== "") : value;
  return typeof one === "string" && one !== "" ? one : typeof one === "number" ? String(one) : undefined;
}

export const day: Micros = 86_400_000_000;
