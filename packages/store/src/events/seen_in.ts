/**
 * What a view comes to in a sealed file. Such a file never changes, so it is asked once whether a part's rows are all of its events, or none:
 * then no question tests them there again. Knows no question.
 */
import { always, type Condition, type View } from "@vedette/condition";
import type { Duck } from "./duck.ts";
import type { Source } from "./partitions.ts";
import { Predicate } from "./predicate.ts";

/** Answers kept; some 200 bytes each. */
const maxRemembered = 20_000;
/** Files asked for the sake of one question: each costs about what the question itself does there. */
const asksAtOnce = 16;

type Holds = "all" | "none" | "some";
/** Sources in which a view comes to the same. */
export interface SeenSources {
  readonly sources: readonly Source[];
  readonly view: View | undefined;
}

export const isFile = ({ relation }: Source): boolean => relation.startsWith("'");
export const oddOf = (sources: readonly Source[]): ReadonlySet<string> => new Set(sources.flatMap((one) => [...one.odd]));

export class SeenIn {
  readonly #duck: Duck;
  readonly #remembered = new Map<string, Holds>();

  constructor(duck: Duck) {
    this.#duck = duck;
  }

  /** Sources in which nothing is seen are left out. */
  async split(sources: readonly Source[], view: View | undefined, signal?: AbortSignal): Promise<readonly SeenSources[]> {
    if (view === undefined) return sources.length === 0 ? [] : [{ sources, view }];
    const found = new Map<string, { readonly sources: Source[]; readonly view: View }>();
    let asks = asksAtOnce;
    for (const source of sources) {
      const known = new Map(view.parts.map(({ rows }) => [rows, this.#remembered.get(nameOf(source, rows))]));
      const open = isFile(source) ? [...known].flatMap(([rows, holds]) => (holds === undefined && rows !== always ? [rows] : [])) : [];
      if (open.length > 0 && asks-- > 0)
        for (const [at, holds] of (await this.#ask(source, open, signal)).entries()) known.set(open[at]!, holds);
      const parts = view.parts.flatMap((part) => {
        const holds = known.get(part.rows);
        return holds === "none" ? [] : [holds === "all" ? { ...part, rows: always } : part];
      });
      if (parts.length === 0) continue;
      const name = JSON.stringify(parts);
      const same = found.get(name);
      if (same === undefined) found.set(name, { sources: [source], view: { parts } });
      else same.sources.push(source);
    }
    return [...found.values()];
  }

  /** What cannot be asked stays open: the question itself says what is wrong. */
  async #ask(source: Source, conditions: readonly Condition[], signal?: AbortSignal): Promise<readonly Holds[]> {
    try {
      const predicate = new Predicate(oddOf([source]));
      const tests = conditions.map((one) => `coalesce(${predicate.compile(one)}, false)`);
      const sums = tests.map((test) => `bool_and(${test}), bool_or(${test})`).join(", ");
      const [row = []] = await this.#duck.query(`SELECT ${sums} FROM read_parquet(${source.relation})`, predicate.parameters, signal);
      const holds = conditions.map((_, at): Holds => (row[2 * at] === true ? "all" : row[2 * at + 1] === false ? "none" : "some"));
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      for (const [at, one] of conditions.entries()) this.#remembered.set(nameOf(source, one), holds[at]!);
      return holds;
    } catch {
      return [];
    }
  }
}

const nameOf = ({ relation }: Source, rows: Condition): string => `${relation}\0${JSON.stringify(rows)}`;
