/** What a YAML document is read into: plain values, each with its place. */

/** A YAML value with the offset at which it stands. */
export type Tree = MapTree | ListTree | ScalarTree;
export interface ScalarTree {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** As written, for numbers too large or too odd for a double. */
  readonly source: string;
  readonly at: number;
}
export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly at: number;
}
export interface Entry {
  readonly key: string;
  readonly keyAt: number;
  readonly value: Tree;
}
export interface MapTree {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  readonly at: number;
}
