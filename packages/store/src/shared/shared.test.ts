/** Events in a folder that several processes share: what the local store does, and what happens when a partition changes hands. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Micros } from "@vedette/model";
import { afterAll, describe, expect, test } from "vitest";
import { Duck } from "../events/duck.ts";
import { encodeEvents } from "../events/encode.ts";
import { networkMacros } from "../events/network.ts";
import { openState } from "../state/open.ts";
import type { State } from "../state/tables.ts";
import { eventContract, eventOf, everything, hour, start } from "../store.contract.ts";
import type { EncodedEvents, EventWriter, Store } from "../store.ts";
import { sharedStatus } from "./status.ts";
import { openSharedEvents } from "./store.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-shared-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let next = 0;

type Shared = Awaited<ReturnType<typeof openSharedEvents>>;

interface Installation {
  readonly folder: string;
  readonly state: State;
  now: Micros;
  /** A process of it, as far as it stores events. */
  process(limits?: { rows?: number }): Promise<Shared>;
  close(): Promise<void>;
}
async function installation(): Promise<Installation> {
  const directory = join(root, `one-${next++}`);
  const folder = join(directory, "shared");
  mkdirSync(folder, { recursive: true });
  const state = await openState(join(directory, "state.db"));
  const opened: { close(): Promise<void> }[] = [];
  const all: Installation = {
    folder,
    state,
    now: start,
    async process({ rows = 1_000 } = {}) {
      const duck = new Duck({ memoryMb: 64, threads: 1, temporary: join(directory, "tmp") }, networkMacros);
      const limits = { rows, bytes: 1e9 };
      const store = await openSharedEvents({ duck, state, root: folder, limits, now: () => all.now });
      opened.push(store, duck);
      return store;
    },
    async close() {
      for (const one of opened) await one.close();
      await state.destroy();
    },
  };
  return all;
}

/** Two processes write, each the batches of a raw partition, and a third answers. */
async function threeProcesses(): Promise<Store> {
  const all = await installation();
  all.now = start + 3 * hour;
  const writers = [await all.process(), await all.process()];
  for (const [partition, { methods }] of writers.entries()) await methods.applied({ partition, epoch: 1 });
  const { methods: reader } = await all.process();
  const seal = async (everything = false) => {
    for (const { methods } of writers) await methods.seal(everything);
  };
  const events = {
    ...reader,
    // over the port of a thread what is thrown is a refusal too
    search: async (...how: Parameters<typeof reader.search>) => reader.search(...how),
    put: (offset: number, received: Micros, batch: EncodedEvents) =>
      writers[offset % 2]!.methods.put(offset, received, batch, { partition: offset % 2, epoch: 1 }),
    applied: async () =>
      Math.max(...(await Promise.all(writers.map(({ methods }, partition) => methods.applied({ partition, epoch: 1 }))))),
    seal,
    clearDemo: async () => {
      await seal(true);
      return await reader.clearDemo();
    },
    remove: async (...what: Parameters<typeof reader.remove>) => {
      await seal(true);
      return await reader.remove(...what);
    },
  };
  return { events, close: () => all.close() } as unknown as Store;
}

describe("two writers and one reader", () => {
  eventContract(threeProcesses);
});

const batch = (from: number, count = 10) => encodeEvents(Array.from({ length: count }, (_, i) => eventOf(from + i)));
const put = ({ methods }: Shared, offset: number, writer: EventWriter, from = offset * 10) =>
  methods.put(offset, start, batch(from), writer);
async function found({ methods }: Shared): Promise<readonly number[]> {
  const { events } = await methods.search({ ...everything, limit: 1_000, oldestFirst: true });
  return events.map(({ seq }) => seq);
}
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);
const open = ({ folder }: Installation, partition = "0000") => readdirSync(join(folder, partition, "open")).sort();

