/** Runs happenings through pass 1 and pass 2 in any batches, with restarts, spills and shards, for tests. Knows no assertion. */
import { shardOf } from "@vedette/kit";
import type { Event, Finding, Micros } from "@vedette/model";
import { type KeyedBounds, KeyedEngine, type KeyedStep } from "../keyed.ts";
import { maxAhead, type Origin, Watermarks } from "../watermarks.ts";
import { burstStage } from "./bursts.fixture.ts";

export interface Run {
  /** Indices of events after which a batch ends. */
  readonly batchEnds?: readonly number[];
  /** Indices after which a tick comes. */
  readonly ticks?: readonly number[];
  /** Batches after which everything is written and read again. */
  readonly restarts?: readonly number[];
  readonly bounds?: Partial<KeyedBounds>;
  /** The file or connection by which an event came. */
  readonly streamOf?: (event: Event) => string;
}

/** Pass 1 as the analyser does it: observations in order, tallies and watermarks at the end of a batch and before a tick. */
export function batches(events: readonly Event[], { batchEnds = [], ticks = [], streamOf }: Run): KeyedStep[][] {
  const stage = burstStage();
  const ends = new Set(batchEnds);
  const ticked = new Set(ticks);
  const all: KeyedStep[][] = [];
  let steps: KeyedStep[] = [];
  let marks = new Map<string, [Origin, Micros, Micros]>();
  const flush = () => {
    for (const observe of stage.flush().observations) steps.push({ observe });
    if (marks.size > 0) steps.push({ advance: [...marks.values()] });
    marks = new Map();
  };
  events.forEach((event, i) => {
    const stream = streamOf?.(event) ?? "";
    const id = `${event.source}\0${stream}\0${event.host}`;
    const mark = marks.get(id) ?? [[event.source, stream, event.host], Number.NEGATIVE_INFINITY, event.received];
    for (const observe of stage.observe(event, mark[1], false, stream)) steps.push({ observe });
    mark[1] = Math.max(mark[1], Math.min(event.time, event.received + maxAhead));
    mark[2] = Math.max(mark[2], event.received);
    marks.set(id, mark);
    if (ticked.has(i)) {
      flush();
      steps.push({ tick: event.received });
    }
    if (!ends.has(i)) return;
    flush();
    all.push(steps);
    steps = [];
  });
  flush();
  return [...all, steps];
}

/** What a checkpoint store holds. */
type Rows = Map<string, { readonly value: string; readonly due: Micros | undefined }>;

export function runAll(events: readonly Event[], run: Run = {}): readonly Finding[] {
  const { detectors } = burstStage();
  const rows: Rows = new Map();
  const findings: Finding[] = [];
  let watermarks = new Watermarks();
  let keyed = new KeyedEngine(detectors, watermarks, run.bounds);
  batches(events, run).forEach((steps, i) => {
    load(keyed, rows, steps);
    findings.push(...keyed.take(steps));
    if (!run.bounds && !run.restarts?.includes(i)) return;
    save(keyed, rows);
    keyed.spill();
    if (!run.restarts?.includes(i)) return;
    const entries = JSON.parse(JSON.stringify(watermarks.entries())) as ReturnType<Watermarks["entries"]>;
    watermarks = new Watermarks();
    watermarks.restore(entries);
    const state = JSON.parse(JSON.stringify(keyed.state())) as ReturnType<KeyedEngine["state"]>;
    const spilled = keyed.spilled;
    keyed = new KeyedEngine(detectors, watermarks, run.bounds);
    const resident = [...rows].filter(([key]) => spilled === 0 || keyed.residents.some((r) => key.startsWith(r)));
    keyed.restore(resident.map(([key, { value }]) => ({ key, value })));
    keyed.resume(state, rows.size - resident.length);
  });
  keyed.restore(
    [...rows].map(([key, { value }]) => ({ key, value })),
    true,
  );
  return [...findings, ...keyed.finalise(Number.POSITIVE_INFINITY)];
}

function save(keyed: KeyedEngine, rows: Rows): void {
  for (const { key, value, due } of keyed.drain()) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, { value, due });
  }
}

/** As the engine does before it hands steps on: what they need, and what is due, from the store. */
function load(keyed: KeyedEngine, rows: Rows, steps: readonly KeyedStep[]): void {
  const found = keyed
    .missing(steps.flatMap((s) => ("observe" in s ? [s.observe] : [])))
    .flatMap(({ key }) => (rows.has(key) ? [{ key, value: rows.get(key)!.value }] : []));
  keyed.restore(found, true);
  const tick = steps.findLast((step) => "tick" in step);
  if (!tick || keyed.spilled === 0) return;
  const passed = keyed.passed(tick.tick);
  keyed.restore(
    [...rows].filter(([, { due }]) => due !== undefined && due <= passed).map(([key, { value }]) => ({ key, value })),
    true,
  );
}

/** The same over several engines, each with its share of the 64 shards. */
export function runSharded(events: readonly Event[], run: Run, engines: number): readonly Finding[] {
  const { detectors } = burstStage();
  const all = Array.from({ length: engines }, () => new KeyedEngine(new Map([...detectors].filter(([name]) => name !== "twice"))));
  const findings: Finding[] = [];
  for (const steps of batches(events, run))
    all.forEach((keyed, n) => {
      const own = steps.filter((step) => !("observe" in step) || shardOf(step.observe.detector, step.observe.key) % engines === n);
      findings.push(...keyed.take(own));
    });
  for (const keyed of all) findings.push(...keyed.finalise(Number.POSITIVE_INFINITY));
  return findings;
}

/** What stands at the end, without ids and revisions. */
export const standing = (findings: readonly Finding[]): readonly string[] =>
  left(findings)
    .filter((f) => f.canonical)
    .map(shape)
    .sort();

/** What was neither superseded nor withdrawn; as triage does, it takes no revision twice. */
export function left(findings: readonly Finding[]): readonly Finding[] {
  const found = new Map<string, Finding>();
  const revisions = new Map<string, number>();
  for (const f of findings) {
    if (f.revision <= (revisions.get(f.id) ?? -1)) continue;
    revisions.set(f.id, f.revision);
    if (f.supersedes !== undefined) found.delete(f.supersedes);
    if (f.withdrawn) found.delete(f.id);
    else found.set(f.id, f);
  }
  return [...found.values()];
}
const shape = (f: Finding): string =>
  [f.rule.id, f.key, f.window.start, f.window.end, f.count, f.severity, f.summary, ...[...f.events].sort()].join(" ");
