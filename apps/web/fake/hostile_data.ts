/** Hostile content for what is told of data on its way in and out. */
import type { FakeData } from "./data.ts";
import { stamp } from "./events.ts";
import { disguised, payloads } from "./hostile.ts";
import { hostileHpc } from "./hpc.ts";

const all = `${payloads.join(" ")} ${disguised}`;

export function hostileData(now_ms: number): FakeData {
  const [script, image, svg, link, template] = payloads as [string, string, string, string, string];
  const at = stamp(now_ms);
  const loss = { id: svg, title: script, how: all };
  return {
    hpc: hostileHpc(now_ms),
    quality: {
      at,
      sources: [
        {
          name: image,
          state: "silent",
          last: at,
          silence_allowed_s: 10,
          formats: [{ format: script, records: 10, flaws: 9, failing: true }],
          unknown_fields: [{ field: svg, sampled: 1 }],
          drift: [{ kind: all, appeared: [script], vanished: [link], at }],
        },
      ],
      hosts: { known: 1, unwatched: 0, silent: [{ name: all, last: at }], clocks: [{ host: script, source: image, lead_s: 7_200 }] },
    },
    series: [{ source: script, name: image, kind: "gauge", labels: { [svg]: all }, points: [[at, 1]] }],
    series_sources: [{ source: all, series: 1, limit: 1, kept: 1, repeated: 0, refused: 1, refused_series: [script] }],
    enrichers: [
      {
        name: script,
        summary: all,
        state: "broken",
        reason: image,
        inventory: true,
        table: { hash: template, bytes: 1, rows: 1, at, by: svg, file: all },
      },
    ],
    pipelines: [{ name: script, file: image, steps: [{ name: all, does: "drop", dropped: 1 }], cases: 1, failing: 1 }],
    losses: [loss],
    preview: {
      events: 1,
      dropped: { [script]: 1 },
      changed: 1,
      examples: [{ id: svg, time: at, source: image, dropped: all, before: { [script]: all }, after: {}, original: [all, script] }],
      refused: [],
      losses: [loss],
    },
    sinks: [
      {
        name: script,
        type: image,
        select: "alerts",
        format: "ecs",
        state: "failed",
        read: 1,
        sent: 0,
        refused: { [svg]: 1 },
        skipped: 0,
        missed: 1,
        pending: 0,
        lag_ms: 0,
        problem: all,
        answer: all,
      },
    ],
    tokens: [],
    refusals: [{ first: at, last: at, count: 1, peer: script, source: image, cause: svg, message: all, fix: all }],
  };
}
