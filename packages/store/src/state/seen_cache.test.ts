import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { View } from "@vedette/condition";
import type { Alert, Event } from "@vedette/model";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { alertOf, always, eventOf, start } from "../store.contract.ts";
import type { AlertStore } from "../store.ts";
import { alertStore } from "./alerts.ts";
import { openState } from "./open.ts";

const root = mkdtempSync(join(tmpdir(), "vedette-seen-cache-"));
let next = 0;
afterAll(() => rmSync(root, { recursive: true, force: true }));

const views: readonly View[] = [
  { parts: [{ rows: { op: "eq", field: "labels.site", value: "a" }, masks: [] }] },
  { parts: [{ rows: { op: "not", of: { op: "eq", field: "labels.site", value: "a" } }, masks: [] }] },
  { parts: [{ rows: always, masks: ["user.*"] }] },
];

/** An event, and an alert about it that keeps little or much of it. */
const eventN = (n: number): Event => eventOf(n, { "labels.site": n % 2 ? "a" : "b", "user.name": `u${n % 3}` });
function alertN(n: number, keepsAll: boolean, times: number): Alert {
  const { id, time, source, seq, original, fields } = eventN(n);
  const kept = Object.fromEntries(Object.entries(fields).filter(([name]) => keepsAll || name === "user.name")) as { [ecs: string]: string };
  const evidence = [{ id, time, source, seq, original, fields: kept, matches: [] }];
  const entities = [{ type: "user.name", id: `u${n % 3}` }];
  return alertOf(String(n), { entities, evidence, last_seen: start + times, updated: start + times, summary: `${times} times` });
}

const n = fc.integer({ min: 0, max: 7 });
const step = fc.oneof(
  fc.record({ do: fc.constant("alert" as const), n, keepsAll: fc.boolean(), times: fc.integer({ min: 0, max: 5 }) }),
  fc.record({ do: fc.constant("store" as const), n }),
  fc.record({ do: fc.constant("drop" as const), n }),
  fc.record({ do: fc.constant("close" as const), n }),
);

/** As triage does that has read what is there. */
async function fold(alerts: AlertStore, alert: Alert): Promise<void> {
  const was = (await alerts.get(alert.tenant, alert.id))?.updated;
  await alerts.fold(1, [{ group: alert.id, alert, ...(was !== undefined && { was }) }], []);
}

test("what is remembered of alerts changes no list, whatever happens to alerts and events between two looks", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const state = await openState(join(root, `${next++}.db`));
      const stored = new Map<string, Event>();
      const changes = { added: 0, removed: 0 };
      const lookUp = async (_: string, ids: readonly string[]) => ids.flatMap((id) => stored.get(id) ?? []);
      const remembering = alertStore(state, lookUp, () => ({ ...changes }));
      const forgetful = alertStore(state, lookUp);
      for (const one of steps) {
        const event = eventN(one.n);
        if (one.do === "alert") await fold(remembering, alertN(one.n, one.keepsAll, one.times));
        else if (one.do === "close") {
          const alert = await remembering.get("main", String(one.n));
          if (alert) await remembering.replace({ ...alert, state: "closed", updated: alert.updated + 1 }, alert.updated);
        } else if (one.do === "store") {
          stored.set(event.id, event);
          changes.added++;
        } else {
          stored.delete(event.id);
          changes.removed++;
        }
        for (const view of views)
          for (const more of [{}, { text: "u1" }, { entity: "u2" }, { states: ["open" as const] }]) {
            const filter = { tenant: "main", view, ...more };
            expect(await remembering.list(filter, 3)).toEqual(await forgetful.list(filter, 3));
          }
      }
      await state.destroy();
    }),
    { numRuns: 30 },
  );
});

test("a list asks the event store only about what changed since", async () => {
  const state = await openState(join(root, `${next++}.db`));
  const all = Array.from({ length: 8 }, (_, of) => eventN(of));
  let asked: string[] = [];
  const lookUp = async (_: string, ids: readonly string[]) => {
    asked.push(...ids);
    return all.filter(({ id }) => ids.includes(id));
  };
  const changes = { added: 0, removed: 0 };
  const alerts = alertStore(state, lookUp, () => ({ ...changes }));
  await alerts.fold(
    1,
    all.map((_, of) => ({ group: String(of), alert: alertN(of, false, of) })),
    [],
  );
  const asks = async () => {
    asked = [];
    const { total } = await alerts.list({ tenant: "main", view: views[0]! }, 1);
    return [total, new Set(asked).size];
  };
  expect(await asks()).toEqual([4, 8]);
  // the page itself is told in full each time
  expect(await asks()).toEqual([4, 1]);
  changes.added++;
  expect(await asks()).toEqual([4, 1]);
  await fold(alerts, alertN(2, false, 9));
  expect(await asks()).toEqual([4, 2]);
  changes.removed++;
  expect(await asks()).toEqual([4, 8]);
  await state.destroy();
});
