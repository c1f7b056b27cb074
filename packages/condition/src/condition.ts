/** The predicate language's tree: what Sigma rules, searches, suppressions and row access all compile to. Knows no engine, store or event type. */

/** A value an event's field can hold; a field may also hold an array of these. */
export type Scalar = string | number | boolean | null;
export type FieldValue = Scalar | readonly Scalar[];

/** What a `time` condition looks at; weeks are those of ISO 8601. */
export type TimePart = "minute" | "hour" | "day" | "week" | "month" | "year";
export type Relation = "eq" | "lt" | "lte" | "gt" | "gte";

/**
 * A predicate over flat dotted fields.
 *
 * Meaning, the same for every evaluator and store: text compares without regard to case unless `cased`; an array-valued field satisfies
 * a comparison when any of its elements does; a comparison on an absent field is false; `eq null` holds when the field is absent, null or
 * an empty array; `and []` is true, `or []` is false. A number and its decimal text are equal (`4625` and `"4625"`).
 */
export type Condition =
  | { readonly op: "and" | "or"; readonly of: readonly Condition[] }
  | { readonly op: "not"; readonly of: Condition }
  | { readonly op: "eq"; readonly field: string; readonly value: Scalar; readonly cased?: boolean }
  | { readonly op: "contains" | "starts" | "ends"; readonly field: string; readonly value: string; readonly cased?: boolean }
  /** `*` any run, `?` any one character, `\` escapes the next of `* ? \`; matches the whole value. */
  | { readonly op: "like"; readonly field: string; readonly value: string; readonly cased?: boolean }
  /** Unanchored, case-sensitive unless `flags` holds `i`; linear-time dialect (no lookaround, no back-references). */
  | { readonly op: "regex"; readonly field: string; readonly value: string; readonly flags?: string }
  | { readonly op: "cidr"; readonly field: string; readonly value: string }
  | { readonly op: "lt" | "lte" | "gt" | "gte"; readonly field: string; readonly value: number | string }
  | { readonly op: "exists"; readonly field: string }
  /** Compares two fields of the same event. */
  | {
      readonly op: "fieldref";
      readonly field: string;
      readonly other: string;
      readonly how: "eq" | "contains" | "starts" | "ends";
      readonly cased?: boolean;
    }
  /** Compares a part of a timestamp, in UTC; the field `@timestamp` is the event's own time. What is no timestamp satisfies none. */
  | { readonly op: "time"; readonly field: string; readonly part: TimePart; readonly how: Relation; readonly value: number }
  /** Full text: some field's text, or the original line, contains a match of the `like` pattern. */
  | { readonly op: "keyword"; readonly value: string; readonly cased?: boolean };

/** Where a predicate reads: absent fields are `undefined`. */
export interface Readable {
  readonly fields: { readonly [field: string]: FieldValue | undefined };
  readonly original?: string;
  /** The event's own time, µs since the epoch: what `@timestamp` means in a `time` condition. */
  readonly time?: number;
}

export const always: Condition = { op: "and", of: [] };
export const never: Condition = { op: "or", of: [] };
