/** How a document names others, by id or by name, with the place where it does. Resolves nothing. */
import { scalarsOf } from "./header.ts";
import type { MapTree } from "./yaml.ts";

export interface Reference {
  readonly to: string;
  readonly line: number;
  readonly column: number;
}

/** The references under `rules`. Throws `Refused`. */
export function readReferences(tree: MapTree, position: (at: number) => { line: number; column: number }): readonly Reference[] {
  return scalarsOf(tree, "rules").flatMap((item) => {
    const { line, column } = position(item.at);
    return item.value === null ? [] : [{ to: String(item.value), line, column }];
  });
}
