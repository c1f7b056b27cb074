/** Which sealed partitions exist, in the state database: the truth about what a Parquet file in the folder means. Knows no query. */
import type { State, Tables } from "../state/tables.ts";

export type Partition = Omit<Tables["partition"], "odd"> & { readonly odd: readonly string[] };

const appliedName = "events.applied";
const sealedName = "events.sealed_segment";

export class Manifest {
  private readonly state: State;
  private list: readonly Partition[] = [];
  private absent: readonly Partition[] = [];
  private appliedOffset = -1;
  private sealed = -1;
  private constructor(state: State) {
    this.state = state;
  }

  static async open(state: State): Promise<Manifest> {
    const manifest = new Manifest(state);
    const rows = await state.selectFrom("partition").selectAll().orderBy("segment").orderBy("class").execute();
    manifest.list = rows.map((row) => ({ ...row, odd: JSON.parse(row.odd) as string[] }));
    for (const { name, value } of await state.selectFrom("progress").selectAll().execute()) {
      if (name === appliedName) manifest.appliedOffset = value;
      if (name === sealedName) manifest.sealed = value;
    }
    return manifest;
  }

  get partitions(): readonly Partition[] {
    return this.list;
  }
  /** Those whose files a restore has yet to bring: nothing can be read of them. */
  get awaited(): readonly Partition[] {
    return this.absent;
  }

  /** Tells apart what is there, what is still to come, and what never will: that is forgotten. */
  async admit(found: ReadonlySet<string>, coming: ReadonlySet<string>): Promise<void> {
    const all = [...this.list, ...this.absent].sort((a, b) => a.segment - b.segment || (a.class < b.class ? -1 : 1));
    this.list = all.filter(({ name }) => found.has(name));
    this.absent = all.filter(({ name }) => !found.has(name) && coming.has(name));
    const lost = all.filter(({ name }) => !found.has(name) && !coming.has(name));
    if (lost.length > 0) await this.replace(lost, []);
  }

  /** Highest raw offset in sealed partitions, -1 for none. */
  get applied(): number {
    return this.appliedOffset;
  }
  /** Highest segment number that was sealed, -1 for none. */
  get sealedSegment(): number {
    return this.sealed;
  }

  /** Makes a sealed segment's files known, and its offset applied, in one transaction. */
  async add(segment: number, applied: number, partitions: readonly Partition[]): Promise<void> {
    await this.state.transaction().execute(async (tx) => {
      for (const one of partitions) {
        await tx
          .insertInto("partition")
          .values({ ...one, odd: JSON.stringify(one.odd) })
          .execute();
      }
      for (const row of [
        { name: appliedName, value: applied },
        { name: sealedName, value: segment },
      ]) {
        await tx
          .insertInto("progress")
          .values(row)
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: row.value }))
          .execute();
      }
    });
    this.list = [...this.list, ...partitions];
    this.appliedOffset = applied;
    this.sealed = segment;
  }

  /** Replaces partitions (by nothing, to drop them) in one transaction. */
  async replace(removed: readonly Partition[], added: readonly Partition[]): Promise<void> {
    await this.state.transaction().execute(async (tx) => {
      for (const { name } of removed) await tx.deleteFrom("partition").where("name", "=", name).execute();
      for (const one of added) {
        await tx
          .insertInto("partition")
          .values({ ...one, odd: JSON.stringify(one.odd) })
          .execute();
      }
    });
    const gone = new Set(removed);
    this.list = [...this.list.filter((one) => !gone.has(one)), ...added];
  }
}
