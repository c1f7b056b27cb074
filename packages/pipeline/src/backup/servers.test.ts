/** A backup of an installation whose log is elsewhere: what the state rests on is in it, also when the log goes on and forgets meanwhile. */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@vedette/kit";
import { type Log, type Mirrored, openLog } from "@vedette/log";
import { openStore } from "@vedette/store";
import { afterAll, expect, test } from "vitest";
import { captureDirectory, type MirrorLog } from "./capture.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-servers-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Segment files stand for the server: they are copied as they are. */
const mirrorOf =
  (log: Log, server: string, asked: (readonly number[] | undefined)[]): MirrorLog =>
  async (folder, observations) => {
    asked.push(observations);
    cpSync(join(server, "log"), join(folder, "log"), { recursive: true });
    const { start, end } = await log.bounds("raw", 0);
    return [{ topic: "raw", partition: 0, start, end } satisfies Mirrored];
  };

test("the log is copied before and after the state; what the state needs next must be there", async () => {
  const [server, directory] = [join(root, "server"), join(root, "data")];
  for (const folder of [server, directory]) mkdirSync(folder);
  const log = await openLog({ directory: server });
  const store = await openStore({ directory, memoryLimitMb: 64 });
  try {
    const commit = async (consumer: string, offset: number, meta: object) => {
      const epoch = await store.checkpoints.acquire(consumer);
      await store.checkpoints.commit(consumer, epoch, offset, JSON.stringify(meta), []);
    };
    for (let n = 0; n < 9; n++) await log.append("raw", 0, Buffer.from(`${n}`));
    await commit("engine", 7, { published: Array.from({ length: 64 }, (_, shard) => 100 + shard) });
    for (let shard = 0; shard < 64; shard++) await commit(`shard/${shard}`, shard === 5 ? 90 : 200, {});
    const asked: (readonly number[] | undefined)[] = [];
    const captured = await captureDirectory(directory, store, systemClock, mirrorOf(log, server, asked));
    expect(captured.about.log).toEqual({ "raw/0": 9 });
    const paths = captured.files.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith("log/"))).toEqual([`log/raw/0/${"0".repeat(20)}.seg`]);
    expect(paths.some((path) => path.startsWith("backup.copy"))).toBe(false);
    await captured.release();
    // of each shard from what it has not folded on, or what it was told last
    const shards = Array.from({ length: 64 }, (_, shard) => (shard === 5 ? 90 : 100 + shard));
    expect(asked).toEqual([undefined, shards]);

    const gone: MirrorLog = async () => [{ topic: "raw", partition: 0, start: 8, end: 9 }];
    await expect(captureDirectory(directory, store, systemClock, gone)).rejects.toMatchObject({ code: "conflict" });
  } finally {
    await log.close();
    await store.close();
  }
});
