import { defineSource, UnavailableError, z } from "@vedette/kit";
import { memoryLog } from "@vedette/log";
import { expect, test } from "vitest";
import { freshIntakes } from "./intakes.fixture.ts";
import { SourceRunner } from "./source_runner.ts";

test("a source whose log is away when it begins begins when the log is back", async () => {
  const log = memoryLog();
  let away = 3;
  const slept: number[] = [];
  const clock = { now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
  const lame = new Proxy(log, {
    get: (of, name) => {
      if (name !== "positions") return Reflect.get(of, name).bind(of);
      return async () => {
        if (away-- > 0) throw new UnavailableError("kafka_unavailable", "no broker answers");
        return of.positions();
      };
    },
  });
  let runs = 0;
  const spec = defineSource({
    name: "once",
    summary: "Runs once",
    stability: "experimental",
    config: z.strictObject({}),
    examples: [],
    run: async () => void runs++,
  });
  const intakes = await freshIntakes({ log, clock, program: () => "" });
  const runner = new SourceRunner(new Map([["once", spec]]), intakes, lame, clock);
  await runner.start({ name: "s", type: "once", config: {} }, new AbortController().signal);
  expect([runs, slept]).toEqual([1, [500, 1_000, 2_000]]);
  expect(runner.running.get("s")).toMatchObject({ state: "stopped", warnings: [{ code: "kafka_unavailable", count: 3 }] });
});
