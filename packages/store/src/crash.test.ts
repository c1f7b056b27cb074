import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { eventOf } from "./crash.events.ts";
import { encodeEvents } from "./events/encode.ts";
import { openStore } from "./open.ts";
import { everything } from "./store.contract.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-crash-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const perBatch = 50;

/** Runs the child until it has acknowledged `acks` batches more, then kills it at once; returns the last offset it said. */
function killAfter(directory: string, acks: number): Promise<number> {
  const script = fileURLToPath(new URL("./crash.child.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=source", script, directory, String(perBatch), "200"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let text = "";
    let killed = false;
    child.stdout.on("data", (chunk) => {
      text += String(chunk);
      if (!killed && text.split("\n").length > acks) {
        killed = true;
        child.kill("SIGKILL");
      }
    });
    child.on("error", reject);
    child.on("exit", () => resolve(Number(text.split("\n").at(-2))));
  });
}

async function stored(directory: string): Promise<{ applied: number; seqs: number[] }> {
  const store = await openStore({ directory });
  const applied = await store.events.applied();
  const { events } = await store.events.search({ ...everything, limit: 10_000, oldestFirst: true });
  await store.close();
  return { applied, seqs: events.map((event) => event.seq) };
}

test("after kill -9 exactly the applied batches are there, none lost, none twice", async () => {
  const directory = join(root, "killed");
  for (const acks of [3, 13, 9]) {
    const said = await killAfter(directory, acks);
    const { applied, seqs } = await stored(directory);
    expect(applied).toBeGreaterThanOrEqual(said);
    // At most the one batch that was under way beyond what was said, or said but not yet read from the pipe.
    expect(seqs).toEqual(Array.from({ length: (applied + 1) * perBatch }, (_, i) => i));
  }
}, 120_000);

const batch = (offset: number) => encodeEvents(Array.from({ length: perBatch }, (_, i) => eventOf(offset * perBatch + i)));

test("a torn or damaged last frame is cut, and what lies about half done is cleared away", async () => {
  const directory = join(root, "torn");
  const open = () => openStore({ directory });
  let store = await open();
  await store.events.put(0, 0, batch(0));
  await store.events.seal(true);
  await store.events.put(1, 0, batch(1));
  const [file = ""] = readdirSync(join(directory, "events/open"));
  const path = join(directory, "events/open", file);
  const whole = statSync(path).size;
  await store.events.put(2, 0, batch(2));
  await store.close();
  truncateSync(path, statSync(path).size - 1);
  writeFileSync(join(directory, "events/tmp/half.parquet"), "PAR1");
  writeFileSync(join(directory, "events/sealed/0000000009-web.parquet"), "PAR1");
  expect(await stored(directory)).toEqual({ applied: 1, seqs: Array.from({ length: 100 }, (_, i) => i) });
  expect(statSync(path).size).toBe(whole);
  expect([readdirSync(join(directory, "events/tmp")), readdirSync(join(directory, "events/sealed")).length]).toEqual([[], 2]);
  appendFileSync(path, "garbage that is longer than one frame's header of 32 bytes");
  store = await open();
  await store.events.put(2, 0, batch(2));
  await store.close();
  expect((await stored(directory)).seqs).toHaveLength(150);
}, 60_000);

test("a sealed segment whose open file was not yet removed is not read twice", async () => {
  const directory = join(root, "sealed");
  const store = await openStore({ directory });
  await store.events.put(0, 0, batch(0));
  const [file = ""] = readdirSync(join(directory, "events/open"));
  const path = join(directory, "events/open", file);
  const frames = readFileSync(path);
  await store.events.seal(true);
  await store.close();
  writeFileSync(path, frames);
  expect((await stored(directory)).seqs).toHaveLength(perBatch);
  expect(readdirSync(join(directory, "events/open"))).toEqual([]);
}, 60_000);

test("a state database that is foreign, damaged or newer is refused by name", async () => {
  const foreign = join(root, "foreign");
  const made = await openStore({ directory: foreign });
  await made.close();
  const path = join(foreign, "state.db");
  for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });

  const database = new DatabaseSync(path);
  database.exec("insert into kysely_migration (name, timestamp) values ('9999_future', '2099-01-01')");
  database.close();
  await expect(openStore({ directory: foreign })).rejects.toMatchObject({ code: "data_dir_format" });
  writeFileSync(path, "this is not a database, whatever its name says".repeat(100));
  await expect(openStore({ directory: foreign })).rejects.toMatchObject({ code: "data_dir_format" });
}, 60_000);
