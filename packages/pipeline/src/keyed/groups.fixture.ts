/** A crowd of groups through the keyed engine over the real checkpoint store, as the engine does it; for tests of memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newFields } from "@vedette/kit";
import type { Finding, Observation } from "@vedette/model";
import { openStore } from "@vedette/store";
import { KeyedEngine, type KeyedStep } from "../keyed.ts";
import { burstStage, second } from "./bursts.fixture.ts";

const consumer = "c";
const begin = 1_000_000 * second;
const perBatch = 2_000;

/**
 * Each group is seen three times, a second time long after memory has moved on to others: only a state that was kept elsewhere makes a finding.
 * @returns findings, the most keys that were in memory at once, and the highest resident memory
 */
export async function crowd(groups: number, keys: number) {
  const directory = mkdtempSync(join(tmpdir(), "vedette-groups-"));
  const store = await openStore({ directory });
  const { checkpoints } = store;
  const epoch = await checkpoints.acquire(consumer);
  const keyed = new KeyedEngine(new Map([...burstStage().detectors].filter(([name]) => name === "streak")), undefined, { keys });
  let [offset, inMemory, rss, found] = [0, 0, 0, 0];
  const pass = async (steps: readonly KeyedStep[], tick?: number) => {
    const wanted = keyed.missing(steps.flatMap((s) => ("observe" in s ? [s.observe] : [])));
    if (wanted.length > 0) keyed.restore(await checkpoints.rows(consumer, { keys: wanted }), true);
    if (tick !== undefined) keyed.restore(await checkpoints.rows(consumer, { due: keyed.passed(tick), limit: 5_000 }), true);
    const findings: Finding[] = keyed.take(tick === undefined ? steps : [...steps, { tick }]);
    found += findings.filter((f) => f.canonical).length;
    inMemory = Math.max(inMemory, keyed.keysInMemory);
    await checkpoints.commit(consumer, epoch, ++offset, "{}", keyed.drain());
    keyed.spill();
    rss = Math.max(rss, process.memoryUsage.rss());
  };
  // three rounds within the minute for which a streak is remembered
  for (let round = 0; round < 3; round++)
    for (let at = 0; at < groups; at += perBatch)
      await pass(Array.from({ length: Math.min(perBatch, groups - at) }, (_, i) => ({ observe: failure(round, at + i, groups) })));
  const known = keyed.keys;
  for (let tick = 0; keyed.keys > 0 && tick < groups; tick++) await pass([], begin + 1_000 * second);
  const left = (await checkpoints.load(consumer)).count;
  await store.close();
  rmSync(directory, { recursive: true });
  return { found, known, inMemory, left, rss_mb: Math.round(rss / 1e6), spilled: keyed.counters.of("streak").spilled };
}

function failure(round: number, group: number, groups: number): Observation {
  const n = round * groups + group;
  const ip = `10.${group >> 16}.${(group >> 8) & 255}.${group & 255}`;
  return {
    detector: "streak",
    key: `main\0${ip}`,
    time: begin + round * 10 * second + Math.floor((group * 9 * second) / groups),
    source: "s",
    seq: n,
    stream: "",
    host: "h",
    event: `e${n}`,
    received: begin + round * 10 * second,
    demo: false,
    seen: Number.NEGATIVE_INFINITY,
    fields: Object.assign(newFields(), { "event.outcome": "failure", "source.ip": ip }),
    original: `Failed password for root from ${ip} port 5 ssh2`,
  };
}
