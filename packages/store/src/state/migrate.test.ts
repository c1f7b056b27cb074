import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Migrator } from "kysely/migration";
import { afterAll, expect, test } from "vitest";
import { alertOf } from "../store.contract.ts";
import { alertStore } from "./alerts.ts";
import { checkpointStore } from "./checkpoints.ts";
import { keyStore } from "./keys.ts";
import { migrations, schemaOf } from "./migrate.ts";
import { openPlace, openState } from "./open.ts";
import { peopleStore } from "./people.ts";
import type { State } from "./tables.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-migrate-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A file as an earlier version left it. */
async function earlier(name: string, last: string): Promise<State> {
  const { state } = await openPlace(join(root, name));
  const known = Object.fromEntries(Object.entries(migrations).filter(([one]) => one <= last));
  const { error } = await new Migrator({ db: state, provider: { getMigrations: async () => known } }).migrateToLatest();
  if (error) throw error;
  return state;
}

test("a file of before foreign keys keeps what belongs to somebody; alerts' evidence becomes events of interest", async () => {
  const old = await earlier("old.db", "0009_machines");
  const evidence = [{ id: "e1", time: 5, source: "s", seq: 0, matches: [], fields: {}, original: "" }];
  const { evidence: _, ...bare } = alertOf("1");
  const alert = { ...bare, evidence };
  const text = { text: "", body: JSON.stringify(alert) };
  const times = { first_seen: 1, last_seen: 1, updated: 1 };
  const marks = { demo: 0, shadow: 0, historical: 0, serial: 1 };
  await old
    .insertInto("alert")
    .values({ id: "1", tenant: "main", group_key: "g", state: "open", severity: 3, rule: "r1", ...times, ...marks, ...text })
    .execute();
  const folded = (id: string, of: string) => ({ id, alert: of, revision: 1, events: 1 });
  await old
    .insertInto("folded_finding")
    .values([folded("f1", "1"), folded("f2", "gone")])
    .execute();
  await old.insertInto("person").values({ id: "p1", name: "ada", body: "{}" }).execute();
  const ofAll = ["p1", "", "gone"].map((person) => ({ person, expires: 9, body: "{}" }));
  await old
    .insertInto("session")
    .values(ofAll.map((one) => ({ id: `s${one.person}`, ...one })))
    .execute();
  await old
    .insertInto("api_key")
    .values(ofAll.map(({ person, ...one }) => ({ hash: `k${person}`, owner: person, ...one })))
    .execute();
  const long = `detector\0main\0${"x".repeat(2_000)}`;
  await old.insertInto("checkpoint").values({ consumer: "c", epoch: 1, offset: 3, meta: null }).execute();
  await old
    .insertInto("checkpoint_key")
    .values([long, "short\0key"].map((key) => ({ consumer: "c", shard: 1, key, value: "{}", due: null })))
    .execute();
  await old.destroy();

  const state = await openState(join(root, "old.db"));
  expect(await peopleStore(state).load(0)).toMatchObject({
    sessions: [
      { id: "s", person: "" },
      { id: "sp1", person: "p1" },
    ],
  });
  expect((await keyStore(state).load(0)).map(({ owner }) => owner)).toEqual(["", "p1"]);
  const alerts = alertStore(state, async () => []);
  expect([...(await alerts.seen(["f1", "f2"])).keys()]).toEqual(["f1"]);
  expect(await state.selectFrom("event_of_interest").selectAll().execute()).toEqual([{ tenant: "main", id: "e1", time: 5, source: "s" }]);
  expect(await state.selectFrom("alert_event").selectAll().execute()).toEqual([{ alert: "1", tenant: "main", event: "e1" }]);
  const checkpoints = checkpointStore(state);
  expect((await checkpoints.load("c")).keys).toEqual([
    { shard: 1, key: long, value: "{}" },
    { shard: 1, key: "short\0key", value: "{}" },
  ]);
  await checkpoints.commit("c", 1, 4, "", [{ shard: 1, key: long, value: undefined }]);
  expect((await checkpoints.load("c")).count).toBe(1);
  await peopleStore(state).save({ removedPeople: ["p1"] });
  expect([(await peopleStore(state).load(0)).sessions, await keyStore(state).load(0)]).toMatchObject([[{ id: "s" }], [{ hash: "k" }]]);
  await state.destroy();
});

test("says what is pending without doing it; a migration that fails leaves nothing behind and is made the next time", async () => {
  const old = await earlier("pending.db", "0009_machines");
  // somebody's own table where one is to be made
  await old.schema.createTable("owned_session").addColumn("x", "text").execute();
  await old.destroy();
  const look = async () => {
    const place = await openPlace(join(root, "pending.db"));
    const { pending } = await schemaOf(place);
    await place.state.destroy();
    return pending;
  };
  expect(await look()).toContain("0010_integrity");
  await expect(openState(join(root, "pending.db"))).rejects.toMatchObject({ code: "store_unavailable" });
  const { state } = await openPlace(join(root, "pending.db"));
  const names = (await state.introspection.getTables()).map(({ name }) => name);
  expect(names).not.toContain("event_of_interest");
  await state.schema.dropTable("owned_session").execute();
  await state.destroy();
  await (await openState(join(root, "pending.db"))).destroy();
  expect(await look()).toEqual([]);
});