describe("a partition that changes hands", () => {
  test("goes on where its earlier owner stopped; what that one adds later is not counted, open or sealed", async () => {
    const all = await installation();
    const [old, fresh, reader] = [await all.process(), await all.process(), await all.process()];
    const [first, second] = [
      { partition: 0, epoch: 1 },
      { partition: 0, epoch: 2 },
    ];
    expect(await old.methods.applied(first)).toBe(-1);
    await put(old, 0, first);
    await put(old, 1, first);
    expect(await found(reader)).toEqual(upTo(20));
    expect(await fresh.methods.applied(second)).toBe(1);
    // it does not know yet; what it is told as stored can enter no checkpoint
    await put(old, 2, first, 500);
    expect(await found(reader)).toEqual(upTo(20));
    await put(fresh, 1, second, 700);
    await put(fresh, 2, second);
    expect(await found(reader)).toEqual(upTo(30));
    await fresh.methods.seal(true);
    expect(await found(reader)).toEqual(upTo(30));
    // its own seal is refused, and tells it that it is no owner any more
    await old.methods.seal(true);
    await expect(put(old, 3, first)).rejects.toMatchObject({ code: "conflict" });
    expect(await found(reader)).toEqual(upTo(30));
    expect((await reader.methods.usage()).events).toBe(30);
    await expect(old.methods.applied(first)).rejects.toMatchObject({ code: "conflict" });
    await all.close();
  });

  test("is taken over again and again without losing or doubling an event, sealed between or not", async () => {
    const all = await installation();
    const reader = await all.process();
    const lives = [await all.process(), await all.process(), await all.process()];
    for (let epoch = 1; epoch <= 9; epoch++) {
      const store = lives[epoch % 3]!;
      const writer = { partition: 0, epoch };
      const applied = await store.methods.applied(writer);
      expect(applied).toBe(epoch - 2);
      // a repeat after a crash begins before what is stored
      for (let offset = Math.max(0, applied - 1); offset < epoch; offset++) await put(store, offset, writer);
      if (epoch % 3 === 0) await store.methods.seal(true);
      expect(await found(reader)).toEqual(upTo(epoch * 10));
    }
    await all.close();
  });

  test("whose owner died in the middle of a write keeps every whole batch", async () => {
    const all = await installation();
    const [old, fresh, reader] = [await all.process(), await all.process(), await all.process()];
    const first = { partition: 0, epoch: 1 };
    await old.methods.applied(first);
    await put(old, 0, first);
    await put(old, 1, first);
    const [name] = open(all);
    const file = join(all.folder, "0000/open", name!);
    appendFileSync(file, "VSF1 and what a torn write leaves");
    expect(await found(reader)).toEqual(upTo(20));
    expect(await fresh.methods.applied({ partition: 0, epoch: 2 })).toBe(1);
    await put(fresh, 2, { partition: 0, epoch: 2 });
    expect(await found(reader)).toEqual(upTo(30));
    await fresh.methods.seal(true);
    expect(open(all)).toEqual([]);
    expect(await found(reader)).toEqual(upTo(30));
    await all.close();
  });

  test("refuses batches of whoever has not taken it", async () => {
    const all = await installation();
    const store = await all.process();
    await expect(put(store, 0, { partition: 0, epoch: 1 })).rejects.toMatchObject({ code: "conflict" });
    await expect(store.methods.put(0, start, batch(0))).rejects.toMatchObject({ code: "conflict" });
    await all.close();
  });
});

