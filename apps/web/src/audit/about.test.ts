import { expect, test } from "vitest";
import { aboutOf } from "./about.ts";

test("what stands in columns is left out, and our own names are short", () => {
  const fields = {
    "event.action": "alert_closed",
    "user.name": "alice",
    "vedette.audit.verdict": "benign",
    "vedette.audit.rows": 3,
    "rule.id": "6f1d",
  };
  expect(aboutOf({ fields })).toEqual([
    { name: "verdict", value: "benign" },
    { name: "rows", value: "3" },
    { name: "rule.id", value: "6f1d" },
  ]);
  expect(aboutOf({})).toEqual([]);
});
