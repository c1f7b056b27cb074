import { expect, it } from "vitest";
import { backtestBody } from "./request.ts";

it("asks for each id once, and for a rule only where one was typed", () => {
  const now = Date.UTC(2026, 10, 22);
  const range = { from: "2026-11-15T00:00:00.000Z", to: "2026-11-22T00:00:00.000Z" };
  expect(backtestBody({ ids: " a, b\n a", text: " ", days: 7 }, now)).toEqual({ ids: ["a", "b"], rules: [], ...range });
  expect(backtestBody({ ids: "", text: "title: x", days: 7 }, now)).toEqual({
    ids: [],
    rules: [{ file: "typed.yml", text: "title: x" }],
    ...range,
  });
});
