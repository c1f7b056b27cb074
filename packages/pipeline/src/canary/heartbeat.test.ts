import type { ProofLine, ProofReport } from "@vedette/model";
import { expect, test } from "vitest";
import { Heartbeat, type HeartbeatOptions } from "./heartbeat.ts";

/** Time goes on only as far as somebody sleeps. */
function rig(more: Partial<HeartbeatOptions> = {}) {
  let now = 1_000_000;
  const rules: ProofLine[] = ["a", "b", "c", "d"].map((id) => ({ id, title: id, state: "waiting" }));
  const asked: string[][] = [];
  const told: string[] = [];
  const problems = new Map<string, string | undefined>();
  const stop = new AbortController();
  const state = { through: true, hangs: false, ready: true, taken: true, beats: 0, until: 5 };
  const heartbeat = new Heartbeat({
    prover: {
      report: () => ({ rules }) as unknown as ProofReport,
      prove: async (ids) => {
        asked.push([...ids]);
        if (state.hangs) await new Promise(() => {});
        for (const [i, rule] of rules.entries())
          if (ids.includes(rule.id)) rules[i] = { ...rule, state: state.through ? "proved" : "silent", at: now };
      },
    },
    ready: async () => ({ ready: state.ready }),
    clock: {
      now: () => now,
      sleep: async (ms, signal) => {
        // what is waited for may be done meanwhile
        await new Promise((resolve) => setImmediate(resolve));
        if (!signal?.aborted) now += ms * 1_000;
      },
    },
    every: 20_000_000,
    patience: 25_000_000,
    send: async (what, why) => {
      if (++state.beats >= state.until) stop.abort();
      if (!state.taken) throw new Error("connection refused");
      told.push(`${now / 1e6} ${what}${why === undefined ? "" : `: ${why}`}`);
    },
    onProblem: (code, message) => void problems.set(code, message),
    ...more,
  });
  return { state, told, asked, problems, rules, run: () => heartbeat.run(stop.signal) };
}

test("while canaries come through it beats at its pace, with other rules each time", async () => {
  const it = rig();
  await it.run();
  expect(it.told).toEqual(["21 alive", "41 alive", "61 alive", "81 alive", "101 alive"]);
  expect(new Set(it.asked.flat()).size).toBeGreaterThan(1);
  expect(it.problems.get("heartbeat_withheld")).toBeUndefined();
});

test("a pipeline that hangs is told within a minute of the last canary, and never called alive again until one comes through", async () => {
  const hung = rig();
  hung.state.hangs = true;
  await hung.run();
  expect(hung.told.every((one) => one.endsWith("stopped: no canary came through within 25 s"))).toBe(true);
  // the interval at which it beats, and what a canary may take
  expect(Number(hung.told[0]!.split(" ")[0]) - 1).toBeLessThan(60);
  expect(hung.problems.get("heartbeat_withheld")).toContain("25 s");
});

test("canaries that are lost, and a server that is not ready, withhold it; a single silent rule does not", async () => {
  const lost = rig();
  lost.state.through = false;
  await lost.run();
  expect(lost.told[0]).toContain("stopped: no canary came through");
  const unready = rig();
  unready.state.ready = false;
  await unready.run();
  expect(unready.told[0]).toContain("stopped: it is not ready");
  const one = rig();
  const prove = one.rules;
  prove[0] = { id: "a", title: "a", state: "silent" };
  await one.run();
  expect(one.told.every((text) => text.endsWith("alive"))).toBe(true);
  const many = rig({ prover: undefined });
  await many.run();
  expect(many.told.every((text) => text.endsWith("alive"))).toBe(true);
  const none = rig();
  none.rules.splice(0);
  await none.run();
  expect(none.told[0]).toContain("stopped: no rule in force can be proved");
});

test("a receiver that does not take it is a problem of its own, over when it does", async () => {
  const it = rig();
  it.state.taken = false;
  await it.run();
  expect(it.problems.get("heartbeat_unsent")).toBe("connection refused");
});
