/** The API about holds, keys at rest and backtests, over a state of its own for each server. */
import { type Answer, ok, problem } from "./answer.ts";
import { stamp } from "./events.ts";
import type { FakeState } from "./state.ts";

interface Hold {
  readonly id: string;
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  readonly alerts: readonly string[];
  readonly released?: { readonly by: string; readonly at: string; readonly reason: string };
}
const holds = new WeakMap<FakeState, readonly Hold[]>();
const of = (state: FakeState): readonly Hold[] => holds.get(state) ?? [];

const range = () => ({ from: stamp(Date.now() - 7 * 86_400_000), to: stamp(Date.now()) });
/** What was typed by somebody, or came from a log, is hostile here as everywhere. */
const hostile = "<img src=x onerror=window.__xss=1>";
const backtests = () => [
  { id: "b1", state: "done", ...range(), rules: 2, read: 120_000, stored: 120_000 },
  { id: "b2", state: "running", ...range(), rules: 1, read: 40_000, stored: 120_000 },
  { id: "b3", state: "failed", ...range(), rules: 1, read: 10, stored: 120_000, error: `too much ${hostile}` },
];
const rule = (id: string, matched: number, alerts: number) => ({
  id,
  title: `Rule ${id} ${hostile}`,
  level: "high",
  kind: "sigma",
  matched,
  alerts,
  alerts_per_day: alerts / 7,
  days: [],
  entities: [{ type: "user.name", id: hostile, count: matched }],
  samples: ["e1", "e2"],
  cost: { evaluated: 1, timed: 1, estimated_ms: 1, longest_ms: 1 },
});
const report = {
  span_days: 7,
  stored: 120_000,
  candidates: 4_000,
  seconds: 3.2,
  cpu_s: 2,
  rules: [rule("curl_from_ip", 12, 3), rule("ssh_brute_force", 400, 40)],
  refused: [],
};

/** GET routes; undefined when there is none. */
export function readCases(state: FakeState, path: string): Answer | undefined {
  const asked = /^\/backtests\/([^/]+)$/.exec(path);
  if (asked !== null) {
    const one = backtests().find(({ id }) => id === asked[1]);
    return one === undefined
      ? problem(404, "not_found", "there is no such backtest")
      : ok({ ...one, ...(one.state === "done" && { report }) });
  }
  switch (path) {
    case "/holds":
      return ok({ holds: of(state) });
    case "/vault":
      return ok({
        keys: [
          { id: "9f2c61d0", from: "SECRET_KEY", boxes: 14, use: "seals" },
          { id: "77ab01fe", from: "SECRET_KEY_OLD", boxes: 2, use: "opens" },
          { id: "00c0ffee", from: "", boxes: 1, use: "missing" },
        ],
        places: [
          { name: "people", boxes: 12, old: 2, damaged: 0 },
          { name: "keys", boxes: 5, old: 0, damaged: 1 },
        ],
      });
    case "/backtests":
      return ok({ backtests: backtests() });
    default:
      return undefined;
  }
}

/** Routes that change something; undefined when there is none. */
export function changeCases(state: FakeState, method: string, path: string, body: { readonly [key: string]: unknown }): Answer | undefined {
  const released = /^\/holds\/([^/]+)\/release$/.exec(path);
  const done = { by: "admin", at: stamp(Date.now()), reason: String(body["reason"] ?? "") };
  if (method === "POST" && released !== null) {
    holds.set(
      state,
      of(state).map((one) => (one.id === released[1] ? { ...one, released: done } : one)),
    );
    return ok(of(state).find(({ id }) => id === released[1]));
  }
  if (method === "DELETE" && path.startsWith("/backtests/")) return ok({ ...backtests()[1], state: "cancelled" });
  switch (`${method} ${path}`) {
    case "POST /holds": {
      const hold: Hold = { id: `h${of(state).length}`, ...done, alerts: (body["alerts"] ?? []) as string[] };
      holds.set(state, [hold, ...of(state)]);
      return { status: 201, body: hold };
    }
    case "POST /vault/rotate":
      return ok({ key: "9f2c61d1", resealed: 19, dropped: ["77ab01fe"] });
    case "POST /backtests/estimate":
      return ok({ stored: 120_000, candidates: 4_000, seconds: 3, rules: 1, refused: [] });
    case "POST /backtests":
      return { status: 202, body: backtests()[1] };
    default:
      return undefined;
  }
}
