/**
 * Events that OpenSearch found, as a table in memory that the local driver's questions are asked of: what terms cannot tell is decided, and
 * sums are made, by the very code that decides them embedded. Knows no HTTP.
 */
import type { Event } from "@vedette/model";
import { openBatch } from "../events/batch.ts";
import { bigintColumns, columns } from "../events/columns.ts";
import type { Duck } from "../events/duck.ts";
import { encodeEvents } from "../events/encode.ts";
import { Search } from "../events/search.ts";
import { definition } from "../events/segment.ts";

export class Candidates {
  readonly #duck: Duck;
  readonly #table: string;
  readonly #odd = new Set<string>();
  #rows = 0;
  #made = false;
  #minTime = Number.POSITIVE_INFINITY;
  #maxTime = Number.NEGATIVE_INFINITY;

  private static last = 0;
  private constructor(duck: Duck) {
    this.#duck = duck;
    this.#table = `found_${++Candidates.last}`;
  }

  /** What `ask` asks is answered from the events that `fill` added. */
  static async asked<T>(
    duck: Duck,
    fill: (add: (events: readonly Event[]) => Promise<void>) => Promise<void>,
    ask: (search: Search) => Promise<T>,
  ): Promise<T> {
    const found = new Candidates(duck);
    try {
      await found.#create();
      await fill((events) => found.#add(events));
      return await ask(new Search(duck, { view: async () => found.#view() }));
    } finally {
      if (found.#made) await duck.execute(`DROP TABLE ${found.#table}`);
    }
  }

  /** Even without a row: a sum over nothing is an answer. */
  async #create(): Promise<void> {
    await this.#duck.execute(`CREATE TABLE ${this.#table} (${definition})`);
    this.#made = true;
  }

  async #add(events: readonly Event[]): Promise<void> {
    if (events.length === 0) return;
    const { header, columns: cells } = openBatch(encodeEvents(events).bytes);
    await this.#duck.append(this.#table, columns, bigintColumns, header.count, cells);
    for (const field of header.odd) this.#odd.add(field);
    this.#rows += header.count;
    this.#minTime = Math.min(this.#minTime, header.minTime);
    this.#maxTime = Math.max(this.#maxTime, header.maxTime);
  }

  #view() {
    const times = { rows: this.#rows, minTime: this.#minTime, maxTime: this.#maxTime };
    return { sources: [{ relation: this.#table, odd: this.#odd, ...times }], release: () => {} };
  }
}
