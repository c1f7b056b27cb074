/** Events that are to go for good, by id: compares sealed files with them. Knows no manifest and does not know why they go. */
import type { Duck } from "./duck.ts";
import { literal } from "./sealed.ts";

const encoder = new TextEncoder();

export class Removal {
  static #last = 0;
  readonly #duck: Duck;
  readonly #table = `gone_${++Removal.#last}`;
  readonly #tenant: string;

  private constructor(duck: Duck, tenant: string) {
    this.#duck = duck;
    this.#tenant = tenant;
  }

  static async of<T>(duck: Duck, tenant: string, ids: readonly string[], use: (removal: Removal) => Promise<T>): Promise<T> {
    const removal = new Removal(duck, tenant);
    await duck.execute(`CREATE TABLE ${removal.#table} (id VARCHAR)`);
    try {
      const texts = ids.map((id) => encoder.encode(id));
      const column = { lengths: Uint32Array.from(texts, ({ length }) => length), bytes: new Uint8Array(Buffer.concat(texts)) };
      await duck.append(removal.#table, ["id"], new Set(), ids.length, new Map([["id", column]]));
      return await use(removal);
    } finally {
      await duck.execute(`DROP TABLE ${removal.#table}`);
    }
  }

  /** True, in SQL, for the rows of a file that are to go. */
  get test(): string {
    return `(tenant = ${literal(this.#tenant)} AND id IN (SELECT id FROM ${this.#table}))`;
  }

  async countIn(path: string): Promise<number> {
    const [row] = await this.#duck.query(`SELECT count(*) FROM read_parquet(${literal(path)}) WHERE ${this.test}`, []);
    return Number(row?.[0] ?? 0);
  }
}
