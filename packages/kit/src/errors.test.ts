import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfigError, errorCodes, UnavailableError } from "./errors.ts";

test("docs/errors.md lists every code with its meaning, and no other", () => {
  const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map((m) => [m[1], m[2]]);
  expect(Object.fromEntries(rows)).toEqual(errorCodes);
});

test("permanent decides between dead letter and retry", () => {
  expect(new ConfigError("config_invalid", "x").permanent).toBe(true);
  expect(new UnavailableError("log_full", "x").permanent).toBe(false);
  expect(new UnavailableError("log_full", "x").name).toBe("UnavailableError");
});
