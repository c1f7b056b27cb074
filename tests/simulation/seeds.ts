/** Runs seeds, holds each against its promises and against the same input without faults, and says of one that fails how it came about. */

import { embedded } from "./embedded.ts";
import type { Ended } from "./ended.ts";
import { judged, type Outcome } from "./promises.ts";

export type Play = (seed: number, faults: boolean) => Promise<Ended>;

/** What each input comes to where nothing goes wrong, in one process. */
const calm = new Map<number, Promise<Outcome>>();

async function outcomeOf(seed: number, play: Play, faults: boolean): Promise<{ readonly run: Ended; readonly outcome: Outcome }> {
  const run = await play(seed, faults);
  const { broken, ...outcome } = await run.world.run(judged(run));
  if (broken.length > 0) throw failure(seed, run.world.story, broken);
  return { run, outcome };
}

const failure = (seed: number, story: readonly string[], broken: readonly string[]): Error =>
  new Error(`seed ${seed} (again by VEDETTE_SEED=${seed}):\n${broken.join("\n")}\nits last steps:\n${story.join("\n")}`);

/** @throws Error that tells the seed and the last steps of a run in which a promise did not hold */
export async function compared(seed: number, play: Play): Promise<Ended> {
  try {
    const { run, outcome } = await outcomeOf(seed, play, true);
    const { name } = run.input;
    if (!calm.has(name))
      calm.set(
        name,
        outcomeOf(name, embedded, false).then((one) => one.outcome),
      );
    const expected = await calm.get(name)!;
    const different = (["digest", "findings"] as const).filter((what) => outcome[what] !== expected[what]);
    if (different.length > 0)
      throw failure(seed, run.world.story, [
        `without faults this input comes to something else: ${JSON.stringify(expected)} instead of ${JSON.stringify(outcome)}`,
      ]);
    return run;
  } catch (e) {
    const { story, message } = e as Error & { readonly story?: readonly string[] };
    throw story ? failure(seed, story, [message]) : e;
  }
}

/** Of the seeds from `from` up to `to`, or of the one that VEDETTE_SEED names. @returns how many steps were taken */
export async function allHold(to: number, play: Play, from = 0): Promise<number> {
  const { VEDETTE_SEED } = process.env;
  const [first, end] = VEDETTE_SEED === undefined ? [from, to] : [Number(VEDETTE_SEED), Number(VEDETTE_SEED) + 1];
  let steps = 0;
  for (let seed = first; seed < end; seed++) steps += (await compared(seed, play)).world.steps;
  return steps;
}
