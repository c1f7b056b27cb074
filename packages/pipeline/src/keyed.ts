/**
 * Pass 2: folds observations per key in order-key order. A function of the log alone: no I/O, clock or randomness.
 * Each observation is evaluated on arrival; an earlier one that comes within the lateness has the key's short history folded again.
 */
import { inputOf, mergeTallies, type PreparedDetector, type Tallied } from "@vedette/detect";
import type { Claim, DetectorSpec } from "@vedette/kit";
import { idOf, shardOf } from "@vedette/kit";
import type { EvidenceEvent, Finding, Micros, Observation } from "@vedette/model";
import { Watermarks } from "./watermarks.ts";

export type KeyedDetector = PreparedDetector;

/** What pass 1 hands to pass 2, in log order. */
export type KeyedStep =
  | { readonly observe: Observation }
  | { readonly tick: Micros }
  /** Keys of single events beyond the bound on fan-out, left out in pass 1. */
  | { readonly capped: { readonly detector: string; readonly keys: number } }
  /** How far hosts have come in event time. */
  | { readonly advance: readonly (readonly [source: string, host: string, time: Micros, received: Micros])[] };

/** A claim that was shown, by the start of its window. */
interface Shown {
  readonly id: string;
  revision: number;
  /** Events counted when last shown: a growing episode is shown again each time it has doubled. */
  count: number;
  severity: string;
  /** Newest claim, shown or not; null once superseded. */
  latest: Claim;
}

/** One key's memory. Serialised as JSON in the checkpoint. */
interface KeyState {
  /** Folded up to `frontier`; nothing can change it. */
  final?: unknown;
  frontier: Micros;
  /** Not yet canonical, in order-key order. */
  pending: Observation[];
  shown: { [start: string]: Shown };
  evidence: EvidenceEvent[];
}
interface Entry extends KeyState {
  readonly detector: string;
  readonly key: string;
  /** `final` with `pending` folded in; rebuilt on load. */
  provisional: unknown;
  due: number;
}

/** Evidence in full for this many events of a key; the claims hold the ids of the rest. */
const maxEvidence = 20;
/** A key's short history is bounded; beyond it the oldest becomes canonical early. */
const maxPending = 4_096;
/** Width of the due buckets, µs. */
const bucket = 10_000_000;

export interface KeyedCounts {
  late: number;
  repeated: number;
  capped: number;
}

export class KeyedEngine {
  readonly watermarks: Watermarks;
  readonly counts: KeyedCounts = { late: 0, repeated: 0, capped: 0 };
  #detectors: ReadonlyMap<string, KeyedDetector>;
  readonly #lateness: Micros;
  readonly #entries = new Map<string, Entry>();
  readonly #due = new Map<number, Set<string>>();
  readonly #changed = new Set<string>();

  constructor(detectors: ReadonlyMap<string, KeyedDetector>, lateness: Micros, watermarks = new Watermarks()) {
    this.#detectors = detectors;
    this.#lateness = lateness;
    this.watermarks = watermarks;
  }

  get keys(): number {
    return this.#entries.size;
  }

