/** How an enricher is declared: what it adds to an event from tables and settings. Knows no concrete enricher. */
import type { Fields } from "@vedette/model";
import type { z } from "zod";
import type { Spec } from "./spec.ts";

/** What an enricher looks things up in: an inventory, a database. Its content is fixed by hash in the control topic, so that the same log gives the same answers. */
export interface TableSpec<T> {
  readonly summary: string;
  /** Whether people may put a new version of it through the API (an inventory), or only point at a file (a database of many megabytes). */
  readonly inventory: boolean;
  /** Bounded in time by the bytes. @throws BadInputError `bad_table`, with the line where the table has lines */
  read(bytes: Uint8Array): Table<T>;
}
export interface Table<T> {
  readonly value: T;
  readonly rows: number;
}
/** Adds fields; never removes one and never changes one that is there. Pure but for private caches, never throws. */
export type Enrich = (fields: Fields) => void;

/** Adds what is known besides to an event in ECS, between normalising and matching. */
// biome-ignore lint/suspicious/noExplicitAny: a table of enrichers holds tables of different types; each spec reads its own
export interface EnricherSpec<C extends z.ZodType = z.ZodType, T = any> extends Spec<C> {
  readonly kind: "enricher";
  /** Enrichers whose fields it reads. */
  readonly after?: readonly string[];
  /** Present where it needs one: without its content the enricher does not run. */
  readonly table?: TableSpec<T>;
  /** Called once per worker and program. */
  enricher(config: z.output<C>, table: T): Enrich;
  /** Documentation and test: of an event with `fields`, exactly `adds` is added. */
  readonly examples: readonly {
    readonly title: string;
    readonly config?: z.input<C>;
    /** Content of the table, as text. */
    readonly table?: string;
    readonly fields: Readonly<Fields>;
    readonly adds: Readonly<Fields>;
  }[];
}

export const defineEnricher = <C extends z.ZodType, T = undefined>(s: Omit<EnricherSpec<C, T>, "kind">): EnricherSpec<C, T> => ({
  kind: "enricher",
  ...s,
});
