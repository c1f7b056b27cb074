/** What a route takes and gives, read off the types that scripts/client.mjs writes. Knows no route. */
import type { paths } from "./schema.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** Paths that take a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends { readonly [method in M]: object } ? P : never;
}[keyof paths];

export type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends { readonly [method in M]: infer O } ? O : never;

type PathPart<O> = O extends { readonly parameters: { readonly path: infer V } } ? { readonly path: V } : unknown;
type QueryPart<O> = O extends { readonly parameters: { readonly query: infer V } }
  ? { readonly query: V }
  : O extends { readonly parameters: { readonly query?: infer V } }
    ? { readonly query?: V }
    : unknown;
type Json<B> = B extends { readonly content: { readonly "application/json": infer V } } ? V : never;
type BodyPart<O> = O extends { readonly requestBody: infer B }
  ? { readonly body: Json<B> }
  : O extends { readonly requestBody?: infer B }
    ? { readonly body?: Json<NonNullable<B>> }
    : unknown;

/** What a call may also say. */
export interface Extra {
  readonly signal?: AbortSignal | undefined;
  readonly headers?: { readonly [name: string]: string };
}
export type Asked<O> = PathPart<O> & QueryPart<O> & BodyPart<O> & Extra;
/** The one argument of a call, which may be left out where nothing in it is needed. */
export type Arguments<A> = object extends A ? [asked?: A] : [asked: A];

type Given<R> = R extends { readonly content: { readonly "application/json": infer V } } ? V : undefined;
/** The body of the answers that are no failures. */
export type Answered<O> = O extends { readonly responses: infer R }
  ? { [S in keyof R]: S extends 200 | 201 | 202 | 204 ? Given<R[S]> : never }[keyof R]
  : never;
