/** Windows events in XML: what is hostile is refused, and nothing of it is read twice. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { isEventXml, parseEventXml } from "./windows_xml.ts";

const event = (data: string) =>
  `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>1</EventID></System><EventData>${data}</EventData></Event>`;

test("data with names, without, empty and in sections of their own", () => {
  expect(
    parseEventXml(
      `<?xml version="1.0"?>${event(`<Data Name="A">1 &lt; 2 &amp;&#x26; 3</Data><Data Name='B'/><Data><![CDATA[<x>]]></Data>`)}`,
    ),
  ).toEqual({
    Event: {
      "#attributes": { xmlns: "http://schemas.microsoft.com/win/2004/08/events/event" },
      System: { EventID: "1" },
      EventData: { Data: [{ "#attributes": { Name: "A" }, "#text": "1 < 2 && 3" }, { "#attributes": { Name: "B" } }, "<x>"] },
    },
  });
  // one datum is a list too: what reads it needs one shape
  expect(parseEventXml(event("<Data>only</Data>"))).toMatchObject({ Event: { EventData: { Data: ["only"] } } });
});

test.each([
  ["cut off", event("<Data>x</Data>").slice(0, -8)],
  ["crossed", "<Event><System></Event></System>"],
  ["two", `${event("")}${event("")}`],
  ["text behind it", `${event("")} x`],
  ["an entity of its own", event("<Data>&lol;</Data>")],
  ["a document type", `<!DOCTYPE x [<!ENTITY a "b">]>${event("")}`],
  ["a number beyond Unicode", event("<Data>&#x110000;</Data>")],
  ["deep", `${"<Event>".repeat(40)}${"</Event>".repeat(40)}`],
  ["wide", event("<Data>x</Data>".repeat(2_000))],
])("refused: %s", (_, text) => {
  expect(parseEventXml(text)).toBeUndefined();
});

test("a name like __proto__ is a name", () => {
  const parsed = parseEventXml(event("<__proto__>x</__proto__>"));
  expect(Object.keys((parsed!["Event"] as { EventData: object }).EventData)).toEqual(["__proto__"]);
  expect(({} as { x?: unknown }).x).toBeUndefined();
});

test("any text comes back as it was, and anything else is refused or read, never thrown", () => {
  const escaped = (text: string) => text.replace(/[<>&'"]/g, (c) => `&#${c.charCodeAt(0)};`);
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("<", ">", "/", "&", ";", "'", "Data", "Event", " ", "=") }),
      (text, mess) => {
        const read = parseEventXml(event(`<Data Name='${escaped(text)}'>${escaped(text)}</Data>`));
        expect(read).toMatchObject({ Event: { EventData: { Data: [{ "#attributes": { Name: text } }] } } });
        parseEventXml(`<Event>${mess}`);
        expect(isEventXml(`x${mess}`)).toBe(false);
      },
    ),
  );
});
