/** Keyed consumers' memory and small settings in the state database. Knows no consumer. */
import { VedetteError } from "@vedette/kit";
import type { CheckpointRow, CheckpointStore, SettingStore } from "../store.ts";
import { keyOfRow, nameOfKey, storedValue } from "./key_names.ts";
import type { State, Tables } from "./tables.ts";

/** Rows per statement: five parameters each stay far below SQLite's 32,766 and PostgreSQL's 65,535. */
const rowsPerStatement = 500;

function* slices<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

const of = (state: State, consumer: string) =>
  state.selectFrom("checkpoint_key").select(["shard", "key", "value"]).where("consumer", "=", consumer);

const rowOf = ({ shard, key, value }: CheckpointRow): CheckpointRow => ({ shard, ...keyOfRow(key, value) });

function byShard(keys: readonly { readonly shard: number; readonly key: string }[]): ReadonlyMap<number, readonly string[]> {
  const shards = new Map<number, string[]>();
  for (const { shard, key } of keys) {
    const names = shards.get(shard);
    const name = nameOfKey(key);
    if (names) names.push(name);
    else shards.set(shard, [name]);
  }
  return shards;
}

export function checkpointStore(state: State): CheckpointStore {
  return {
    async load(consumer, most) {
      const row = await state.selectFrom("checkpoint").selectAll().where("consumer", "=", consumer).executeTakeFirst();
      const { count } = await state
        .selectFrom("checkpoint_key")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where("consumer", "=", consumer)
        .executeTakeFirstOrThrow();
      const keys = count > (most ?? count) ? [] : await of(state, consumer).orderBy("shard").orderBy("key").execute();
      return { epoch: row?.epoch ?? 0, offset: row?.offset ?? 0, meta: row?.meta ?? undefined, keys: keys.map(rowOf), count };
    },
    async standing(consumers) {
      if (consumers.length === 0) return [];
      const rows = await state.selectFrom("checkpoint").select(["consumer", "offset", "meta"]).where("consumer", "in", consumers).execute();
      return rows.map(({ meta, ...rest }) => ({ ...rest, meta: meta ?? undefined }));
    },
    async rows(consumer, which) {
      if ("prefix" in which)
        return (await of(state, consumer).where("key", ">=", which.prefix).where("key", "<", `${which.prefix}\u{10ffff}`).execute()).map(
          rowOf,
        );
      if ("due" in which) {
        const due = of(state, consumer).where("due", "<=", which.due);
        const from = which.from === undefined ? due : due.where("due", ">=", which.from);
        return (await from.orderBy("due").limit(which.limit).execute()).map(rowOf);
      }
      const found: CheckpointRow[] = [];
      for (const [shard, names] of byShard(which.keys))
        for (const some of slices(names, rowsPerStatement))
          found.push(...(await of(state, consumer).where("shard", "=", shard).where("key", "in", some).execute()));
      return found.map(rowOf);
    },
    async acquire(consumer) {
      const row = await state
        .insertInto("checkpoint")
        .values({ consumer, epoch: 1, offset: 0, meta: null })
        .onConflict((conflict) => conflict.column("consumer").doUpdateSet((eb) => ({ epoch: eb("checkpoint.epoch", "+", 1) })))
        .returning("epoch")
        .executeTakeFirstOrThrow();
      return row.epoch;
    },
    async commit(consumer, epoch, offset, meta, changed) {
      // The last change of a key wins, as if they had been applied one after the other.
      const latest = new Map(changed.map((one) => [`${one.shard}\0${one.key}`, one]));
      const written: Tables["checkpoint_key"][] = [];
      const removed: { shard: number; key: string }[] = [];
      for (const { shard, key, value, due } of latest.values()) {
        if (value === undefined) removed.push({ shard, key });
        else {
          const name = nameOfKey(key);
          written.push({ consumer, shard, key: name, value: storedValue(key, name, value), due: due ?? null });
        }
      }
      await state.transaction().execute(async (tx) => {
        const fenced = await tx
          .updateTable("checkpoint")
          .set({ offset, meta })
          .where("consumer", "=", consumer)
          .where("epoch", "=", epoch)
          .executeTakeFirst();
        if (fenced.numUpdatedRows !== 1n)
          throw new VedetteError("conflict", true, `another owner took over ${consumer} after epoch ${epoch}`);
        for (const rows of slices(written, rowsPerStatement)) {
          await tx
            .insertInto("checkpoint_key")
            .values(rows)
            .onConflict((conflict) =>
              conflict
                .columns(["consumer", "shard", "key"])
                .doUpdateSet((eb) => ({ value: eb.ref("excluded.value"), due: eb.ref("excluded.due") })),
            )
            .execute();
        }
        for (const [shard, names] of byShard(removed))
          for (const keys of slices(names, rowsPerStatement))
            await tx
              .deleteFrom("checkpoint_key")
              .where("consumer", "=", consumer)
              .where("shard", "=", shard)
              .where("key", "in", keys)
              .execute();
      });
    },
  };
}

export function settingStore(state: State): SettingStore {
  return {
    async get(name) {
      return (await state.selectFrom("setting").select("value").where("name", "=", name).executeTakeFirst())?.value;
    },
    async set(name, value) {
      if (value === undefined) await state.deleteFrom("setting").where("name", "=", name).execute();
      else {
        await state
          .insertInto("setting")
          .values({ name, value })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
          .execute();
      }
    },
    async add(name, value) {
      for (;;) {
        await state
          .insertInto("setting")
          .values({ name, value })
          .onConflict((conflict) => conflict.column("name").doNothing())
          .execute();
        const there = await state.selectFrom("setting").select("value").where("name", "=", name).executeTakeFirst();
        // what was there may have been taken away in between
        if (there !== undefined) return there.value;
      }
    },
    async replace(name, from, to) {
      const { numUpdatedRows } = await state
        .updateTable("setting")
        .set({ value: to })
        .where("name", "=", name)
        .where("value", "=", from)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
  };
}
