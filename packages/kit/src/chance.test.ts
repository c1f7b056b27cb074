/** The same seed gives the same choices, and each way of choosing keeps its bounds. */
import { expect, test } from "vitest";
import { Chance } from "./chance.ts";

const draw = (chance: Chance) => [chance.next(), chance.whole(1, 6), chance.pick(["a", "b", "c"]), chance.text(8), chance.normal(5, 2)];

test("the same seed, the same choices; another seed, others", () => {
  expect(draw(new Chance(7))).toEqual(draw(new Chance(7)));
  expect(draw(new Chance(7))).not.toEqual(draw(new Chance(8)));
});

test("a fork depends on its name alone, not on what was drawn before", () => {
  const chance = new Chance(7);
  const before = draw(chance.fork("jobs"));
  chance.next();
  expect(draw(chance.fork("jobs"))).toEqual(before);
  expect(draw(chance.fork("logins"))).not.toEqual(before);
});

test("draws keep their bounds and means", () => {
  const chance = new Chance(1);
  let [sum, exponential, heavy] = [0, 0, 0];
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const die = chance.whole(1, 6);
    expect(die >= 1 && die <= 6 && Number.isInteger(die)).toBe(true);
    sum += die;
    exponential += chance.exponential(10);
    if (chance.weighted([{ weight: 1 }, { weight: 3, heavy: true }] as const).weight === 3) heavy++;
  }
  expect(sum / count).toBeCloseTo(3.5, 1);
  expect(exponential / count / 10).toBeCloseTo(1, 1);
  expect(heavy / count).toBeCloseTo(0.75, 1);
});
