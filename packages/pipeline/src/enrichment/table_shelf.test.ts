/** Tables put in at one process are at the others before a program that names them is in force there. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryLog } from "@vedette/log";
import { afterAll, expect, test } from "vitest";
import { Control } from "../control.ts";
import { makeProgram } from "../program.ts";
import { Enrichment } from "./enrichment.ts";
import { settingShelf, type TableShelf } from "./table_shelf.ts";
import { Tables } from "./tables.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-shelf-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const none = { rules: [], pipelines: [], detectors: {}, lateness_s: 30 };
const clock = { now: () => 7, sleep: async () => {} };
const bytes = (text: string) => Buffer.from(text);

function state() {
  const all = new Map<string, string>();
  const settings = {
    get: async (name: string) => all.get(name),
    set: async (name: string, value: string | undefined) => void (value === undefined ? all.delete(name) : all.set(name, value)),
  };
  return { all, shelf: settingShelf(settings) };
}

async function processOn(log: ReturnType<typeof memoryLog>, shelf: TableShelf, leads: boolean) {
  const tables = new Tables(join(root, String(folders++)), shelf);
  const control = await Control.open(log, (named = {}) => tables.fetch(Object.values(named).map(({ hash }) => hash)));
  const enrichment = await Enrichment.open({
    settings: { assets: {} },
    tables,
    control,
    clock,
    leads,
    adjust: async (parts) => {
      await control.publish(makeProgram({ ...none, ...parts }, 0));
      return control.versions.length;
    },
    onProblem: () => {},
  });
  if (leads) await control.publish(makeProgram({ ...none, ...enrichment.parts }, 0));
  return { tables, control, enrichment };
}

test("an inventory that is put at the leader is at a follower with the program that names it, and at one that leads later", async () => {
  const [log, { all, shelf }] = [memoryLog(), state()];
  const leader = await processOn(log, shelf, true);
  const follower = await processOn(log, shelf, false);
  const stop = new AbortController();
  const seen: (string | undefined)[] = [];
  const content = "host,owner\nweb1,ada\n";
  const following = follower.control.follow(stop.signal, () => {
    const hash = follower.control.current?.tables?.["assets"]?.hash;
    const found = hash === undefined ? undefined : follower.tables.table(hash);
    seen.push(found && Buffer.from(found).toString());
    if (found) stop.abort();
  });
  await leader.enrichment.put("assets", bytes(content), { by: "ada", reason: "" });
  await following;
  expect(seen.at(-1)).toBe(content);

  const late = await processOn(log, shelf, false);
  expect(Object.keys(late.enrichment.parts.tables)).toEqual(["assets"]);
  expect(late.tables.table(late.enrichment.parts.tables["assets"]!.hash)).toBeDefined();
  // one that changes something later does so on what is in force by now
  const second = await leader.enrichment.put("assets", bytes("host,owner\nweb1,bob\n"), { by: "ada", reason: "" });
  await Control.open(log);
  late.enrichment.refresh();
  expect([...all.keys()].some((name) => name.includes(second.hash))).toBe(true);
});

test("contents come back whole, whatever their size; what nobody needs goes; what is too large stays with its files", async () => {
  const { all, shelf } = state();
  const large = Buffer.alloc(2_000_000, "abc");
  for (const [name, content] of [["empty", Buffer.alloc(0)] as const, ["large", large] as const]) {
    expect(await shelf.put(name, content)).toBe(true);
    expect(Buffer.compare(Buffer.from((await shelf.get(name))!), content)).toBe(0);
  }
  expect(await shelf.put("huge", new Uint8Array((64 << 20) + 1))).toBe(false);
  expect(await shelf.get("huge")).toBeUndefined();
  await shelf.keep(new Set(["empty"]));
  expect(await shelf.get("large")).toBeUndefined();
  expect([...all.keys()]).toEqual(["tables"]);
});
