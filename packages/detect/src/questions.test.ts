import { compile, parseQuery } from "@vedette/condition";
import { newFields } from "@vedette/kit";
import type { Event } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Questions } from "./questions.ts";

const value = fc.constantFrom("zeek.conn", "ZEEK.Conn", "dns", "Straße", "STRASSE", "ſ", "S", "k", "\u212a", "1", "dns,k", "ΑΣ", "ας");
const field = fc.constantFrom("event.dataset", "event.category", "event.module", "user.name");
const leaf = fc.oneof(
  fc.tuple(field, value).map(([f, v]) => `${f}:"${v}"`),
  field.map((f) => `${f}:*`),
);
const query = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a} and ${b})`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(${a} or ${b})`),
    tie("node").map((a) => `not ${a}`),
  ),
})).node as fc.Arbitrary<string>;
const cell = fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.constant(1), fc.constant(undefined));
const fields = fc.record({ "event.dataset": cell, "event.category": cell, "event.module": cell, "user.name": cell });

test("an event is asked everything that it would answer with yes", () => {
  let asked = 0;
  fc.assert(
    fc.property(fc.array(query, { minLength: 1, maxLength: 5 }), fc.array(fields, { minLength: 1, maxLength: 4 }), (queries, events) => {
      const all = queries.map((text) => {
        const parsed = parseQuery(text);
        if (!parsed.ok) throw new Error(`${text}: ${parsed.message}`);
        return { where: parsed.query.where, who: text };
      });
      const questions = new Questions(all);
      for (const one of events) {
        const event = { fields: Object.assign(newFields(), one) } as unknown as Event;
        const found: string[] = [];
        questions.ask(event, (who) => found.push(who));
        expect(found.sort()).toEqual(
          all
            .filter(({ where }) => compile(where)(event))
            .map(({ who }) => who)
            .sort(),
        );
        asked += found.length;
      }
    }),
    { numRuns: 2_000 },
  );
  expect(asked).toBeGreaterThan(1_000);
});
