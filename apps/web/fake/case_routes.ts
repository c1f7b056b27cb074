/** The API about holds, erasures, keys at rest and backtests, over the fake state. */
import { type Answer, ok, problem } from "./answer.ts";
import type { FakeErasure, FakeHold } from "./cases.ts";
import { stamp } from "./events.ts";
import type { FakeState } from "./state.ts";

const rule = (title: string, at: number) => ({
  id: `rule_${at}`,
  title,
  level: "high",
  kind: "sigma",
  matched: 12 + at,
  alerts: 3,
  alerts_per_day: 3 / 7,
  days: [],
  entities: [{ type: "user.name", id: title, count: 12 }],
  samples: ["e1", "e2"],
  cost: { evaluated: 1, timed: 1, estimated_ms: 1, longest_ms: 1 },
});
const reportOf = ({ cases }: FakeState) => ({
  span_days: 7,
  stored: 120_000,
  candidates: 4_000,
  seconds: 3.2,
  cpu_s: 2,
  rules: cases.texts.map(rule),
  refused: [],
});

/** GET routes; undefined when there is none. */
export function readCases(state: FakeState, path: string): Answer | undefined {
  const { cases } = state;
  const asked = /^\/backtests\/([^/]+)$/.exec(path);
  if (asked !== null) {
    const one = cases.backtests.find(({ id }) => id === asked[1]);
    return one === undefined
      ? problem(404, "not_found", "there is no such backtest")
      : ok({ ...one, ...(one.state === "done" && { report: reportOf(state) }) });
  }
  switch (path) {
    case "/holds":
      return ok({ holds: cases.holds });
    case "/erasures":
      return ok({ erasures: cases.erasures });
    case "/vault":
      return ok({
        keys: cases.keys,
        places: cases.places,
        log: [
          { id: "5f34f169db9965ad", use: "seals", since: stamp(Date.now() - 3_600_000) },
          { id: "0a1b2c3d4e5f6071", use: "opens", needed_by: ["raw/0", "control/0"] },
          { id: "77aa00bb11cc22dd", use: "opens", needed_by: [] },
        ],
      });
    case "/backtests":
      return ok({ backtests: cases.backtests });
    default:
      return undefined;
  }
}

/** Routes that change something; undefined when there is none. */
export function changeCases(state: FakeState, method: string, path: string, body: { readonly [key: string]: unknown }): Answer | undefined {
  const { cases } = state;
  const released = /^\/holds\/([^/]+)\/release$/.exec(path);
  const done = { by: "admin", at: stamp(Date.now()), reason: String(body["reason"] ?? "") };
  if (method === "POST" && released !== null) {
    cases.holds = cases.holds.map((one) => (one.id === released[1] ? { ...one, released: done } : one));
    return ok(cases.holds.find(({ id }) => id === released[1]));
  }
  if (method === "DELETE" && path.startsWith("/backtests/")) return ok({ ...cases.backtests[1], state: "cancelled" });
  const range = { q: String(body["q"] ?? ""), from: String(body["from"] ?? ""), to: String(body["to"] ?? "") };
  switch (`${method} ${path}`) {
    case "POST /holds": {
      const q = body["q"] === undefined ? {} : range;
      const hold: FakeHold = { id: `h${cases.holds.length}`, ...done, alerts: (body["alerts"] ?? []) as string[], ...q };
      cases.holds = [hold, ...cases.holds];
      return { status: 201, body: hold };
    }
    case "POST /erasures/preview":
      if (!range.q.includes(":")) return problem(400, "bad_request", `q: ${range.q}: expected FIELD:VALUE`);
      return ok({ events: 1_204, held: 18, alerts: 2, records: body["audit"] === true ? 12 : 0, holds: ["h17"] });
    case "POST /erasures": {
      const { from, to } = range;
      const counts = { events: 0, held: 0, alerts: 0, records: 0 };
      const audit = body["audit"] === true;
      const one: FakeErasure = { id: `x${cases.erasures.length + 1}`, ...done, from, to, audit, digest: "d", state: "running", ...counts };
      cases.erasures = [one, ...cases.erasures];
      return { status: 202, body: one };
    }
    case "POST /vault/rotate":
      return ok({ key: "9f2c61d1", log_key: "6e45f169db9965ae", resealed: 19, dropped: ["77ab01fe"] });
    case "POST /backtests/estimate":
      return ok({ stored: 120_000, candidates: 4_000, seconds: 3, rules: 1, refused: [] });
    case "POST /backtests":
      return { status: 202, body: cases.backtests[1] };
    default:
      return undefined;
  }
}
