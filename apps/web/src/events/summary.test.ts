import { expect, it } from "vitest";
import type { EventRow, Fields } from "../api/types.ts";
import { countFields, datasetOf, summarise } from "./summary.ts";

const event = (fields: Fields, original = "raw line"): EventRow => ({
  id: "1",
  time: "",
  received: "",
  source: "s",
  class: "network",
  host: "h",
  fields,
  original,
});

it("prefers the message, then what is known, then the original", () => {
  expect(summarise(event({ message: "Failed password" }))).toBe("Failed password");
  expect(summarise(event({ "source.ip": "10.0.0.1", "destination.ip": "10.0.0.2", "destination.port": 443 }, '{"uid":1}'))).toBe(
    "10.0.0.1 → 10.0.0.2:443",
  );
  expect(summarise(event({ "user.name": "root" }))).toBe("raw line");
  expect(summarise(event({ message: "x".repeat(999) }))).toHaveLength(301);
});

it("names the dataset, else the class", () => {
  expect([datasetOf(event({ "event.dataset": "zeek.conn" })), datasetOf(event({}))]).toEqual(["zeek.conn", "network"]);
});

it("counts fields, the most common first", () => {
  expect(countFields([event({ b: 1, a: 1 }), event({ b: 1 })])).toEqual([
    { field: "b", count: 2 },
    { field: "a", count: 1 },
  ]);
});
