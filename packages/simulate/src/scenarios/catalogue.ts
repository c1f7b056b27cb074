/** Every scenario by name, and when each is played. Knows no scenario's inside. */
import { BadInputError } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { day, hour, minute, second } from "../stamps.ts";
import { accounts } from "./accounts.ts";
import { inJobs } from "./jobs.ts";
import { miners } from "./miners.ts";
import type { Scenario } from "./scenario.ts";

export const scenarios: readonly Scenario[] = [...accounts, ...inJobs, ...miners];

/** A scenario at a time after the start. */
export interface Staged {
  readonly scenario: Scenario;
  readonly after: Micros;
}

const units = { d: day, h: hour, m: minute, s: second };

/** `90s`, `6h`, `1d12h` in microseconds. */
export function parseDuration(text: string): Micros | undefined {
  if (!/^(?:\d{1,6}[dhms]){1,4}$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)([dhms])/g)) total += Number(number) * units[unit as keyof typeof units];
  return total;
}

/**
 * What is to be played: `NAME`, `NAME*3` and `NAME@6h` (after the start), `all`, `none`.
 * Those without a time are spread over the first two thirds, so that they are over before the end.
 * @throws BadInputError naming what is known
 */
export function stage(asked: readonly string[], duration: Micros): Staged[] {
  const spread: Scenario[] = [];
  const staged: Staged[] = [];
  for (const text of asked) {
    const [, name, times, at] = /^([a-z_]{1,64})(?:\*(\d{1,4}))?(?:@(.{1,32}))?$/.exec(text) ?? [];
    if (name === "none" && asked.length === 1) return [];
    const found = name === "all" ? scenarios : scenarios.filter((one) => one.name === name);
    const after = at === undefined ? undefined : parseDuration(at);
    if (found.length === 0 || (at !== undefined && after === undefined))
      throw new BadInputError(
        "bad_request",
        `--scenario ${text}: expected all, none, or NAME, NAME*COUNT, NAME@TIME with a time after the start such as 6h or 1d30m, and NAME one of ${scenarios.map((one) => one.name).join(", ")}`,
      );
    for (let i = Number(times ?? 1); i > 0; i--)
      if (after === undefined) spread.push(...found);
      else staged.push(...found.map((scenario) => ({ scenario, after })));
  }
  spread.forEach((scenario, i) => {
    staged.push({ scenario, after: Math.round(((i + 0.5) / spread.length) * duration * (2 / 3)) });
  });
  return staged.sort((a, b) => a.after - b.after);
}
