import { expect, it } from "vitest";
import type { EvidenceEvent } from "../api/types.ts";
import { gatherReasons, orderFields, placeInTime } from "./why.ts";

function evidence(id: string, value: string): EvidenceEvent {
  return {
    id,
    time: "2026-11-21T06:30:00Z",
    source: "s",
    matches: [{ clause: "sel", field: "user.name", value }],
    fields: {},
    original: "",
  };
}

it("gathers equal matches over all events", () => {
  expect(gatherReasons([evidence("1", "root"), evidence("2", "maria"), evidence("3", "root")])).toEqual([
    { clause: "sel", field: "user.name", value: "root", events: [0, 2] },
    { clause: "sel", field: "user.name", value: "maria", events: [1] },
  ]);
});

it("puts matched fields first and names their clauses once", () => {
  const matches = [
    { clause: "sel", field: "z", value: "1" },
    { clause: "sel", field: "z", value: "1" },
  ];
  expect(orderFields({ a: "0", z: "1" }, matches)).toEqual([
    { field: "z", value: "1", clauses: ["sel"] },
    { field: "a", value: "0", clauses: [] },
  ]);
});

it("places moments between first and last seen", () => {
  expect(placeInTime(["2026-11-21T06:00:15Z", "2026-11-21T06:01:00Z"], "2026-11-21T06:00:00Z", "2026-11-21T06:01:00Z")).toEqual([0.25, 1]);
  expect(placeInTime(["2026-11-21T06:00:00Z"], "2026-11-21T06:00:00Z", "2026-11-21T06:00:00Z")).toEqual([0.5]);
});
