/** Where something stands in a rule file, for messages. Knows YAML and no rule. */
import { isMap, isSeq, LineCounter, parseAllDocuments } from "yaml";

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A key, or a list's index, at each step; a function chooses among keys. */
export type Step = string | number | ((key: string) => boolean);

/** Finds places in one file; read only when the first is asked for, since most files have nothing to complain about. */
export class Locator {
  readonly #text: string;
  readonly #lines = new LineCounter();
  #documents: ReturnType<typeof parseAllDocuments> | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The place of the last step that exists below the rule whose document begins at `line`. */
  find(line: number, ...path: readonly Step[]): Place {
    this.#documents ??= parseAllDocuments(this.#text, { lineCounter: this.#lines });
    const documents = Array.isArray(this.#documents) ? this.#documents : [];
    let node: unknown = documents.map((d) => d.contents).find((c) => this.#at(c)?.line === line);
    let place: Place = { line, column: 1 };
    for (const step of path) {
      let next: unknown;
      let at: unknown;
      if (isMap(node)) {
        const pair = node.items.find((p) => (typeof step === "function" ? step(String(p.key)) : String(p.key) === String(step)));
        next = pair?.value;
        at = pair?.key;
      } else if (isSeq(node)) {
        next =
          typeof step === "number"
            ? node.items[step]
            : // a list of maps: the first that has the key
              node.items.find((i) => isMap(i) && i.items.some((p) => (typeof step === "function" ? step(String(p.key)) : p.key === step)));
        at = next;
      }
      const found = this.#at(at);
      if (found === undefined) break;
      place = found;
      node = next;
    }
    return place;
  }

  #at(node: unknown): Place | undefined {
    const offset = (node as { range?: readonly number[] | null } | null | undefined)?.range?.[0];
    if (offset === undefined) return undefined;
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}
