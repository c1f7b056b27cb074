import { UnavailableError, VedetteError } from "@vedette/kit";
import type { CheckpointStore } from "@vedette/store";
import { expect, test } from "vitest";
import { patient } from "./patient.ts";

const away = () => new UnavailableError("store_unavailable", "PostgreSQL does not answer (ECONNREFUSED)");

function rig(failures: number, error: () => Error = away) {
  let asked = 0;
  const slept: number[] = [];
  const problems: (string | undefined)[] = [];
  const stop = new AbortController();
  const checkpoints = {
    commit: async () => {
      if (asked++ < failures) throw error();
    },
  } as unknown as CheckpointStore;
  const clock = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
  const store = patient(checkpoints, { clock, signal: stop.signal, onProblem: (_, message) => problems.push(message) });
  return { commit: () => store.commit("c", 1, 2, "", []), asked: () => asked, slept, problems, stop };
}

test("what is asked while the store is away waits, longer and longer, and says so until it is back", async () => {
  const { commit, slept, problems } = rig(8);
  await commit();
  expect(slept).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  expect(problems).toEqual([...Array(8).fill(away().message), undefined]);
});

test("a new owner is told of at once; whoever is to stop asks once and waits for nothing", async () => {
  const fenced = rig(9, () => new VedetteError("conflict", true, "another owner took over"));
  await expect(fenced.commit()).rejects.toMatchObject({ code: "conflict" });
  expect([fenced.asked(), fenced.problems]).toEqual([1, []]);
  const stopping = rig(9);
  stopping.stop.abort();
  await expect(stopping.commit()).rejects.toMatchObject({ code: "store_unavailable" });
  expect(stopping.asked()).toBe(1);
});

test("who was away and then belongs to another is not told of as away for ever", async () => {
  let asked = 0;
  const { commit, problems } = rig(2, () => (asked++ === 0 ? away() : new VedetteError("conflict", true, "another owner took over")));
  await expect(commit()).rejects.toMatchObject({ code: "conflict" });
  expect(problems).toEqual([away().message, undefined]);
});
