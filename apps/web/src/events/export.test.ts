import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EventRow } from "../api/types.ts";
import { csvCell, eventsToCsv, eventsToNdjson, toCsv } from "./export.ts";

/** A reader of RFC 4180, to check the writer against. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    let cell = "";
    if (text[at] === '"') {
      at += 1;
      while (text[at] !== '"' || text[at + 1] === '"') {
        if (text[at] === '"') at += 1;
        cell += text[at];
        at += 1;
      }
      at += 1;
    } else {
      while (text[at] !== "," && text[at] !== "\r") cell += text[at++];
    }
    row.push(cell);
    if (text[at] === ",") at += 1;
    else {
      rows.push(row);
      row = [];
      at += 2;
    }
  }
  return rows;
}

const event: EventRow = {
  id: "e1",
  time: "2026-11-21T06:30:00.000001Z",
  received: "2026-11-21T06:30:00.1Z",
  source: "sshd",
  class: "authentication",
  host: "login-1",
  fields: { "user.name": "=HYPERLINK(1)", "source.port": -5, "event.category": ["a", "b"] },
  original: 'said "hi", left\n',
};

describe("csvCell", () => {
  it("defuses every cell a spreadsheet would run", () => {
    for (const bad of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1"]) expect(csvCell(bad)).toBe(`"'${bad}"`);
  });

  it("leaves numbers and plain text alone", () => {
    expect([csvCell(-5), csvCell("10.0.0.1"), csvCell(null), csvCell(undefined), csvCell(true)]).toEqual([
      "-5",
      "10.0.0.1",
      "",
      "",
      "true",
    ]);
  });

  it("starts no parsed cell with a dangerous character, and loses nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("=", "+", "-", "@", "\t", "\r", "\n", ",", '"', "a", "'") }), {
          minLength: 1,
          maxLength: 5,
        }),
        (cells) => {
          const [parsed] = parseCsv(toCsv(cells, []));
          parsed!.forEach((cell, at) => {
            expect(cell).not.toMatch(/^[=+\-@\t\r]/);
            expect([cells[at], `'${cells[at]}`]).toContain(cell);
          });
        },
      ),
    );
  });
});

it("writes events with all their fields", () => {
  const [head, row] = parseCsv(eventsToCsv([event]));
  expect(head).toEqual(["time", "id", "source", "class", "host", "event.category", "source.port", "user.name", "original"]);
  expect(row).toEqual([event.time, "e1", "sshd", "authentication", "login-1", "a; b", "-5", "'=HYPERLINK(1)", event.original]);
});

it("writes one JSON object a line", () => {
  const lines = eventsToNdjson([event, event]).trimEnd().split("\n");
  expect(lines.map((line) => JSON.parse(line))).toEqual([event, event]);
});
