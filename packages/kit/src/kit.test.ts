import fc from "fast-check";
import { expect, test } from "vitest";
import { idOf, newFields, shardCount, shardOf } from "./index.ts";

test("ids are 22 characters of base64url and tell their parts apart", () => {
  expect(idOf("a", 1)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(idOf("a", "b")).not.toBe(idOf("ab"));
  expect(idOf("a", 1)).not.toBe(idOf("a", "1"));
  expect(idOf("a", 1)).toBe(idOf("a", 1));
});

test("shards are within range and do not move", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (d, k) => shardOf(d, k) >= 0 && shardOf(d, k) < shardCount));
  // pinned: stored state is keyed by shard, so these may never change
  expect([shardOf("brute_force", "main\u0000192.0.2.1"), shardOf("brute_force", "main\u0000192.0.2.2")]).toEqual([30, 60]);
  expect(idOf("main", "auth", "1")).toBe("xyNSSSFfeHHP7i1fktip3h");
});

test("a field named like a prototype's member is data", () => {
  const fields = newFields();
  const names = ["__proto__", "constructor"];
  for (const name of names) fields[name] = "x";
  expect(Object.keys(fields)).toEqual(names);
  expect("toString" in fields).toBe(false);
  expect(({} as { x?: string }).x).toBeUndefined();
});
