import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { keepRules, keptRules } from "./kept_rules.ts";

const rule = "title: T\nlogsource: {product: p}\ndetection: {s: {a: b}, condition: s}\n";
const before = process.env["XDG_CACHE_HOME"];
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "vedette-cache-"));
  process.env["XDG_CACHE_HOME"] = home;
});
afterEach(() => {
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
  rmSync(home, { recursive: true });
});

/** Whether the rule had to be read anew. */
function readsAnew(folder: string): boolean {
  const kept = keptRules([folder]);
  expect(kept.parseRules(rule, "t.yml").rules).toHaveLength(1);
  const fresh = kept.changed() !== undefined;
  return fresh;
}

test("rules are kept for the same folders, and a damaged, writable or unwritable cache is as good as none", () => {
  const cache = keptRules(["a"]);
  cache.parseRules(rule, "t.yml");
  keepRules(["a"], cache);
  expect([readsAnew("a"), readsAnew("b")]).toEqual([false, true]);
  const [name] = readdirSync(join(home, "vedette"));
  const file = join(home, "vedette", name!);
  chmodSync(file, 0o666);
  expect(readsAnew("a")).toBe(true);
  chmodSync(file, 0o600);
  expect(readsAnew("a")).toBe(false);
  writeFileSync(file, "not a cache");
  expect(readsAnew("a")).toBe(true);
  rmSync(join(home, "vedette"), { recursive: true });
  writeFileSync(join(home, "vedette"), "a file where the folder should be");
  keepRules(["a"], keptRules(["a"]));
  expect(readsAnew("a")).toBe(true);
});
