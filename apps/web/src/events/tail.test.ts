import { expect, it } from "vitest";
import type { EventRow } from "../api/types.ts";
import { addToTail, tail_rows } from "./tail.ts";

const row = (id: string, time: string): EventRow => ({
  id,
  time,
  received: time,
  source: "s",
  class: "c",
  host: "h",
  fields: {},
  original: "",
});

it("adds to the tail once, newest first, bounded", () => {
  const rows = addToTail([row("a", "1")], [row("b", "2"), row("c", "3"), row("a", "1")]);
  expect(rows.map(({ id }) => id).join("")).toBe("cba");
  expect(addToTail(rows, [row("c", "3")])).toBe(rows);
  const many = Array.from({ length: tail_rows + 50 }, (_, at) => row(`m${at}`, String(at)));
  expect(addToTail([], many)).toHaveLength(tail_rows);
});
