/**
 * Several documents of one file of which some speak for others: `action: global` gives those after it what they share, `repeat` is the one
 * before it with changes, `reset` ends what is shared (as pySigma's collections). Knows keys and their places, not what they mean.
 */
import { slug, textOf } from "./header.ts";
import { nearest, Refused } from "./refusal.ts";
import { get, type Loaded, type MapTree, type Tree } from "./yaml.ts";

const actions = ["global", "reset", "repeat"] as const;
/** Values that a file's documents may have in all once what is shared was put into each: four times what one may have. */
const maxGrown = 200_000;

/** The documents as if each were written out. One that speaks only for others is not among them. */
export function writtenOut(documents: readonly Loaded[]): readonly Loaded[] {
  if (!documents.some((one) => "tree" in one && actionOf(one.tree) !== undefined)) return documents;
  const collection = new Collection();
  const written = documents.flatMap((one): Loaded[] => {
    if ("refused" in one || one.tree.kind !== "map") return [one];
    try {
      const tree = collection.take(one.tree, one.from);
      return tree === undefined ? [] : [{ tree, from: one.from }];
    } catch (error) {
      if (error instanceof Refused) return [{ refused: error, from: one.from }];
      throw error;
    }
  });
  return [...written, ...collection.unused()];
}

const actionOf = (tree: Tree) => (tree.kind === "map" ? tree.entries.find(({ key }) => key === "action") : undefined);

class Collection {
  #shared: MapTree | undefined;
  #previous: MapTree | undefined;
  #grown = 0;
  /** What no rule took up yet. */
  readonly #waiting = new Map<MapTree, Loaded>();
  readonly #names = new Map<string, number>();

  /** Undefined for a document that is no rule itself. Throws `Refused`. */
  take(document: MapTree, from: number): MapTree | undefined {
    const action = actionOf(document);
    if (action === undefined) {
      if (get(document, "correlation") !== undefined || get(document, "filter") !== undefined) return document;
      this.#previous = this.#shared === undefined ? document : this.#joined(document, this.#shared);
      return this.#named(this.#previous, document);
    }
    const own: MapTree = { ...document, entries: document.entries.filter((entry) => entry !== action) };
    const word = action.value.kind === "scalar" ? String(action.value.value) : `a ${action.value.kind}`;
    switch (word) {
      case "global":
        this.#waiting.set(own, {
          from,
          refused: new Refused(action.keyAt, "action: global", "a rule after it", "remove the line, or add a rule"),
        });
        this.#shared = own;
        this.#previous = own;
        return undefined;
      case "reset":
        this.#shared = undefined;
        return undefined;
      case "repeat":
        if (this.#previous === undefined)
          throw new Refused(
            action.keyAt,
            "action: repeat",
            "a document before it",
            "write the rule out, or move it behind the one it repeats",
          );
        this.#previous = { ...this.#joined(this.#previous, own), at: document.at };
        return this.#named(this.#previous, own);
    }
    const near = nearest(word, actions);
    throw new Refused(
      action.value.at,
      `action: ${word}`,
      `one of ${actions.join(", ")}`,
      near === undefined ? "remove it" : `did you mean ${near}?`,
    );
  }

  /** Nothing disappears: what is shared with no rule is told of. */
  unused(): Iterable<Loaded> {
    return this.#waiting.values();
  }

  #joined(to: MapTree, from: MapTree): MapTree {
    this.#waiting.delete(to);
    this.#waiting.delete(from);
    if (this.#grown <= maxGrown) this.#grown += sizeOf(to) + sizeOf(from);
    if (this.#grown > maxGrown)
      throw new Refused(to.at, "documents that grow without end", `at most ${maxGrown} values in all`, "put fewer rules in a file");
    return joined(to, from);
  }

  /** Rules that share id or title are told apart by their number; the first keeps what is written. */
  #named(tree: MapTree, own: MapTree): MapTree {
    const id = textOf(tree, "id") || slug(textOf(tree, "title"));
    const number = (this.#names.get(id) ?? 0) + 1;
    this.#names.set(id, number);
    if (tree === own || id === "" || number === 1 || get(own, "id") !== undefined) return tree;
    const value: Tree = { kind: "scalar", value: `${id}-${number}`, source: `${id}-${number}`, at: own.at };
    return joined(tree, { kind: "map", at: own.at, entries: [{ key: "id", keyAt: own.at, value }] });
  }
}

/** Keys of both; of one that both have, maps are joined and of everything else the second counts. */
function joined(to: MapTree, from: MapTree): MapTree {
  const later = new Map(from.entries.map((entry) => [entry.key, entry]));
  const entries = to.entries.map((entry) => {
    const other = later.get(entry.key);
    later.delete(entry.key);
    if (other === undefined) return entry;
    const value = entry.value.kind === "map" && other.value.kind === "map" ? joined(entry.value, other.value) : other.value;
    return { ...other, value };
  });
  return { ...to, entries: [...entries, ...later.values()] };
}

function sizeOf(tree: Tree): number {
  if (tree.kind === "scalar") return 1;
  const of = tree.kind === "list" ? tree.items : tree.entries.map(({ value }) => value);
  return of.reduce((n, one) => n + sizeOf(one), 1);
}
