import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Intake } from "@vedette/kit";
import { inProcessCounters } from "@vedette/kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkComponents, configuredSources } from "./components.ts";
import { loadConfig } from "./load.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "vedette-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const load = (text: string) => {
  const file = join(folder, "vedette.yaml");
  writeFileSync(file, text);
  return loadConfig(file, {}, {});
};

test("a source of any type is held to its quota", async () => {
  const loaded = load('sources: { lines: { syslog: { udp: "127.0.0.1:5514" }, quota: { events_per_second: 1 } }, rest: { stdin: {} } }');
  expect(await checkComponents(loaded)).toEqual([]);
  const [lines, rest] = configuredSources(loaded, inProcessCounters({ now: () => 1_772_359_200_000_000, sleep: async () => {} }));
  expect([lines!.type, rest!.limit]).toEqual(["syslog", undefined]);
  const taken: number[] = [];
  const intake: Intake = {
    accept: async (records) => {
      taken.push(records.length);
      return { duplicates: [] };
    },
  };
  const limited = lines!.limit!(intake);
  const batch = Array.from({ length: 6 }, () => ({ position: "0", body: new Uint8Array(1) }));
  await limited.accept(batch);
  await expect(limited.accept(batch)).rejects.toMatchObject({
    code: "backpressure",
    message: "source lines's quota of 1 events a second is used up; try again",
  });
  expect(taken).toEqual([6]);
});

test("a quota that is wrong is named with its place", async () => {
  const problems = await checkComponents(
    load("sources:\n  lines:\n    stdin: {}\n    quota: { events_per_secund: 5, bytes_per_second: 0 }\n"),
  );
  expect(problems).toHaveLength(2);
  expect(problems.join("\n")).toMatch(/vedette\.yaml:4.*sources\.lines\.quota/);
  expect(problems.join("\n")).toMatch(/events_per_second/);
});
