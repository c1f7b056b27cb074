/** What a job comes to that no worker analysed: ticks alone need none, and what brings its worker down is counted. Knows no rule. */
import type { Analysis, Job } from "./analysis.ts";
import { decodeBatch, tickOf } from "./batch.ts";

/** @returns undefined where there is anything but ticks */
export function onlyTicks(job: Job, program: string): Analysis | undefined {
  const keyed: { tick: number }[] = [];
  for (const { bytes } of job.entries) {
    const wall = tickOf(bytes);
    if (wall === undefined) return undefined;
    keyed.push({ tick: wall });
  }
  return { ...nothing(job, program), keyed };
}

function nothing(job: Job, program: string): Analysis {
  return {
    first: job.entries[0]!.offset,
    last: job.entries.at(-1)!.offset,
    program,
    received: 0,
    events: undefined,
    findings: [],
    keyed: [],
    dead: [],
    sources: {},
    rules: {},
    capped: {},
    days: [],
    costs: {},
    damaged: [],
    samples: undefined,
    sample: [],
  };
}

/** Its records are counted in, and as dropped. */
export function failed(job: Job, program: string, e: Error): Analysis {
  const damaged = job.entries.map(({ offset }) => ({ offset, reason: e.message }));
  const sources: { [name: string]: Analysis["sources"][string] } = {};
  let received = 0;
  for (const { bytes } of job.entries) {
    try {
      const { header } = decodeBatch(bytes);
      if (header.kind !== "records") continue;
      received = Math.max(received, header.received);
      const n = header.positions.length;
      const d = sources[header.source] ?? { in: 0, split: 0, stored: 0, dead: 0, dropped: {} };
      sources[header.source] = { ...d, in: d.in + n, dropped: { analysis_failed: (d.dropped["analysis_failed"] ?? 0) + n } };
    } catch {
      // counted as damaged above
    }
  }
  return { ...nothing(job, program), received, sources, damaged };
}
