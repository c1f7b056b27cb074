/** Which sealed files hold events that must be kept. Drops nothing. */
import type { EventHold } from "../store.ts";
import type { Duck } from "./duck.ts";
import type { Partition } from "./manifest.ts";
import { Predicate } from "./predicate.ts";

/** Answers kept: a file never changes under its name, so each hold is asked of it once. */
const maxRemembered = 20_000;

export class HeldPartitions {
  readonly #duck: Duck;
  readonly #remembered = new Map<string, boolean>();

  constructor(duck: Duck) {
    this.#duck = duck;
  }

  /** Whether one of the holds is on an event of the file. */
  async has({ name, min_time, max_time, odd }: Partition, file: string, holds: readonly EventHold[]): Promise<boolean> {
    for (const hold of holds) {
      if (hold.range.to <= min_time || hold.range.from > max_time) continue;
      const key = `${name}\0${JSON.stringify(hold)}`;
      let held = this.#remembered.get(key);
      if (held === undefined) {
        held = await this.#ask(file, new Set(odd), hold);
        if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
        this.#remembered.set(key, held);
      }
      if (held) return true;
    }
    return false;
  }

  async #ask(file: string, odd: ReadonlySet<string>, { tenants, range, ids, where }: EventHold): Promise<boolean> {
    const predicate = new Predicate(odd);
    const bind = (values: readonly string[]) => values.map((one) => predicate.bind(one)).join(", ");
    const any = [...(ids.length > 0 ? [`id IN (${bind(ids)})`] : []), ...(where === undefined ? [] : [predicate.compile(where)])];
    if (any.length === 0) return false;
    const bounds = `time >= ${predicate.bindInteger(range.from)} AND time < ${predicate.bindInteger(range.to)}`;
    const sql = `SELECT 1 FROM read_parquet(${file}) WHERE ${bounds} AND tenant IN (${bind(tenants)}) AND (${any.join(" OR ")}) LIMIT 1`;
    return (await this.#duck.query(sql, predicate.parameters)).length > 0;
  }
}
