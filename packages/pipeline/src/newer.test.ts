/** Processes of several versions on one log: who is older neither skips nor guesses, and what a newer one has put in force is known in time. */
import type { PreparedDetector } from "@vedette/detect";
import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { Control } from "./control.ts";
import { migrated } from "./keyed/saved.ts";
import { makeProgram } from "./program.ts";
import { decodeShardRecord } from "./shards/record.ts";

const program = makeProgram({ rules: [], pipelines: [], detectors: {}, lateness_s: 30 }, 0);
const ahead = { code: "newer_version", message: expect.stringContaining("newer version of Vedette") };
const json = (value: object) => Buffer.from(JSON.stringify(value));

test.each([
  ["a program", { kind: "program", version: 3, hash: "x" }],
  ["something that this version has no word for", { kind: "covenant", version: 1 }],
])("rules in force by %s of a newer version refuse a start", async (_what, document) => {
  const log = memoryLog();
  await log.append("control", 0, json(document));
  await expect(Control.open(log)).rejects.toMatchObject(ahead);
});

test("who runs when a newer version puts rules in force judges nothing by older ones", async () => {
  const log = memoryLog();
  const running = await Control.open(log);
  await log.append("control", 0, json({ kind: "program", version: 3, hash: "x" }));
  await expect(running.find("x")).rejects.toMatchObject(ahead);
  // and again: it stays where it is
  await expect(running.find("x")).rejects.toMatchObject(ahead);
});

test("a program that another process put in force a moment ago is found by its hash", async () => {
  const log = memoryLog();
  const [one, other] = [await Control.open(log), await Control.open(log)];
  await one.publish(program);
  expect(other.latest(program.hash)).toBeUndefined();
  expect((await other.find(program.hash))?.program.hash).toBe(program.hash);
  expect(await other.find("never published")).toBeUndefined();
});

test("a key and a record of a newer version are refused", () => {
  expect(() => migrated(JSON.stringify({ format: 3, hash: "h" }), { hash: "h" } as PreparedDetector)).toThrow(
    expect.objectContaining(ahead),
  );
  expect(() => decodeShardRecord(json({ kind: "steps", version: 2 }))).toThrow(expect.objectContaining(ahead));
  expect(() => decodeShardRecord(json({ kind: "steps" }))).toThrow("expected a record of observations");
});