  /** Goes over to another program: keys of detectors that changed start afresh. */
  adopt(detectors: ReadonlyMap<string, KeyedDetector>): void {
    for (const [id, entry] of this.#entries) {
      if (detectors.get(entry.detector)?.hash === this.#detectors.get(entry.detector)?.hash) continue;
      this.#entries.delete(id);
      this.#changed.add(id);
    }
    this.#detectors = detectors;
  }

  /** Takes pass 1's steps in log order; returns what became visible or canonical by them. */
  take(steps: readonly KeyedStep[]): Finding[] {
    const findings: Finding[] = [];
    for (const step of steps) {
      if ("observe" in step) findings.push(...this.observe(step.observe));
      else if ("advance" in step)
        for (const [source, host, time, received] of step.advance) this.watermarks.advance(source, host, time, received);
      else if ("capped" in step) this.counts.capped += step.capped.keys;
      else findings.push(...this.finalise(step.tick));
    }
    return findings;
  }

  /** Takes one observation, in log order; returns what became visible by it. */
  observe(o: Observation): readonly Finding[] {
    const detector = this.#detectors.get(o.detector);
    if (!detector) return [];
    const id = `${o.detector}\0${o.key}`;
    const entry = this.#entries.get(id) ?? this.#enter(id, o.detector, o.key);
    const mark = Math.max(o.seen, this.watermarks.of(o.source, o.host));
    const width = widthOf(detector);
    if (settlesAt(o, width) < mark - detector.lateness || (o.tally ? o.tally.start : o.time) < entry.frontier) {
      this.counts.late++;
      return [];
    }
    const same = o.tally
      ? entry.pending.findIndex((p) => p.tally?.start === o.tally!.start)
      : entry.pending.findIndex((p) => p.event === o.event);
    if (same >= 0 && !o.tally) {
      this.counts.repeated++;
      return [];
    }
    this.#changed.add(id);
    remember(entry, o, detector.spec);
    let claims: readonly Claim[];
    if (same >= 0) {
      entry.pending[same] = mergeTallies(entry.pending[same] as Tallied, o as Tallied, detector.spec.tally!, detector.config);
      claims = this.#refold(entry, detector);
    } else {
      let at = entry.pending.length;
      while (at > 0 && before(o, entry.pending[at - 1]!)) at--;
      entry.pending.splice(at, 0, o);
      if (at === entry.pending.length - 1) {
        const step = detector.spec.fold(inputOf(o), entry.provisional, detector.config);
        entry.provisional = step.state;
        claims = step.claims ?? [];
      } else claims = this.#refold(entry, detector);
    }
    if (entry.pending.length > maxPending) this.#settle(entry, detector, settlesAt(entry.pending[0]!, width));
    this.#schedule(id, entry, detector);
    return this.#show(entry, detector, claims, o);
  }

  /** Makes canonical what the watermark has passed; `wall` is a tick's, or Infinity at the end of a replay. */
  finalise(wall: Micros): readonly Finding[] {
    const passed = wall === Number.POSITIVE_INFINITY ? wall : this.watermarks.global(wall);
    const findings: Finding[] = [];
    for (const [slot, ids] of this.#due) {
      if (slot * bucket > passed - this.#lateness) continue;
      this.#due.delete(slot);
      for (const id of [...ids].sort()) {
        const entry = this.#entries.get(id);
        if (!entry || entry.due !== slot) continue;
        const detector = this.#detectors.get(entry.detector);
        if (!detector) continue;
        const mark = passed - detector.lateness;
        this.#settle(entry, detector, mark);
        this.#changed.add(id);
        if (entry.pending.length === 0 && (entry.final === undefined || detector.spec.expires(entry.final, detector.config) < mark)) {
          for (const start of Object.keys(entry.shown).sort()) {
            const shown = entry.shown[start]!;
            findings.push(this.#finding(entry, detector, { ...shown, revision: shown.revision + 1 }, true, undefined));
          }
          this.#entries.delete(id);
        } else this.#schedule(id, entry, detector);
      }
    }
    return findings;
  }

  /** Keys changed since the last call, serialised; undefined: forgotten. */
  drain(): { readonly shard: number; readonly key: string; readonly value: string | undefined }[] {
    const changed = [...this.#changed].map((id) => {
      const entry = this.#entries.get(id);
      const [detector, key] = [id.slice(0, id.indexOf("\0")), id.slice(id.indexOf("\0") + 1)];
      const state: KeyState | undefined = entry && {
        final: entry.final,
        frontier: entry.frontier,
        pending: entry.pending,
        shown: entry.shown,
        evidence: entry.evidence,
      };
      return { shard: shardOf(detector, key), key: id, value: state && JSON.stringify(state) };
    });
    this.#changed.clear();
    return changed;
  }

  restore(keys: readonly { readonly key: string; readonly value: string }[]): void {
    for (const { key: id, value } of keys) {
      const state = JSON.parse(value) as KeyState;
      const [name, key] = [id.slice(0, id.indexOf("\0")), id.slice(id.indexOf("\0") + 1)];
      const detector = this.#detectors.get(name);
      if (!detector) continue;
      const entry: Entry = { detector: name, key, provisional: undefined, due: -1, ...state };
      this.#refold(entry, detector);
      this.#entries.set(id, entry);
      this.#schedule(id, entry, detector);
    }
  }

  #enter(id: string, detector: string, key: string): Entry {
    const entry: Entry = {
      detector,
      key,
      frontier: Number.NEGATIVE_INFINITY,
      pending: [],
      shown: {},
      evidence: [],
      provisional: undefined,
      due: -1,
    };
    entry.frontier = -1e18; // JSON has no infinity
    this.#entries.set(id, entry);
    return entry;
  }

  /** Folds all pending from the canonical state; claims as a reader would see them: the newest of each window. */
  #refold(entry: Entry, detector: KeyedDetector): readonly Claim[] {
    const newest = new Map<Micros, Claim>();
    let state = entry.final;
    for (const p of entry.pending) {
      const step = detector.spec.fold(inputOf(p), state, detector.config);
      state = step.state;
      for (const c of step.claims ?? []) newest.set(c.window.start, c);
    }
    entry.provisional = state;
    return [...newest.values()];
  }

