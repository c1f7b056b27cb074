/**
 * What became of a canary's records in pass 1: taken out of everything that is counted, shown or remembered, and folded, where its rule counts
 * over events, in a keyed engine that is thrown away. Knows no log.
 */
import type { Event, Finding, Micros } from "@vedette/model";
import type { Analysis, CanaryTrace } from "../analysis.ts";
import { KeyedEngine, type KeyedStep } from "../keyed.ts";
import type { CanaryRef } from "./mark.ts";

/** A rule's case is a few lines. */
const maxEvents = 8;

export interface CanaryOutcome {
  readonly events: readonly Event[];
  readonly matched: ReadonlySet<string>;
}

export function canaryAnalysis(
  analysis: Analysis,
  ref: CanaryRef,
  { events, matched }: CanaryOutcome,
  detectors: ConstructorParameters<typeof KeyedEngine>[0],
): Analysis {
  const steps = analysis.keyed.filter((step) => "observe" in step);
  const findings = [...analysis.findings, ...(steps.length > 0 ? sandboxed(steps, detectors) : [])];
  const proof = findings.find(({ rule }) => rule.id === ref.rule);
  const dropped = Object.values(analysis.sources).flatMap((one) => Object.keys(one.dropped))[0];
  const flaw = analysis.dead[0];
  const trace: CanaryTrace = {
    ...ref,
    events: events.slice(0, maxEvents).map(({ fields }) => fields),
    ...(flaw && { flaw: { code: flaw.code, expected: flaw.expected } }),
    ...(dropped && { dropped }),
    matched: [...matched],
    found: proof !== undefined,
  };
  const nothing = { keyed: [], dead: [], sources: {}, rules: {}, capped: {}, days: [], costs: {}, sample: [] };
  return { ...analysis, ...nothing, findings: proof ? [{ ...proof, canary: ref.nonce }] : [], canary: trace };
}

function sandboxed(steps: readonly KeyedStep[], detectors: ConstructorParameters<typeof KeyedEngine>[0]): readonly Finding[] {
  const sandbox = new KeyedEngine(detectors);
  return [...sandbox.take(steps), ...sandbox.finalise(Number.POSITIVE_INFINITY)];
}

/** Cases were written long ago; stored under their own times they would stretch partitions over years. */
export function broughtForward(events: readonly Event[], received: Micros): readonly Event[] {
  const newest = events.reduce((most, { time }) => Math.max(most, time), Number.NEGATIVE_INFINITY);
  return events.map((event) => ({ ...event, time: received - (newest - event.time) }));
}
