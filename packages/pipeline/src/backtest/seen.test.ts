import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Condition, masked, type View } from "@vedette/condition";
import { idOf, newFields, systemClock } from "@vedette/kit";
import type { Event, FieldValue } from "@vedette/model";
import { encodeEvents, openStore, type Store } from "@vedette/store";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixedOf, planBacktest } from "./plan.ts";
import { BacktestQueue } from "./queue.ts";
import { backtest, estimateBacktest } from "./run.ts";

const start = Date.UTC(2026, 5, 1) * 1_000;
const minute = 60_000_000;
const range = { from: start - minute, to: start + 86_400_000_000 };
const fixed = { pipelines: [], lateness_s: 30 };
const secret = "kanarienvogel";

function eventOf(seq: number, site: string, user: string): Event {
  const own: Record<string, FieldValue> = { "labels.site": site, "user.name": user, "event.outcome": seq % 3 ? "failure" : "success" };
  const time = start + (site === "a" ? seq : 500 + seq) * minute;
  const more = { class: "host" as const, host: `${user}-host`, original: `login of ${user}` };
  return { id: idOf(site, seq), tenant: "main", source: "s", time, received: time, seq, fields: Object.assign(newFields(), own), ...more };
}
const ofA = Array.from({ length: 30 }, (_, n) => eventOf(n, "a", `ann${n % 2}`));
const ofB = Array.from({ length: 40 }, (_, n) => eventOf(n, "b", secret));

const root = mkdtempSync(join(tmpdir(), "vedette-seen-"));
/** Of both populations, and of the first alone. */
let [both, alone]: Store[] = [];
beforeAll(async () => {
  const stores = await Promise.all(
    [[...ofB, ...ofA], ofA].map(async (events, n) => {
      const store = await openStore({ directory: join(root, String(n)) });
      await store.events.put(0, start, encodeEvents(events.slice(0, 50)));
      await store.events.seal(true);
      await store.events.put(1, start, encodeEvents(events.slice(50)));
      return store;
    }),
  );
  [both, alone] = stores;
});
afterAll(async () => {
  await both?.close();
  await alone?.close();
  rmSync(root, { recursive: true, force: true });
});

const site: Condition = { op: "eq", field: "labels.site", value: "a" };
const rowsOfA: View = { parts: [{ rows: site, masks: [] }] };
const never = new AbortController().signal;
const rule = (selection: string) => ({
  file: "r.yml",
  text: `title: R\nid: 00000000-0000-4000-8000-000000000001\nlogsource: { category: test }\ndetection: { a: { ${selection} }, condition: a }\nlevel: low\n`,
});

test("rows that are not seen change no figure of a backtest", async () => {
  const selections = ["event.outcome: failure", `user.name|contains: ${secret}`, "user.name: '*'", "labels.site: b", "user.name: ann1"];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...selections), async (selection) => {
      const told = async (store: Store, view?: View) => {
        const plan = await planBacktest({ rules: [rule(selection)] }, fixed);
        const options = { events: store.events, tenant: "main", range, ...(view && { view }) };
        const { stored, candidates } = await estimateBacktest(plan, options);
        const { seconds: _, cpu_s: _c, rules, ...report } = await backtest(plan, options, never);
        return {
          estimate: { stored, candidates },
          ...report,
          rules: rules.map(({ cost: { evaluated }, ...one }) => ({ ...one, evaluated })),
        };
      };
      const [seen, other] = [await told(both!, rowsOfA), await told(alone!, rowsOfA)];
      expect(seen).toEqual(other);
      expect(seen.stored).toBe(ofA.length);
      // the events are all of that store, so that what they come to is what an unlimited backtest says of it
      const whole = await told(alone!);
      expect(seen.rules.map(({ matched, days }) => ({ matched, days }))).toEqual(
        whole.rules.map(({ matched, days }) => ({ matched, days })),
      );
    }),
    { numRuns: selections.length },
  );
});

test("what is masked is found by no rule, and stands in no report", async () => {
  const view: View = {
    parts: [
      { rows: site, masks: [] },
      { rows: { op: "and", of: [] }, masks: ["user.*", "host.name"] },
    ],
  };
  const matched = async (selection: string) => {
    const plan = await planBacktest({ rules: [rule(selection)] }, fixed);
    const report = await backtest(plan, { events: both!.events, tenant: "main", range, view }, never);
    expect(JSON.stringify(report)).not.toContain(secret);
    return report.rules[0]!.matched;
  };
  expect(await matched(`user.name: ${secret}`)).toBe(0);
  expect(await matched(`user.name: ${masked}`)).toBe(0);
  expect(await matched("user.name: '*'")).toBe(ofA.length);
  expect(await matched("event.outcome: success")).toBe(24);
});

test("whoever sees a part is told of their own backtests, as long as they see the same part", async () => {
  const program = { ...(await planBacktest({ rules: [rule("user.name: '*'")] }, fixed)).program };
  expect(fixedOf(program).lateness_s).toBe(30);
  const queue = new BacktestQueue({
    events: both!.events,
    clock: systemClock,
    tenant: "main",
    program: () => program,
    lag: async () => 0,
  });
  const ann = { by: "ann", view: rowsOfA };
  const request = { rules: [rule("user.name: '*'")], ids: [], range };
  const whole = await queue.start(request);
  const own = await queue.start({ ...request, viewer: ann });
  await queue.settled();
  expect(queue.list().map(({ id }) => id)).toEqual([whole.id, own.id]);
  expect(queue.list(ann).map(({ id }) => id)).toEqual([own.id]);
  expect(queue.get(own.id, ann)).toMatchObject({ state: "done", stored: ofA.length, report: { rules: [{ matched: ofA.length }] } });
  expect(queue.get(whole.id)).toMatchObject({ report: { rules: [{ matched: ofA.length + ofB.length }] } });
  expect(queue.get(whole.id, ann)).toBeUndefined();
  expect(queue.cancel(whole.id, ann)).toBeUndefined();
  expect(queue.list({ by: "bob", view: rowsOfA })).toEqual([]);
  expect(queue.list({ by: "ann", view: { parts: [] } })).toEqual([]);
  await queue.close();
});
