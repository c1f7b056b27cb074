/** A search as data: what the query language reads to and prints from. Types and limits only. */
import type { Condition } from "./condition.ts";

export const aggregateFunctions = ["count", "distinct", "sum", "avg", "min", "max", "values"] as const;
export type AggregateFunction = (typeof aggregateFunctions)[number];

export interface QueryAggregate {
  readonly fn: AggregateFunction;
  /** Absent for `count()` of events only. */
  readonly field?: string;
  /** Column name; `fn` or `fn(field)` unless given. */
  readonly as: string;
}
export interface SortKey {
  readonly by: string;
  readonly descending: boolean;
}
/** A filter and its pipes, which apply in this order. */
export interface Query {
  readonly where: Condition;
  readonly stats?: { readonly aggregates: readonly QueryAggregate[]; readonly by: readonly string[] };
  readonly sort?: readonly SortKey[];
  readonly head?: number;
  readonly fields?: readonly string[];
}

export type ParseResult =
  | { readonly ok: true; readonly query: Query }
  | {
      readonly ok: false;
      readonly message: string;
      /** Offset and length of what is wrong, in UTF-16 units. */
      readonly position: number;
      readonly length: number;
      /** What to write instead of it. */
      readonly suggestion?: string;
    };

/** Longest query in UTF-16 units: far above what people write, small enough to parse on every keystroke. */
export const maxQueryLength = 16_384;
/** Parentheses and `not` within one another. */
export const maxQueryDepth = 64;
/** Conditions in one query. */
export const maxQueryNodes = 1_000;
export const maxAggregates = 16;
export const maxGroupBy = 8;
export const maxQueryFields = 64;
/** Rows a `head` may ask for. */
export const maxHead = 10_000;

/** The column an aggregate gets when it is not named. */
export const columnOf = (fn: AggregateFunction, field: string | undefined): string => (field === undefined ? fn : `${fn}(${field})`);
