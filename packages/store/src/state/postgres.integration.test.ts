import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { moveStateTo } from "../admin.ts";
import { openStore } from "../open.ts";
import { alertOf, hour, start, stateContract } from "../store.contract.ts";
import { PostgresServer, postgresMissing } from "../testing/postgres.ts";
import { alertStore } from "./alerts.ts";
import { checkpointStore, settingStore } from "./checkpoints.ts";
import { keyStore } from "./keys.ts";
import { machineStore } from "./machines.ts";
import { migrations, schemaOf } from "./migrate.ts";
import { openPlace, openState } from "./open.ts";
import { peopleStore } from "./people.ts";

const missing = postgresMissing();
if (missing) process.stderr.write(`state on PostgreSQL: skipped, ${missing}\n`);
const clock = { now: () => start + 3 * hour, sleep: () => Promise.resolve() };

describe.skipIf(missing)("state on PostgreSQL", () => {
  const server = new PostgresServer();
  const root = mkdtempSync(join(tmpdir(), "vedette-store-"));
  let folder = 0;
  const openOn = (postgres = server.settings()) => openStore({ directory: join(root, String(folder++)), clock, postgres });

  beforeAll(async () => {
    await server.create();
    await server.start();
  });
  afterAll(async () => {
    await server.remove();
    rmSync(root, { recursive: true, force: true });
  });

  // the storage thread has more to load than these need
  stateContract(async () => {
    const state = await openState(server.settings());
    return {
      alerts: alertStore(state, async () => []),
      checkpoints: checkpointStore(state),
      settings: settingStore(state),
      keys: keyStore(state),
      machines: machineStore(state),
      people: peopleStore(state),
      close: () => state.destroy(),
    };
  });

  test("keeps what SQLite keeps: NUL, the mark that stands for it, texts of every script, keys of any length, in the order of their bytes", async () => {
    const state = await openState(server.settings());
    const checkpoints = checkpointStore(state);
    const epoch = await checkpoints.acquire("c");
    const long = ["x".repeat(9_000), "\u4e2d".repeat(4_000)];
    const keys = ["", "\0", "\0\0", "\u0001", "\u0001\u0001", "\u0001\u0002", "A", "a", "B", "é", "\u{1f600}", ...long];
    await checkpoints.commit(
      "c",
      epoch,
      1,
      "m\0",
      keys.map((key, due) => ({ shard: 0, key, value: `v${key}`, due })),
    );
    const { keys: found, meta } = await checkpoints.load("c");
    expect(meta).toBe("m\0");
    const shown = (all: readonly string[]) => all.map((key) => JSON.stringify(key.slice(0, 20)));
    const byBytes = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(shown(found.map(({ key }) => key))).toEqual(shown(byBytes));
    expect(found.every(({ key, value }) => keys.includes(key) && value === `v${key}`)).toBe(true);
    const some = await checkpoints.rows("c", { keys: long.map((key) => ({ shard: 0, key })) });
    expect(some.map(({ key }) => key.length).sort()).toEqual([4_000, 9_000]);
    expect(await checkpoints.rows("c", { due: 1, from: 1, limit: 9 })).toEqual([{ shard: 0, key: "\0", value: "v\0" }]);
    await state.destroy();
  });

  test("ties alerts to the events they rest on, and sessions to people", async () => {
    const settings = server.settings();
    const state = await openState(settings);
    const alerts = alertStore(state, async () => []);
    const event = { id: "e\0", time: 5, source: "s", seq: 0, matches: [], fields: {}, original: "" };
    const both = ["1", "2"].map((id) => ({ group: id, alert: alertOf(id, { evidence: [event, event], demo: id === "2" }) }));
    await alerts.fold(1, both, [{ id: "f", alert: "2", revision: 1, events: 1 }]);
    const linked = async () => (await state.selectFrom("alert_event").select("alert").orderBy("alert").execute()).map(({ alert }) => alert);
    expect(await linked()).toEqual(["1", "2"]);
    await expect(alerts.fold(2, [], [{ id: "g", alert: "none", revision: 1, events: 1 }])).rejects.toThrow(/foreign key/);
    expect(await alerts.offset()).toBe(1);
    await expect(state.deleteFrom("event_of_interest").execute()).rejects.toThrow(/foreign key/);
    await alerts.clearDemo();
    expect([await linked(), await alerts.seen(["f"])]).toEqual([["1"], new Map()]);
    expect(await state.selectFrom("event_of_interest").selectAll().execute()).toHaveLength(1);
    const people = peopleStore(state);
    await expect(people.save({ sessions: [{ id: "s", person: "nobody", expires: 9, body: "" }] })).rejects.toThrow(/foreign key/);
    await people.save({ sessions: [{ id: "s", person: "", expires: 9, body: "" }] });
    expect((await people.load(0)).sessions).toMatchObject([{ id: "s", person: "" }]);
    await state.destroy();
  });

  test("shows who sees a part of the events their alerts, in pages, as they change", async () => {
    const state = await openState(server.settings());
    const alerts = alertStore(state, async () => []);
    const of = (id: string, site: string) => {
      const event = { id: `e${id}`, time: start, source: "s", seq: 0, matches: [], fields: { "labels.site": site }, original: "" };
      return { group: id, alert: alertOf(id, { evidence: [event] }) };
    };
    const all = Array.from({ length: 450 }, (_, n) => of(n.toString(36), n % 3 === 0 ? "a" : "b"));
    await alerts.fold(1, all, []);
    const rows = { op: "eq", field: "labels.site", value: "a" } as const;
    const list = (cursor?: string) => alerts.list({ tenant: "main", view: { parts: [{ rows, masks: [] }] } }, 100, cursor);
    const first = await list();
    const second = await list(first.cursor);
    expect([first.total, first.alerts.length, second.alerts.length, second.cursor]).toEqual([150, 100, 50, undefined]);
    expect(new Set([...first.alerts, ...second.alerts].map(({ id }) => id)).size).toBe(150);
    const grown = (id: string, site: string) => ({ ...of(id, site), was: start });
    await alerts.fold(2, [grown("0", "b"), of("zz", "a"), grown("1", "a")], []);
    expect((await list()).total).toBe(151);
    await state.destroy();
  });

  test("changes of alerts by several processes at once are numbered in the order of their commits, and none is lost", async () => {
    const settings = server.settings();
    const states = await Promise.all([0, 1, 2].map(() => openState(settings)));
    const stores = states.map((state) => alertStore(state, async () => []));
    await stores[0]!.fold(1, [{ group: "g", alert: alertOf("1", { count: 0 }) }], []);
    /** As somebody who works on an alert: again with what is there now, until nobody was faster. */
    const add = async (store: (typeof stores)[number]) => {
      for (;;) {
        const now = (await store.get("main", "1"))!;
        if (await store.replace({ ...now, count: now.count + 1, updated: now.updated + 1 }, now.updated)) return;
      }
    };
    await Promise.all(
      stores.flatMap((store, n) =>
        [...Array(10)].map((_, i) => (i % 2 ? add(store) : store.fold(1, [{ group: "h", alert: alertOf(`z${n}${i}`) }], []))),
      ),
    );
    expect((await stores[0]!.get("main", "1"))!.count).toBe(15);
    const changed = await stores[0]!.changed(0, 100);
    expect(new Set(changed.map(({ serial }) => serial)).size).toBe(16);
    expect(changed.at(-1)!.serial).toBeLessThanOrEqual(await stores[1]!.lastChange());
    await Promise.all(states.map((state) => state.destroy()));
  });

  test("processes that start at once migrate once; what is pending is told without doing it; a newer version's schema is refused", async () => {
    const settings = server.settings();
    const look = async () => {
      const place = await openPlace(settings);
      try {
        return await schemaOf(place);
      } finally {
        await place.state.destroy();
      }
    };
    expect((await look()).pending).toEqual(Object.keys(migrations));
    const opened = await Promise.all([0, 1, 2, 3].map(() => openState(settings)));
    await Promise.all(opened.map((state) => state.destroy()));
    expect(await look()).toEqual({ done: Object.keys(migrations), pending: [] });
    server.run(`insert into ${settings.schema}.kysely_migration values ('9999_future', '2030-01-01')`);
    await expect(openState(settings)).rejects.toMatchObject({ code: "data_dir_format", message: expect.stringContaining("9999_future") });
    await expect(look()).rejects.toMatchObject({ code: "data_dir_format" });
  });

  test("what an operator has to mend is said with the setting and the fix", async () => {
    server.run("create role poor login password 'secret'");
    server.run("create database latin encoding 'LATIN1' locale_provider libc locale 'C' template template0");
    const refused = (change: Parameters<typeof server.settings>[0]) =>
      openState(server.settings(change)).then(
        () => "it was let in",
        (error: { code: string; message: string }) => `${error.code}: ${error.message}`,
      );
    expect(await refused({ password: "wrong" })).toMatch(/^postgres_refused: postgres\.password: .*POSTGRES_PASSWORD/);
    expect(await refused({ user: "stranger" })).toMatch(/^postgres_refused: postgres\.(password|user): /);
    expect(await refused({ db: "none" })).toMatch(/^postgres_refused: postgres\.db: .*createdb .*none/);
    expect(await refused({ db: "latin" })).toMatch(/^postgres_refused: postgres\.db: latin is of encoding LATIN1/);
    expect(await refused({ user: "poor" })).toMatch(/^postgres_refused: postgres\.user: poor .*GRANT CREATE/);
    expect(await refused({ tls: {} })).toMatch(/^postgres_refused: postgres\.tls: the server speaks no TLS/);
    expect(await refused({ host: "no-such-host.invalid" })).toMatch(/^store_unavailable: PostgreSQL does not answer \(E/);
    expect(await refused({ port: 1 })).toBe("store_unavailable: PostgreSQL does not answer (ECONNREFUSED)");
  });

  test("TLS takes the server whose certificate and name hold, and no other", async () => {
    const ca = await server.useTls();
    const open = async (change: Parameters<typeof server.settings>[0]) => await (await openState(server.settings(change))).destroy();
    await open({ tls: { ca } });
    await expect(open({ tls: {} })).rejects.toMatchObject({
      code: "postgres_refused",
      message: expect.stringMatching(/^postgres\.tls: the server's cert/),
    });
    // the certificate is of the address
    await expect(open({ tls: { ca }, host: "localhost" })).rejects.toMatchObject({ code: "postgres_refused" });
  });

  test("state moves from a file and back, whole, while nobody uses it", async () => {
    const file = join(root, "moved.db");
    const state = await openState(file);
    const keys = Array.from({ length: 1_200 }, (_, n) => ({ shard: n % 64, key: `d\0\u0001${n}${"y".repeat(n)}`, value: `v${n}`, due: n }));
    const epoch = await checkpointStore(state).acquire("c");
    await checkpointStore(state).commit("c", epoch, 9, "m", keys);
    await alertStore(state, async () => []).fold(7, [{ group: "g\0", alert: alertOf("1", { title: "a\0b" }) }], []);
    await state.destroy();
    const settings = server.settings();
    const options = { overwrite: false, newLog: false, at: "2026-03-01T00:00:00Z" };
    const { alert, checkpoint_key } = await moveStateTo(file, settings, options);
    expect([alert, checkpoint_key]).toEqual([1, 1_200]);
    const there = await openState(settings);
    expect((await checkpointStore(there).load("c")).count).toBe(1_200);
    await expect(moveStateTo(settings, join(root, "back.db"), options)).rejects.toThrow(/is in use: 1 connections/);
    await there.destroy();
    await moveStateTo(settings, join(root, "back.db"), options);
    const back = await openState(join(root, "back.db"));
    const found = (await checkpointStore(back).load("c")).keys;
    expect(new Map(found.map(({ key, value }) => [key, value]))).toEqual(new Map(keys.map(({ key, value }) => [key, value])));
    await back.destroy();
    await expect(openState(settings)).rejects.toThrow(/state\.driver: .* was moved to .*back\.db/);
  });

  test("it stops and comes back: what is asked meanwhile is refused at once, and all goes on with the same store", async () => {
    const store = await openOn();
    const epoch = await store.checkpoints.acquire("c");
    await store.checkpoints.commit("c", epoch, 1, "a", []);
    await server.stop();
    const commit = () => store.checkpoints.commit("c", epoch, 2, "b", [{ shard: 0, key: "k", value: "1" }]);
    for (let n = 0; n < 3; n++) await expect(commit()).rejects.toMatchObject({ code: "store_unavailable", permanent: false });
    await server.start();
    // what an operator mends under a program that runs keeps nobody from trying again
    server.run("alter role vedette password 'other'");
    await expect(commit()).rejects.toMatchObject({ code: "store_unavailable", permanent: false, message: "PostgreSQL refuses (28P01)" });
    server.run("alter role vedette password 'secret'", "postgres", "other");
    await commit();
    expect(await store.checkpoints.load("c")).toMatchObject({ epoch, offset: 2, keys: [{ key: "k" }] });
    await store.close();
  });

  test("one that takes no writes any more, as after a fail-over, is told so, and each time asked by a new connection", async () => {
    server.run("create role app login password 'secret'");
    server.run("grant create on database postgres to app");
    const store = await openOn(server.settings({ user: "app" }));
    const epoch = await store.checkpoints.acquire("c");
    const commit = () => store.checkpoints.commit("c", epoch, 1, "a", []);
    server.run("alter role app set default_transaction_read_only = on");
    server.run("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'");
    const refusals = [];
    for (let n = 0; n < 3; n++) refusals.push(await commit().catch((e: Error) => e.message));
    expect(refusals.at(-1)).toMatch(/^PostgreSQL takes no writes \(25006\)/);
    // connections that came by while it was so stay as they are
    server.run("alter role app set default_transaction_read_only = off");
    await commit();
    expect(await store.checkpoints.load("c")).toMatchObject({ offset: 1 });
    await store.close();
    server.run("alter role app set default_transaction_read_only = on");
    await expect(openState(server.settings({ user: "app" }))).rejects.toThrow(/^postgres\.host: 127\.0\.0\.1 takes no writes.*primary/);
  });
});
