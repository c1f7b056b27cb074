import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, expect, test } from "vitest";
import { alertOf } from "../store.contract.ts";
import { alertStore } from "./alerts.ts";
import { checkpointStore } from "./checkpoints.ts";
import { mirrorState } from "./mirror.ts";
import { movedTables, rowsOf } from "./move.ts";
import { openState } from "./open.ts";
import type { State } from "./tables.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-mirror-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** More rows than are read at once. */
const many = 1_234;
const key = (n: number, value = `${n}`) => ({ shard: n % 64, key: `d\0${n}`, value });
const person = (id: string, name: string) => ({ id, name, body: "{}" });

async function everything(state: State): Promise<unknown> {
  const all: unknown[] = [];
  for (const table of Object.keys(movedTables)) for await (const rows of rowsOf(state, table, false)) all.push([table, rows]);
  return all;
}

test("a file becomes what the server is, time and again, and writes only rows that differ", async () => {
  const [server, local, file] = await Promise.all(["server.db", "local.db", "file.db"].map((name) => openState(join(root, name))));
  const alerts = alertStore(server!, async () => []);
  const event = { id: "e", time: 5, source: "s", seq: 0, matches: [], fields: {}, original: "" };
  await alerts.fold(7, [{ group: "g", alert: alertOf("1", { evidence: [event] }) }], []);
  const checkpoints = checkpointStore(server!);
  const epoch = await checkpoints.acquire("c");
  await checkpoints.commit(
    "c",
    epoch,
    9,
    "m",
    Array.from({ length: many }, (_, n) => key(n)),
  );
  await server!
    .insertInto("person")
    .values([person("a", "ada"), person("b", "bob")])
    .execute();
  await server!.insertInto("session").values({ id: "s", person: "b", expires: 1, body: "{}" }).execute();
  await local!.insertInto("progress").values({ name: "events.applied", value: 3 }).execute();

  await mirrorState(server!, local!, file!);
  expect(await everything(file!)).toEqual(await everything(server!));
  expect(await file!.selectFrom("progress").select("value").where("name", "=", "events.applied").execute()).toEqual([{ value: 3 }]);

  // one row of each kind: gone, changed, new; two people who changed names; and what nobody touched is not written
  await checkpoints.commit("c", epoch, 10, "m", [key(1, "changed"), { shard: 2, key: "d\x002", value: undefined }, key(many)]);
  await server!.updateTable("person").set({ name: "x" }).where("id", "=", "a").execute();
  await server!.updateTable("person").set({ name: "ada" }).where("id", "=", "b").execute();
  await server!.updateTable("person").set({ name: "bob" }).where("id", "=", "a").execute();
  await local!.updateTable("progress").set({ value: 4 }).execute();
  const written = async () => (await sql<{ n: number }>`select total_changes() as n`.execute(file!)).rows[0]!.n;
  const before = await written();
  await mirrorState(server!, local!, file!);
  expect(await everything(file!)).toEqual(await everything(server!));
  expect(await file!.selectFrom("progress").select("value").where("name", "=", "events.applied").execute()).toEqual([{ value: 4 }]);
  expect((await written()) - before).toBeLessThan(20);
  await Promise.all([server!, local!, file!].map((state) => state.destroy()));
});

test("what cannot be copied whole leaves the file as it was", async () => {
  const [server, local, file] = await Promise.all(["server2.db", "local2.db", "file2.db"].map((name) => openState(join(root, name))));
  await file!.insertInto("setting").values({ name: "kept", value: "1" }).execute();
  await server!.insertInto("setting").values({ name: "a", value: "1" }).execute();
  await sql`drop table checkpoint_key`.execute(server!);
  await expect(mirrorState(server!, local!, file!)).rejects.toThrow(/checkpoint_key/);
  expect((await file!.selectFrom("setting").select("name").execute()).map(({ name }) => name)).toEqual(["kept"]);
  await Promise.all([server!, local!, file!].map((state) => state.destroy()));
});
