/** A document that a sender repeats at another process of the installation counts once, and never less. */
import { inProcessCluster } from "@vedette/cluster";

import { type Log, memoryLog } from "@vedette/log";
import type { RawRecord } from "@vedette/model";
import { expect, test } from "vitest";
import { freshIntakes } from "./intakes.fixture.ts";

const clock = { now: () => Date.UTC(2026, 10, 22) * 1_000, sleep: async () => {} };
const documentsOf = (...ids: string[]): readonly RawRecord[] => ids.map((id) => ({ id, position: id, body: Buffer.from(`{"n":"${id}"}`) }));

/** Processes of one installation, with what they tell one another. */
function processes() {
  const log = memoryLog();
  const { recent } = inProcessCluster(clock);
  const elsewhere = {
    known: (ids: readonly string[]) => recent.known("sender_ids", ids),
    add: (ids: readonly string[]) => recent.add("sender_ids", ids),
  };
  const start = async (own: Log = log, told = elsewhere) => {
    const intakes = await freshIntakes({ log: own, clock, program: () => "p", partitions: 2, elsewhere: told });
    return intakes.open({ source: "beats", format: "json" });
  };
  const taken = async () => (await log.counts()).get("in/beats") ?? 0;
  return { log, start, taken };
}

test("what one process took in another knows, also of a batch that has some of it", async () => {
  const { start, taken } = processes();
  const [one, two] = [await start(), await start()];
  expect(await one.accept(documentsOf("a", "b"))).toEqual({ duplicates: [] });
  expect(await two.accept(documentsOf("c", "a", "d", "c"))).toEqual({ duplicates: [1, 3] });
  expect(await one.accept(documentsOf("d"))).toEqual({ duplicates: [0] });
  expect(await taken()).toBe(4);
});

test("what could not be made durable there is taken in here", async () => {
  const { log, start, taken } = processes();
  const full: Log = Object.assign(Object.create(log), { append: () => Promise.reject(new Error("disk full")) });
  const [one, two] = [await start(full), await start()];
  await expect(one.accept(documentsOf("a"))).rejects.toThrow("disk full");
  expect(await two.accept(documentsOf("a"))).toEqual({ duplicates: [] });
  expect(await taken()).toBe(1);
});
