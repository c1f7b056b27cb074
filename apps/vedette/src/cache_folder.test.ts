import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { cacheFolder } from "./cache_folder.ts";

afterEach(() => vi.unstubAllEnvs());

test("without a home there is no place, least of all the folder one stands in", () => {
  vi.stubEnv("XDG_CACHE_HOME", "");
  vi.stubEnv("HOME", "");
  expect([homedir(), cacheFolder()]).toEqual(["", undefined]);
  vi.stubEnv("HOME", "/proc/absent");
  expect(cacheFolder()).toBeUndefined();
  vi.stubEnv("HOME", "/");
  expect(cacheFolder()).toBe("/.cache/vedette");
  vi.stubEnv("XDG_CACHE_HOME", join("/", "var-cache"));
  expect(cacheFolder()).toBe("/var-cache/vedette");
});
