import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { Database } from "./duckdb.ts";

test("closing ends a query that is under way, and none begins after it", async () => {
  const database = await Database.open({ memoryMb: 64, threads: 1, temporary: tmpdir() });
  const long = database.query("SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b", []);
  const ended = expect(long).rejects.toThrow(/interrupt/i);
  // connected and sent
  await database.query("SELECT 1", []);
  await database.close();
  await ended;
  await expect(database.query("SELECT 1", [])).rejects.toThrow();
});

test("an interruption that comes before the query runs is not forgotten", async () => {
  const database = await Database.open({ memoryMb: 64, threads: 1, temporary: tmpdir() });
  const stopped = new AbortController();
  const ended = expect(
    database.query("SELECT sum(a.range * b.range) FROM range(100000000) a, range(100000) b", [], stopped.signal),
  ).rejects.toThrow();
  await new Promise((done) => setImmediate(done));
  stopped.abort();
  await ended;
  await database.close();
});