  #settle(entry: Entry, detector: KeyedDetector, mark: Micros): void {
    const width = widthOf(detector);
    let n = 0;
    while (n < entry.pending.length && settlesAt(entry.pending[n]!, width) <= mark) {
      const p = entry.pending[n++]!;
      entry.final = detector.spec.fold(inputOf(p), entry.final, detector.config).state;
      entry.frontier = settlesAt(p, width);
    }
    entry.pending.splice(0, n);
  }

  #schedule(id: string, entry: Entry, detector: KeyedDetector): void {
    const first = entry.pending[0];
    const time = first
      ? settlesAt(first, widthOf(detector))
      : entry.final === undefined
        ? 0
        : detector.spec.expires(entry.final, detector.config);
    const slot = Math.floor(time / bucket) + 1;
    if (entry.due === slot) return;
    this.#due.get(entry.due)?.delete(id);
    entry.due = slot;
    const ids = this.#due.get(slot);
    if (ids) ids.add(id);
    else this.#due.set(slot, new Set([id]));
  }

  #show(entry: Entry, detector: KeyedDetector, claims: readonly Claim[], o: Observation): readonly Finding[] {
    const findings: Finding[] = [];
    for (const claim of claims) {
      const start = String(claim.window.start);
      const shown = entry.shown[start];
      if (shown) {
        shown.latest = claim;
        if (claim.severity === shown.severity && claim.count < shown.count * 2) continue;
        shown.revision++;
        shown.count = claim.count;
        shown.severity = claim.severity;
        findings.push(this.#finding(entry, detector, shown, false, o));
        continue;
      }
      // an earlier event moved the window's start: the new claim replaces the one it overlaps
      const old = Object.entries(entry.shown).find(
        ([, s]) => claim.window.start <= s.latest.window.end && s.latest.window.start <= claim.window.end,
      );
      if (old) delete entry.shown[old[0]];
      const id = idOf(detector.spec.name, detector.hash, entry.key, claim.window.start);
      const now: Shown = { id, revision: 0, count: claim.count, severity: claim.severity, latest: claim };
      entry.shown[start] = now;
      findings.push(this.#finding(entry, detector, now, false, o, old?.[1].id));
    }
    return findings;
  }

  #finding(
    entry: Entry,
    detector: KeyedDetector,
    shown: Shown,
    canonical: boolean,
    o: Observation | undefined,
    supersedes?: string,
  ): Finding {
    const claim = shown.latest;
    return {
      id: shown.id,
      tenant: entry.key.slice(0, entry.key.indexOf("\0")),
      rule: { id: detector.spec.name, title: detector.spec.title, hash: detector.hash, kind: "detector" },
      severity: claim.severity,
      key: entry.key,
      window: claim.window,
      time: claim.window.end,
      events: claim.events,
      count: claim.count,
      entities: claim.entities,
      evidence: entry.evidence.filter((e) => claim.events.includes(e.id)).slice(0, 10),
      attack: claim.attack ?? [],
      summary: claim.summary,
      revision: shown.revision,
      ...(supersedes === undefined ? {} : { supersedes }),
      canonical,
      demo: entry.evidence[0]?.fields["vedette.demo"] === "true",
      received: o?.received ?? 0,
    };
  }
}

/** Keeps the first events of every claim and the newest of what may become one. */
function remember(entry: Entry, o: Observation, spec: DetectorSpec): void {
  entry.evidence.push(evidence(o, spec));
  if (entry.evidence.length <= maxEvidence) return;
  const claimed = new Set(Object.values(entry.shown).flatMap((s) => s.latest.events.slice(0, maxEvidence)));
  const at = entry.evidence.findIndex((e) => !claimed.has(e.id));
  entry.evidence.splice(at < 0 ? entry.evidence.length - 1 : at, 1);
}

const widthOf = ({ spec, config }: KeyedDetector): Micros => spec.tally?.bucket(config) ?? 0;
/** The event time after which nothing can change it: its own, or its bucket's end. */
const settlesAt = (o: Observation, width: Micros): Micros => (o.tally ? o.tally.start + width : o.time);

/** Order key: (time, source, sequence within the source); buckets of a key do not overlap. */
function before(a: Observation, b: Observation): boolean {
  if (a.tally && b.tally) return a.tally.start < b.tally.start;
  return a.time !== b.time ? a.time < b.time : a.source !== b.source ? a.source < b.source : a.seq < b.seq;
}

/** A detector's first two fields are what it counts and by what: they stand as the reason. */
function evidence(o: Observation, spec: DetectorSpec): EvidenceEvent {
  const fields: { [name: string]: string } = {};
  for (const name in o.fields) fields[name] = String(o.fields[name]).slice(0, 512);
  if (o.demo) fields["vedette.demo"] = "true";
  return {
    id: o.event,
    time: o.time,
    source: o.source,
    seq: o.seq,
    matches: spec.fields
      .slice(0, 2)
      .flatMap((field) => (o.fields[field] === undefined ? [] : [{ clause: "counted", field, value: String(o.fields[field]) }])),
    fields,
    original: o.original,
  };
}
