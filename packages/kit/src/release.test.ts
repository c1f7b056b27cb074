import { expect, test } from "vitest";
import { release } from "./release.ts";

test("a whole buffer is freed, and freed again without harm", () => {
  const bytes = new Uint8Array(64);
  release(bytes);
  expect(bytes.length).toBe(0);
  expect((bytes.buffer as ArrayBuffer).detached).toBe(true);
  release(bytes);
});

test("a view of a part is left alone, as pieces of Node's buffer pool are", () => {
  const all = new Uint8Array([1, 2, 3, 4]);
  release(all.subarray(1, 3));
  expect([...all]).toEqual([1, 2, 3, 4]);
  const pooled = Buffer.from("shared");
  release(pooled);
  expect(pooled.toString()).toBe("shared");
});
