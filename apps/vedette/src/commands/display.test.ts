import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { striker } from "../support/redact.ts";
import { Display } from "./display.ts";

let written = "";
beforeEach(() => {
  written = "";
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const records = () =>
  written
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { [name: string]: unknown });

test("where no terminal is, every line is one JSON object with time, level, message and code", () => {
  const display = new Display();
  display.say("Vedette 0.1.0 is up at http://127.0.0.1:8080 after 2 s");
  display.say('a "quoted"\nline\u001b[2J', { level: "error", code: "log_full", component: "log" });
  expect(records()).toMatchObject([
    { "log.level": "info", message: "Vedette 0.1.0 is up at http://127.0.0.1:8080 after 2 s", "service.name": "vedette" },
    { "log.level": "error", message: 'a "quoted"\nline\u001b[2J', "error.code": "log_full", "log.logger": "log" },
  ]);
  for (const one of records()) expect(Date.parse(String(one["@timestamp"]))).toBeGreaterThan(0);
  expect(written).not.toContain("\u001b");
});

test("in words when asked for, nothing below the level, and no secret in either", () => {
  const strike = striker(["hunter2-hunter2"]);
  for (const format of ["text", "json"] as const) {
    written = "";
    const display = new Display({ format, level: "warn", strike });
    display.say("not worth it");
    display.say("cannot reach it with hunter2-hunter2 and Bearer abcdefgh12345678", { level: "warn" });
    expect(written).toContain("cannot reach it");
    expect(written).not.toMatch(/not worth it|hunter2|abcdefgh/);
  }
});

test("a problem is said when it comes and when it is over, not as often as somebody looks", () => {
  const display = new Display({ format: "json" });
  display.tellProblems([{ code: "behind", message: "70 s" }]);
  display.tellProblems([{ code: "behind", message: "71 s" }]);
  display.tellProblems([]);
  expect(records().map((one) => [one["log.level"], one["error.code"], one["message"]])).toEqual([
    ["error", "behind", "behind: 70 s"],
    ["info", "behind", "behind: over"],
  ]);
});
