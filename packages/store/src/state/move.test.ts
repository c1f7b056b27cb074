import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { moveStateTo } from "../admin.ts";
import { alertOf } from "../store.contract.ts";
import { alertStore } from "./alerts.ts";
import { checkpointStore } from "./checkpoints.ts";
import { localTables, movedTables } from "./move.ts";
import { openState } from "./open.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-move-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const options = { overwrite: false, newLog: false, at: "2026-03-01T00:00:00Z" };
/** More rows than are read at once. */
const many = 1_234;

async function filled(name: string): Promise<string> {
  const file = join(root, name);
  const state = await openState(file);
  const event = { id: "e", time: 5, source: "s", seq: 0, matches: [], fields: {}, original: "" };
  await alertStore(state, async () => []).fold(7, [{ group: "g", alert: alertOf("1", { evidence: [event] }) }], []);
  const checkpoints = checkpointStore(state);
  const epoch = await checkpoints.acquire("c");
  const keys = Array.from({ length: many }, (_, n) => ({ shard: n % 64, key: `d\0${n}`, value: `${n}` }));
  await checkpoints.commit("c", epoch, 9, "m", keys);
  await state.insertInto("progress").values({ name: "events.applied", value: 3 }).execute();
  await state.insertInto("setting").values({ name: "one", value: "1" }).execute();
  await state.destroy();
  return file;
}
const empty = async (name: string): Promise<string> => {
  const file = join(root, name);
  const state = await openState(file);
  await state.insertInto("progress").values({ name: "events.applied", value: 55 }).execute();
  await state.destroy();
  return file;
};

test("every table is moved or belongs to the files of its directory", async () => {
  const state = await openState(join(root, "tables.db"));
  const tables = (await state.introspection.getTables()).map(({ name }) => name);
  expect(tables.sort()).toEqual([...Object.keys(movedTables), ...localTables].sort());
  await state.destroy();
});

test("all state is there afterwards, what belongs to files stays, and the old place is refused from then on", async () => {
  const [from, to] = [await filled("from.db"), await empty("to.db")];
  const seen: number[] = [];
  const counts = await moveStateTo(from, to, { ...options, onProgress: (done, total) => seen.push(done / total) });
  expect(counts).toMatchObject({
    alert: 1,
    alert_event: 1,
    event_of_interest: 1,
    checkpoint: 1,
    checkpoint_key: many,
    progress: 2,
    setting: 1,
  });
  expect([seen.length > 5, seen.at(-1)]).toEqual([true, 1]);
  const state = await openState(to);
  expect(await checkpointStore(state).load("c")).toMatchObject({ offset: 9, count: many });
  expect(await alertStore(state, async () => []).offset()).toBe(7);
  const { value } = await state.selectFrom("progress").select("value").where("name", "=", "events.applied").executeTakeFirstOrThrow();
  expect(value).toBe(55);
  await state.destroy();
  await expect(moveStateTo(from, join(root, "other.db"), options)).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringMatching(/was moved to .*to\.db at 2026-03-01/),
  });
  // and back: what was left there counts no more, and is given up only when told to
  await expect(moveStateTo(to, from, options)).rejects.toThrow(/--overwrite/);
  await moveStateTo(to, from, { ...options, overwrite: true });
  await (await openState(from)).destroy();
  await expect(moveStateTo(to, join(root, "third.db"), options)).rejects.toThrow(/was moved/);
});

test("a target with state is left alone; a new log takes no positions with it", async () => {
  const [from, to] = [await filled("a.db"), await filled("b.db")];
  await expect(moveStateTo(from, to, options)).rejects.toMatchObject({ code: "config_invalid" });
  const counts = await moveStateTo(from, to, { ...options, overwrite: true, newLog: true });
  expect(counts).toMatchObject({ alert: 1, progress: 1 });
  const state = await openState(to);
  expect((await checkpointStore(state).load("c")).count).toBe(0);
  const alerts = alertStore(state, async () => []);
  expect([await alerts.offset(), await alerts.lastChange()]).toEqual([0, 1]);
  await state.destroy();
});
