/** Made-up holds, erasures, keys at rest and backtests: as they are, and with any texts where people or logs have a say. */
import { stamp } from "./events.ts";

interface Done {
  readonly by: string;
  readonly at: string;
  readonly reason: string;
}
export interface FakeHold extends Done {
  readonly id: string;
  readonly alerts: readonly string[];
  readonly q?: string;
  readonly from?: string;
  readonly to?: string;
  readonly released?: Done;
}
export interface FakeErasure extends Done {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly audit: boolean;
  readonly digest: string;
  readonly state: "running" | "done" | "failed";
  readonly ended?: string;
  readonly events: number;
  readonly held: number;
  readonly alerts: number;
  readonly records: number;
  readonly problem?: string;
}
export interface FakeBacktest {
  readonly id: string;
  readonly state: "done" | "running" | "failed" | "cancelled";
  readonly from: string;
  readonly to: string;
  readonly rules: number;
  readonly read: number;
  readonly stored: number;
  readonly error?: string;
}
export interface FakeCases {
  holds: readonly FakeHold[];
  erasures: readonly FakeErasure[];
  keys: readonly { readonly id: string; readonly from: string; readonly boxes: number; readonly use: "seals" | "opens" | "missing" }[];
  places: readonly { readonly name: string; readonly boxes: number; readonly old: number; readonly damaged: number }[];
  backtests: readonly FakeBacktest[];
  /** What stands in the reports of backtests. */
  texts: readonly string[];
}

export const no_cases: FakeCases = { holds: [], erasures: [], keys: [], places: [], backtests: [], texts: [] };

export function makeCases(now_ms: number): FakeCases {
  const at = stamp(now_ms - 86_400_000);
  const range = { from: stamp(now_ms - 7 * 86_400_000), to: stamp(now_ms) };
  const erasure = { at, by: "ann", from: "1970-01-01T00:00:00.000000Z", to: at, audit: false, digest: "9f2c61d0e7ab44b1", records: 0 };
  return {
    holds: [
      { id: "h17", by: "ann", at, reason: "case 2026-118, asked for by counsel", alerts: ["alert-0003"] },
      {
        ...{ id: "h16", by: "ann", at, reason: "the stolen key", alerts: [], q: "user.name:mallory", ...range },
        released: { by: "ben", at: range.to, reason: "the case is closed" },
      },
    ],
    erasures: [
      { ...erasure, id: "x3", reason: "request 9 of the person", state: "running", events: 41_220, held: 0, alerts: 3 },
      {
        ...{ ...erasure, audit: true, records: 12 },
        ...{ id: "x2", reason: "request 7 of the person", state: "done", ended: range.to, events: 1_204, held: 18, alerts: 2 },
      },
      { ...erasure, id: "x1", reason: "a test", state: "failed", ended: range.to, events: 0, held: 0, alerts: 0, problem: "disk full" },
    ],
    keys: [
      { id: "9f2c61d0", from: "SECRET_KEY", boxes: 14, use: "seals" },
      { id: "77ab01fe", from: "SECRET_KEY_OLD", boxes: 2, use: "opens" },
      { id: "00c0ffee", from: "", boxes: 1, use: "missing" },
    ],
    places: [
      { name: "people", boxes: 12, old: 2, damaged: 0 },
      { name: "keys", boxes: 5, old: 0, damaged: 1 },
    ],
    backtests: [
      { id: "b1", state: "done", ...range, rules: 2, read: 120_000, stored: 120_000 },
      { id: "b2", state: "running", ...range, rules: 1, read: 40_000, stored: 120_000 },
      { id: "b3", state: "failed", ...range, rules: 1, read: 10, stored: 120_000, error: "too much to read in the time" },
    ],
    texts: ["Script fetched from a bare address", "SSH brute force"],
  };
}

/** One of each for each text, which stands wherever there is text. */
export function casesOf(texts: readonly string[], now_ms: number): FakeCases {
  const { holds, erasures, backtests } = makeCases(now_ms);
  const [, hold] = holds as [FakeHold, FakeHold];
  const done = (text: string) => ({ by: text, at: hold.at, reason: text });
  return {
    holds: texts.map((text, i) => ({ ...hold, ...done(text), id: `h${i}`, alerts: [text], q: text, released: done(text) })),
    erasures: texts.map((text, i) => ({ ...erasures[2]!, ...done(text), id: `x${i}`, problem: text })),
    keys: texts.map((text, i) => ({ id: `k${i}`, from: text, boxes: 1, use: i === 0 ? "seals" : "opens" })),
    places: texts.map((text) => ({ name: text, boxes: 1, old: 0, damaged: 0 })),
    backtests: [...texts.map((text, i) => ({ ...backtests[2]!, id: `b${i + 1}`, error: text })), { ...backtests[0]!, id: "b0" }],
    texts,
  };
}
