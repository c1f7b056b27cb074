import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Condition, evaluate, type FieldValue, masked, type View } from "@vedette/condition";
import type { Alert, Event, EvidenceEvent } from "@vedette/model";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeEvents } from "../events/encode.ts";
import { openStore } from "../open.ts";
import { alertOf, always, eventOf, start } from "../store.contract.ts";
import { AlertSight, decided } from "./seen_alerts.ts";

const site = (value: string): Condition => ({ op: "eq", field: "labels.site", value });
const ofA: View = { parts: [{ rows: site("a"), masks: [] }] };
const noEvents = async () => [];

/** As detection keeps it: texts, cut, of some of the fields. */
function evidence(event: Event, keeps: (field: string) => boolean = () => true): EvidenceEvent {
  const fields = Object.entries(event.fields).flatMap(([name, value]) =>
    value === null || value === undefined || !keeps(name) ? [] : [[name, String(value).slice(0, 512)]],
  );
  const { id, time, source, seq, original } = event;
  const matches = [{ clause: "selection", field: "user.name", value: String(event.fields["user.name"]) }];
  return { id, time, source, seq, original, matches, fields: Object.fromEntries(fields) };
}
function alert(id: string, events: readonly Event[], change: Partial<Alert> = {}): Alert {
  const entities = events.map((event) => ({ type: "user.name", id: String(event.fields["user.name"]) }));
  const history = [
    { at: start, by: "vedette", what: "opened" as const, note: `of ${entities.map((one) => one.id).join()}` },
    { at: start + 5, by: "ann", what: "note" as const, note: `look at ${entities.at(-1)?.id}` },
  ];
  const times = { first_seen: events[0]!.time, last_seen: events.at(-1)!.time, updated: start + events.length };
  const texts = { summary: `${events.length} by ${entities.at(-1)?.id}`, count: events.length, events: events.length };
  return alertOf(id, { ...texts, ...times, entities, evidence: events.map((event) => evidence(event)), history, ...change });
}

const value: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.constantFrom<FieldValue>("a", "b", "a,b", "", 1, true, "x".repeat(511), "x".repeat(600)),
  fc.array(fc.constantFrom("a", "b", null, ""), { maxLength: 3 }),
);
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ op: fc.constant("eq" as const), field: fc.constantFrom("f", "g"), value: fc.constantFrom("a", "b", "a,b", "", null, 1) }),
  fc.record({
    op: fc.constantFrom("contains" as const, "ends" as const, "starts" as const),
    field: fc.constantFrom("f", "g"),
    value: fc.constantFrom("a", "a,b", "x"),
  }),
  fc.record({ op: fc.constant("exists" as const), field: fc.constantFrom("f", "g") }),
  fc.constant<Condition>({ op: "fieldref", field: "f", other: "g", how: "eq" }),
);
const condition = fc.letrec<{ tree: Condition }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.record({ op: fc.constantFrom("and" as const, "or" as const), of: fc.array(tie("tree"), { maxLength: 2 }) }),
    fc.record({ op: fc.constant("not" as const), of: tie("tree") }),
  ),
})).tree;

test("what evidence says for sure is what the event says", () => {
  let settled = 0;
  fc.assert(
    fc.property(condition, value, value, fc.subarray(["f", "g"]), (where, f, g, kept) => {
      const event = eventOf(1, { f, g });
      const says = decided(
        where,
        evidence(event, (name) => kept.includes(name)),
      );
      if (says === undefined) return;
      settled++;
      expect(evaluate(where, event)).toBe(says);
    }),
    { numRuns: 3_000 },
  );
  expect(settled).toBeGreaterThan(100);
});

const told = async (sight: AlertSight, one: Alert) => (await sight.seen([one]))[0]?.whole();
const a = (n: number) => eventOf(n, { "labels.site": "a", "user.name": `ann${n}` });
const b = (n: number, name: string) => eventOf(n, { "labels.site": "b", "user.name": name }, { original: `line of ${name}` });

