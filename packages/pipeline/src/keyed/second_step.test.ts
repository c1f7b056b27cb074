import { prepareDetectors } from "@vedette/detect";
import { newFields } from "@vedette/kit";
import type { Event, Finding } from "@vedette/model";
import { expect, test } from "vitest";
import { KeyedEngine, type KeyRow } from "../keyed.ts";

const minute = 60_000_000;
const base = Date.UTC(2026, 4, 1) * 1_000;
let n = 0;
const socket = (at: number, node: string, job: string, user: string, more: object = {}): Event => ({
  id: `e${n}`,
  tenant: "main",
  source: "s",
  time: base + at,
  received: base + at,
  seq: n,
  class: "network",
  host: node,
  fields: Object.assign(newFields(), {
    "event.dataset": "tetragon",
    "event.category": ["network"],
    "event.type": ["connection", "start"],
    "host.name": node,
    "destination.ip": "203.0.113.9",
    "destination.port": 443,
    "network.transport": "tcp",
    "user.id": user,
    "hpc.job.id": job,
    "hpc.job.by": ["cgroup"],
    ...more,
  }),
  original: `line ${n++}`,
});

const stage = await prepareDetectors({});
const own = new Map([...stage.detectors].filter(([name]) => name.startsWith("connect_back")));

/** One event a batch. */
function fold(engine: KeyedEngine, events: readonly Event[]): Finding[] {
  return events.flatMap((event) => {
    const seen = Number.NEGATIVE_INFINITY;
    const observations = [...stage.observe(event, seen, false, event.host), ...stage.flush().observations];
    return engine.take(observations.filter(({ detector }) => own.has(detector)).map((observe) => ({ observe })));
  });
}

test("findings are the second step's, with the events that the first step saw, at once and at last", () => {
  const engine = new KeyedEngine(own);
  socket(0, "cn0", "6", "1000");
  const event = socket(0, "cn1", "7", "1001");
  const [shown, ...more] = fold(engine, [event]);
  expect(more).toEqual([]);
  expect(shown).toMatchObject({ rule: { id: "connect_back" }, canonical: false, events: [event.id], window: { start: base } });
  expect(shown!.evidence).toMatchObject([{ id: event.id, source: "s", seq: event.seq, original: event.original }]);
  for (const carried of ["vedette.events", "vedette.place"]) expect(shown!.evidence[0]!.fields).not.toHaveProperty([carried]);
  const last = engine.finalise(Number.POSITIVE_INFINITY);
  expect(last.map(({ id, canonical }) => [id, canonical])).toEqual([[shown!.id, true]]);
});

test("what the cluster learned outlasts a restart, and one that comes a little late takes its place in the order", () => {
  const users = ["1001", "1002", "1003", "1004"];
  const calls = users.map((user, i) => socket(i * minute, `cn${i}`, `7${i}`, user));
  const engine = new KeyedEngine(own);
  const rows = new Map<string, KeyRow>();
  const checkpoint = (from: KeyedEngine) => {
    for (const row of from.drain()) rows.set(row.key, row);
  };
  const found = fold(engine, calls.slice(0, 2));
  checkpoint(engine);
  const again = new KeyedEngine(own);
  again.restore([...rows.values()].flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }])));
  found.push(...fold(again, [calls[2]!, calls[3]!]));
  // three users' jobs made it usual; the fourth's is not found
  expect(found.map(({ entities }) => entities[0]!.id)).toEqual(["70", "71", "72"]);
  // but it comes first in event time: then the fourth was before the third
  const other = new KeyedEngine(own);
  const [a, b, c, d] = calls as [Event, Event, Event, Event];
  fold(other, [a, b, d]);
  const late = fold(other, [{ ...c, time: c.time }]);
  const final = [...late, ...other.finalise(Number.POSITIVE_INFINITY)].filter(({ canonical, withdrawn }) => canonical && !withdrawn);
  expect(new Set(final.map(({ entities }) => entities[0]!.id))).toEqual(new Set(["70", "71", "72"]));
});
