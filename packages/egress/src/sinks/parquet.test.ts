import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WriteTable } from "@vedette/kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contextOf, now, sendable } from "../receiver.fixture.ts";
import parquet from "./parquet.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-parquet-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const written: string[] = [];
const writeTable: WriteTable = async (path, columns, rows) => {
  written.push(path);
  expect(rows.every((row) => row.length === columns.length)).toBe(true);
  writeFileSync(path, JSON.stringify(rows), { flag: "wx" });
  return 1;
};
const open = (write = writeTable) => parquet.open(contextOf({ folder: join(folder, "lake") }, { writeTable: write }));
const files = () =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(parquet|tmp)$/.test(name))
    .sort();
const signal = AbortSignal.timeout(60_000);

test("files by hour of the records' time, whole or not at all, and the same for the same records", async () => {
  const records = sendable(3).map((one, i) => ({ ...one, time: now + i * 1_800_000_000 }));
  const sink = await open();
  expect(await sink.send(records, signal)).toMatchObject({ outcome: "answered", answer: expect.stringMatching(/^2 files/) });
  const before = files();
  expect(before.map((name) => name.replace(/[\w-]{22}\.parquet$/, "ID"))).toEqual([
    "lake/date=2026-11-21/hour=08/ID",
    "lake/date=2026-11-21/hour=09/ID",
  ]);
  await sink.send(records, signal);
  expect(files()).toEqual(before);
});

test("a full disk is waited for, and what was half written does not stand in the way", async () => {
  let full = true;
  const sink = await open(async (path, columns, rows) => {
    if (!full) return writeTable(path, columns, rows);
    writeFileSync(path, "half");
    throw new Error("ENOSPC: no space left on device");
  });
  expect(await sink.send(sendable(1), signal)).toEqual({ outcome: "unavailable", reason: "ENOSPC: no space left on device" });
  expect(files()).toEqual([expect.stringMatching(/\.tmp$/)]);
  full = false;
  expect(await sink.send(sendable(1), signal)).toMatchObject({ outcome: "answered" });
  expect(files()).toEqual([expect.stringMatching(/[\w-]{22}\.parquet$/)]);
});
