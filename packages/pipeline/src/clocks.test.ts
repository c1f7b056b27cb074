/** One host in a hundred has a clock that is two hours off: nobody else's findings are missed or wait for it. */
import type { Event } from "@vedette/model";
import { expect, test } from "vitest";
import { burstStage, eventOf, minute, second } from "./keyed/bursts.fixture.ts";
import { batches, standing } from "./keyed/runs.fixture.ts";
import { KeyedEngine } from "./keyed.ts";
import { maxAhead, Watermarks } from "./watermarks.ts";

const hosts = 100;
const begin = 1_000_000 * second;
const prepared = burstStage();
const wrongKey = ["main", "192.0.2.0"].join("\0");
const off = [120 * minute, -120 * minute, 0] as const;

/** Every host fails thrice a minute by an address of its own over ten minutes. */
function cluster(wrong: number): readonly Event[] {
  const events: Event[] = [];
  for (let at = 0; at < 600; at += 20)
    for (let host = 0; host < hosts; host++) {
      const received = begin + at * second + host * 1_000;
      const skew = host === 0 ? wrong : 0;
      const happening = { time: received + skew, ip: host, host: 0, outcome: "failure", bytes: 0, port: 0 } as const;
      // a pause after five minutes ends every streak
      if (at < 300 || at > 400) events.push({ ...eventOf(happening, events.length), source: "s", host: `h${host}`, received });
    }
  return events;
}

function run(events: readonly Event[]) {
  const keyed = new KeyedEngine(new Map([...prepared.detectors].filter(([name]) => name === "streak")), new Watermarks());
  const ends = events.flatMap((_, i) => (i % 37 === 0 ? [i] : []));
  const findings = batches(events, { batchEnds: ends, ticks: ends }).flatMap((steps) => keyed.take(steps));
  // nobody sends any more; the ticks go on, the host with the wrong clock too
  const last = events.at(-1)!.received;
  for (let s = 1; s <= 900; s += 5) {
    const wall = last + s * second;
    for (let host = 0; host < hosts; host++) {
      const skew = host === 0 ? events[0]!.time - events[0]!.received : 0;
      keyed.watermarks.advance(["s", "", `h${host}`], Math.min(wall + skew, wall + maxAhead), wall);
    }
    findings.push(...keyed.finalise(wall));
  }
  return { findings, counts: keyed.counts };
}

test.each(off)("one host %i µs off", (wrong) => {
  const { findings, counts } = run(cluster(wrong));
  const others = standing(findings).filter((line) => !line.includes(`${wrongKey} `));
  expect(others).toEqual(standing(run(cluster(0)).findings).filter((line) => !line.includes(`${wrongKey} `)));
  expect(others).toHaveLength(2 * (hosts - 1));
  expect(counts.late).toBe(0);
  // its own are found as well, by its own time
  expect(new Set(findings.filter((f) => f.key === wrongKey).map((f) => f.id)).size).toBe(2);
});
