/** Keys as earlier versions wrote them into checkpoints, made such as this one reads; docs/format/state.md. */
import type { PreparedDetector } from "@vedette/detect";
import type { Claim } from "@vedette/kit";
import type { EvidenceEvent, Observation } from "@vedette/model";
import { newer } from "../newer.ts";
import type { SavedKey, Shown } from "./key.ts";

const format = 2;

/** Version 0.1's: no format number, the frontier a time, of shown claims only the newest. */
interface First {
  readonly format?: undefined;
  readonly final?: unknown;
  readonly frontier: number;
  readonly pending: readonly Observation[];
  readonly shown: { readonly [start: string]: { readonly id: string; revision: number; count: number; severity: string; latest: Claim } };
  readonly evidence: readonly EvidenceEvent[];
}

/**
 * @returns undefined where it is of another version of the detector: it starts afresh
 * @throws VedetteError `newer_version`
 */
export function migrated(value: string, detector: PreparedDetector): SavedKey | undefined {
  const saved = JSON.parse(value) as SavedKey | First;
  const ahead = newer("A key in the checkpoint", saved.format, format);
  if (ahead) throw ahead;
  if (saved.format === format) return saved.hash === detector.hash ? saved : undefined;
  const { final, frontier, pending, evidence } = saved;
  const shown: { [start: string]: Shown } = {};
  for (const [start, { id, revision, count, severity, latest }] of Object.entries(saved.shown))
    shown[start] = { id, revision, count, severity, end: latest.window.end, settled: latest, first: latest.window.end };
  // before the first observation the frontier stood at -1e18; events of its very moment were still taken
  const reached = frontier > -1e18 ? { frontier: [frontier, "", -1, ""] as const } : {};
  return { format, hash: detector.hash, final, ...reached, pending, shown, evidence };
}
