/** Gives a document's top-level names back their spelling: data lakes and some collectors write them all small. Knows no document. */
import type { JsonObject, JsonValue } from "@vedette/kit";

export interface Spelling {
  /** The document under the sender's own names; the same object where it has them. */
  readonly restore: (object: JsonObject) => JsonObject;
  /** A top-level member under its own name, or written small. */
  readonly member: (object: JsonObject, name: string) => JsonValue | undefined;
}

/** @param names top-level names with capitals in them, separated by blanks */
export function spelling(names: string): Spelling {
  const spelt = new Map(names.split(/\s+/).map((name) => [name.toLowerCase(), name]));
  return {
    restore(object) {
      let found = false;
      for (const key in object) if (spelt.has(key)) found = true;
      if (!found) return object;
      const out: { [key: string]: JsonValue | undefined } = Object.create(null) as { [key: string]: JsonValue | undefined };
      for (const key in object) out[spelt.get(key) ?? key] = object[key];
      return out;
    },
    member: (object, name) => object[name] ?? object[name.toLowerCase()],
  };
}