describe("a folder that is written, sealed and joined while it is read", () => {
  test("gives every event once at any moment", async () => {
    const all = await installation();
    const [one, other, reader] = [await all.process({ rows: 20 }), await all.process({ rows: 30 }), await all.process()];
    const writers = [one, other].map((store, partition) => ({ store, writer: { partition, epoch: 1 } }));
    for (const { store, writer } of writers) await store.methods.applied(writer);
    const written = new Set<number>();
    let done = false;
    const write = async () => {
      for (let offset = 0; offset < 40; offset++) {
        const { store, writer } = writers[offset % 2]!;
        await put(store, offset, writer);
        for (let n = 0; n < 10; n++) written.add(offset * 10 + n);
      }
      for (const { store } of writers) await store.methods.seal(true);
    };
    const writing = write().finally(() => {
      done = true;
    });
    for (;;) {
      const [before, over] = [written.size, done];
      const seqs = await found(reader);
      expect(new Set(seqs).size).toBe(seqs.length);
      expect(seqs.length).toBeGreaterThanOrEqual(before);
      if (over) break;
    }
    await writing;
    expect(await found(reader)).toEqual(upTo(400));
    const { events, partitions } = await reader.methods.usage();
    expect(events).toBe(400);
    // two writers, some ten segments each: joined by now as an hour's files are
    expect(partitions).toBeLessThan(24);
    await all.close();
  });

  test("is swept of what nobody names, not before those who read may be done with it", async () => {
    const all = await installation();
    const [store, leader] = [await all.process(), await all.process()];
    const writer = { partition: 0, epoch: 1 };
    await store.methods.applied(writer);
    await put(store, 0, writer);
    await store.methods.seal(true);
    const sealed = join(all.folder, "0000/sealed");
    const [kept] = readdirSync(sealed);
    writeFileSync(join(sealed, "0000000009-network.parquet"), "left by a crash");
    writeFileSync(join(all.folder, "0000/tmp/half"), "");
    await leader.methods.retain({});
    all.now += hour / 2;
    await leader.methods.retain({});
    expect(readdirSync(sealed)).toHaveLength(2);
    all.now += hour;
    await leader.methods.retain({});
    expect(readdirSync(sealed)).toEqual([kept]);
    expect(readdirSync(join(all.folder, "0000/tmp"))).toEqual([]);
    await leader.methods.retain({ network: { maxAge: 1 } });
    expect(await found(leader)).toEqual([]);
    // somebody may be reading it
    expect(readdirSync(sealed)).toEqual([kept]);
    all.now += hour;
    await leader.methods.retain({});
    all.now += hour;
    await leader.methods.retain({});
    expect(readdirSync(sealed)).toEqual([]);
    await all.close();
  });

  test("whose writer is gone for good is sealed by who leads", async () => {
    const all = await installation();
    const [gone, leader] = [await all.process(), await all.process()];
    all.now = Date.now() * 1_000;
    await gone.methods.applied({ partition: 7, epoch: 4 });
    await put(gone, 0, { partition: 7, epoch: 4 });
    await leader.methods.retain({});
    expect(open(all, "0007")).toHaveLength(1);
    all.now += 3 * hour;
    await leader.methods.retain({});
    expect(open(all, "0007")).toEqual([]);
    expect(await found(leader)).toEqual(upTo(10));
    // should it come back after all, it goes on
    await gone.methods.seal(false);
    expect(await gone.methods.applied({ partition: 7, epoch: 5 })).toBe(0);
    await all.close();
  });
});

describe("a folder that is not what it should be", () => {
  test("is told apart from one that does what is needed", async () => {
    const all = await installation();
    expect(sharedStatus(all.folder)).toMatchObject({ marked: false, partitions: 0, open: 0 });
    const store = await all.process();
    await store.methods.applied({ partition: 3, epoch: 1 });
    await put(store, 0, { partition: 3, epoch: 1 });
    const { freeBytes, ...told } = sharedStatus(all.folder);
    expect(told).toEqual({ marked: true, partitions: 1, open: 1 });
    expect(freeBytes).toBeGreaterThan(0);
    // it leaves nothing behind
    expect(readdirSync(all.folder).sort()).toEqual(["0003", "vedette-events"]);
    expect(() => sharedStatus(join(root, "nowhere"))).toThrow(/events.shared: .*is it mounted/);
    await all.close();
  });

  test("is refused: another installation's, or an empty one where events should be", async () => {
    const [one, other] = [await installation(), await installation()];
    const store = await one.process();
    await store.methods.applied({ partition: 0, epoch: 1 });
    const duck = new Duck({ memoryMb: 64, threads: 1, temporary: join(root, "tmp") }, networkMacros);
    const limits = { rows: 1_000, bytes: 1e9 };
    const stranger = openSharedEvents({ duck, state: other.state, root: one.folder, limits, now: () => start });
    await expect(stranger).rejects.toMatchObject({ code: "config_invalid", message: expect.stringContaining("another installation") });
    const unmounted = openSharedEvents({ duck, state: one.state, root: other.folder, limits, now: () => start });
    await expect(unmounted).rejects.toMatchObject({ code: "config_invalid", message: expect.stringContaining("mounted") });
    const absent = openSharedEvents({ duck, state: other.state, root: join(root, "nowhere"), limits, now: () => start });
    await expect(absent).rejects.toMatchObject({ code: "store_unavailable" });
    expect(existsSync(join(root, "nowhere"))).toBe(false);
    rmSync(join(one.folder, "0000"), { recursive: true });
    await expect(store.methods.search({ ...everything, limit: 1 })).rejects.toMatchObject({ code: "store_unavailable" });
    await one.close();
    await other.close();
  });

  test("says of a sealed file that is damaged that it cannot answer", async () => {
    const all = await installation();
    const store = await all.process();
    const writer = { partition: 0, epoch: 1 };
    await store.methods.applied(writer);
    await put(store, 0, writer);
    await store.methods.seal(true);
    const [name] = readdirSync(join(all.folder, "0000/sealed"));
    truncateSync(join(all.folder, "0000/sealed", name!), 50);
    await expect(found(store)).rejects.toMatchObject({ code: "store_unavailable" });
    await all.close();
  });
});