test("an alert is told from the events that are seen: whatever the others hold, and however many there are, changes nothing", async () => {
  const hidden = fc.array(fc.record({ n: fc.integer({ min: 10, max: 90 }), name: fc.string() }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(hidden, hidden, async (one, other) => {
      const sight = new AlertSight(ofA, noEvents);
      const of = (these: readonly { readonly n: number; readonly name: string }[]) =>
        alert("1", [a(1), ...these.map(({ n, name }) => b(n, name)), a(3)], { count: 7, events: 2 + these.length });
      expect(await told(sight, of(one))).toEqual(await told(sight, of(other)));
    }),
  );
});

test("an alert of which no event is seen is not there; one that is seen keeps what its events name", async () => {
  const sight = new AlertSight(ofA, noEvents);
  expect(await told(sight, alert("1", [b(1, "bob")]))).toBeUndefined();
  const seen = await told(sight, alert("2", [a(1), b(2, "bob"), a(3)]));
  expect(seen).toMatchObject({
    title: "Rule one",
    summary: "Rule one",
    events: 2,
    count: 2,
    first_seen: a(1).time,
    last_seen: a(3).time,
    entities: [
      { type: "user.name", id: "ann1" },
      { type: "user.name", id: "ann3" },
    ],
  });
  expect(seen!.evidence.map((one) => one.seq)).toEqual([1, 3]);
  expect(JSON.stringify(seen)).not.toContain("bob");
});

test("what is masked is masked in evidence, matches, entities and texts", async () => {
  const sight = new AlertSight({ parts: [{ rows: always, masks: ["user.*"] }] }, noEvents);
  const seen = await told(sight, alert("1", [b(1, "bob"), b(2, "bob")]));
  expect(JSON.stringify(seen)).not.toContain("bob");
  expect(seen).toMatchObject({ events: 2, entities: [], evidence: [{ fields: { "labels.site": "b", "user.name": masked } }, {}] });
});

test("what evidence leaves open is asked of the event store, in list and look-up; what neither tells is not seen", async () => {
  const directory = mkdtempSync(join(tmpdir(), "vedette-seen-"));
  const store = await openStore({ directory });
  try {
    const [stored, lost] = [a(1), a(2)];
    await store.events.put(0, start, encodeEvents([stored, b(5, "bob")]));
    const cut = (event: Event) => [evidence(event, (name) => name === "user.name")];
    await store.alerts.fold(
      1,
      [
        { group: "1", alert: alert("1", [stored], { evidence: cut(stored) }) },
        { group: "2", alert: alert("2", [lost], { evidence: cut(lost) }) },
        { group: "3", alert: alert("3", [b(5, "bob")], { evidence: cut(b(5, "bob")), last_seen: start + 999 }) },
        { group: "4", alert: alert("4", [a(7), b(8, "bob")]) },
        { group: "5", alert: alert("5", [a(6), b(9, "bob")]) },
      ],
      [],
    );
    const filter = { tenant: "main", view: ofA };
    const ids = async (more: object = {}, limit = 10) =>
      (await store.alerts.list({ ...filter, ...more }, limit)).alerts.map((one) => one.id);
    expect(await ids()).toEqual(["4", "5", "1"]);
    expect(await Promise.all(["1", "2", "3", "4"].map((id) => store.alerts.get("main", id, ofA)))).toMatchObject(
      [{ id: "1" }, undefined, undefined, { id: "4" }].map((one) => one ?? undefined),
    );
    // by what is told of an alert, not by what stands in its row
    expect(await ids({ text: "bob" })).toEqual([]);
    expect(await ids({ entity: "bob" })).toEqual([]);
    expect(await ids({ entity: "ann7" })).toEqual(["4"]);
    expect(await ids({ range: { from: a(7).time + 1, to: Number.MAX_SAFE_INTEGER } })).toEqual([]);
    const pages: string[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await store.alerts.list(filter, 1, cursor);
      expect(page.total).toBe(3);
      pages.push(...page.alerts.map((one) => one.id));
      cursor = page.cursor;
      if (cursor === undefined) break;
      expect(Buffer.from(cursor, "base64url").toString()).toBe(JSON.stringify([page.alerts[0]!.last_seen, page.alerts[0]!.id]));
    }
    expect(pages).toEqual(["4", "5", "1"]);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
