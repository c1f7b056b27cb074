import type { Delivery, Outgoing, Sink } from "@vedette/kit";
import fc from "fast-check";
import { expect, test } from "vitest";
import { deliver } from "./deliver.ts";

const recordOf = (n: number, size = 10): Outgoing => ({
  id: `r${n}`,
  kind: "event",
  time: n,
  severity: "low",
  name: "n",
  host: "",
  fields: {},
  body: "x".repeat(size),
});
const records = (n: number) => Array.from({ length: n }, (_, i) => recordOf(i));
const ids = (all: readonly Outgoing[]) => all.map(({ id }) => id);

function rig(send: Sink["send"], more: { readonly records?: number; readonly bytes?: number; readonly stopAfter?: number } = {}) {
  const slept: number[] = [];
  const problems: (string | undefined)[] = [];
  const stop = new AbortController();
  let calls = 0;
  const options = {
    name: "soc",
    sink: {
      send: async (some: readonly Outgoing[], signal: AbortSignal) => {
        if (++calls === more.stopAfter) stop.abort();
        return send(some, signal);
      },
      close: async () => {},
    },
    batch: { records: more.records ?? 100, bytes: more.bytes ?? 1e6 },
    clock: { now: () => 0, sleep: async (ms: number) => void slept.push(ms) },
    random: () => 1,
    signal: stop.signal,
    onProblem: (reason: string | undefined) => void problems.push(reason),
    onAnswer: () => {},
  };
  return { options, slept, problems };
}

/** Takes all but what is poisoned; what it took, in order and with repeats. */
function fake(poison: ReadonlySet<string>, moods: readonly ("takes" | "down" | "throws" | "part" | "loses")[]) {
  const took: string[] = [];
  let call = 0;
  const send: Sink["send"] = async (some): Promise<Delivery> => {
    const mood = moods[call++] ?? "takes";
    if (mood === "down") return { outcome: "unavailable", reason: "HTTP 503" };
    if (mood === "throws") throw new Error("socket hang up");
    if (some.some(({ id }) => poison.has(id))) return { outcome: "refused", reason: "HTTP 400" };
    took.push(...ids(some));
    // it took them, and its answer was lost
    if (mood === "loses") return { outcome: "unavailable", reason: "no answer" };
    if (mood === "part" && some.length > 1) {
      took.splice(took.length - 1, 1);
      return { outcome: "answered", answer: "all but one", later: [some.length - 1] };
    }
    return { outcome: "answered", answer: "taken" };
  };
  return { took, send };
}

test("whatever a receiver does, every record is sent at least once or refused by itself", async () => {
  const moods = fc.array(fc.constantFrom("takes" as const, "down" as const, "throws" as const, "part" as const, "loses" as const), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30 }),
      fc.uniqueArray(fc.integer({ min: 0, max: 29 }), { maxLength: 4 }),
      moods,
      fc.integer({ min: 1, max: 9 }),
      async (n, bad, behaviour, most) => {
        const poison = new Set(bad.filter((one) => one < n).map((one) => `r${one}`));
        const { took, send } = fake(poison, behaviour);
        const { options } = rig(send, { records: most });
        const done = (await deliver(records(n), options))!;
        expect(new Set(done.refused.map(({ record }) => record.id))).toEqual(poison);
        expect(done.sent).toBe(n - poison.size);
        expect(new Set(took)).toEqual(new Set(ids(records(n)).filter((id) => !poison.has(id))));
        if (!behaviour.includes("loses")) expect(took).toHaveLength(n - poison.size);
      },
    ),
    { numRuns: 200 },
  );
});

test("batches keep the order and the bounds; a record above them goes alone", async () => {
  const batches: string[][] = [];
  const { options } = rig(
    async (some) => {
      batches.push(ids(some));
      return { outcome: "answered", answer: "" };
    },
    { records: 3, bytes: 25 },
  );
  await deliver([recordOf(0), recordOf(1), recordOf(2), recordOf(3, 99), recordOf(4)], options);
  expect(batches).toEqual([["r0", "r1"], ["r2"], ["r3"], ["r4"]]);
});

test("waits grow to a minute, a receiver's wish is followed within reason, and the problem is told until it is over", async () => {
  const answers: Delivery[] = [
    ...Array.from({ length: 8 }, (): Delivery => ({ outcome: "unavailable", reason: "down" })),
    { outcome: "unavailable", reason: "429", retryAfter_ms: 120_000 },
    { outcome: "unavailable", reason: "429", retryAfter_ms: 86_400_000 },
  ];
  const { options, slept, problems } = rig(async () => answers.shift() ?? { outcome: "answered", answer: "" });
  await deliver(records(1), options);
  expect(slept).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 120_000, 300_000]);
  expect(problems.at(-2)).toBe("429");
  expect(problems.at(-1)).toBeUndefined();
});

test("a record that is put off again and again after others passed is given up; while nothing passes nothing is", async () => {
  let calls = 0;
  const { options } = rig(async (some) => {
    const all = some.map((_, i) => i);
    // busy for a while, then it takes everything but one
    return { outcome: "answered", answer: "busy", later: ++calls <= 50 ? all : all.filter((i) => some[i]!.id === "r0") };
  });
  const done = (await deliver(records(3), options))!;
  expect([done.sent, ids(done.refused.map(({ record }) => record))]).toEqual([2, ["r0"]]);
  expect(calls).toBe(50 + 20);
});

test("a receiver that refuses everything is taken to be set up wrong: little is lost before somebody looks", async () => {
  const { options, slept } = rig(async () => ({ outcome: "refused", reason: "HTTP 400" }), { records: 1 });
  const done = (await deliver(records(60), options))!;
  expect(done.refused).toHaveLength(60);
  expect(slept).toEqual(Array.from({ length: 11 }, () => 60_000));
});

test("told to stop it says that nothing is known", async () => {
  const { options } = rig(async () => ({ outcome: "unavailable", reason: "down" }), { stopAfter: 3 });
  expect(await deliver(records(3), options)).toBeUndefined();
});
