/**
 * One key of one detector: its history, what was shown of its claims, and the findings that come of both. A claim is shown at once, amended
 * while it grows, superseded or withdrawn when an earlier event proves it wrong, canonical once nothing can change it any more.
 */
import { carriedEvents, carriedPlace, type PreparedDetector } from "@vedette/detect";
import { type Claim, idOf } from "@vedette/kit";
import type { EvidenceEvent, Finding, Micros, Observation } from "@vedette/model";
import type { Origin } from "../watermarks.ts";
import { type Claims, History, type SavedHistory } from "./history.ts";
import { type Held, widthOf } from "./order.ts";

/** A claim that was shown, by the start of its window. */
export interface Shown {
  readonly id: string;
  revision: number;
  /** Events counted when last shown: a growing episode is shown again each time it has doubled. */
  count: number;
  severity: string;
  end: Micros;
  /** Newest claim by all that is known; gone once canonical and over. */
  latest?: Claim | undefined;
  /** Newest claim by what is settled. */
  settled?: Claim | undefined;
  /** When the first claim of the window was made, once that is settled. */
  first?: Micros;
  /** Nothing claims it any longer: to be superseded, or withdrawn when the last word is spoken. */
  orphan?: true | undefined;
  /** Its canonical finding is out, with this summary. */
  done?: string | undefined;
  /** Raised or amended by an event that came later than the lateness. */
  late?: true;
  /** What detectors that follow this one were told. */
  told?: Told | undefined;
}
export interface Told {
  readonly first: Micros;
  readonly final: boolean;
  readonly keys: readonly (readonly [detector: string, key: string])[];
}

/** A key in a checkpoint, as JSON; docs/format/state.md. */
export interface SavedKey extends SavedHistory {
  readonly format: 2;
  readonly hash: string;
  readonly shown: { readonly [start: string]: Shown };
  /** Revisions of windows that were superseded or withdrawn: should they come back, they go on from there. */
  readonly past?: { readonly [start: string]: number };
  readonly evidence: readonly EvidenceEvent[];
  readonly from?: Origin | undefined;
}

/** Evidence in full for this many events of a key; the claims hold the ids of the rest. */
const maxEvidence = 20;
/** A longer history is not folded again for each observation that comes between others, but once for all of a job: a hot key has hundreds. */
const refoldAtOnce = 64;
/** A key's short history is bounded; beyond it the oldest becomes canonical early, counted as `crowded`. */
export const maxPending = 4_096;
/** An episode is canonical so long after its last event (of event time, beyond the lateness) even if its key lives on. */
const overAfter: Micros = 600_000_000;
/** Windows of one key that are over are remembered for amendments from the catch-up lane; the oldest are let go. */
const maxOver = 32;

export class Key {
  readonly detector: PreparedDetector;
  /** Tenant, NUL, what the detector counts by. */
  readonly key: string;
  readonly history: History;
  readonly shown: { [start: string]: Shown };
  readonly past: { [start: string]: number };
  readonly evidence: EvidenceEvent[];
  /** Whose observation came last: while that one is active its key waits for it, however far behind the others it is. */
  from: Origin | undefined;
  /** Slot in which something may become canonical or be forgotten. */
  due = -1;
  /** Is among those that the next checkpoint writes. */
  changed = false;
  /** Made once: it takes a hash. */
  shard: number | undefined;
  /** Size in the last checkpoint. */
  bytes = 0;
  /** The newest observation since the last look at what a long history comes to. */
  #unseen: Observation | undefined;
  /** The first event of the only claim whose first events all evidence is. */
  #begun: string | undefined;
  /** Findings that followers were told of and that are no more. */
  gone: { readonly id: string; readonly told: Told }[] = [];

  constructor(detector: PreparedDetector, key: string, saved?: SavedKey) {
    this.detector = detector;
    this.key = key;
    this.shown = saved ? { ...saved.shown } : {};
    this.past = { ...saved?.past };
    this.evidence = saved ? [...saved.evidence] : [];
    this.from = saved?.from;
    this.history = new History(detector, key, saved);
    if (!saved) return;
    for (const [start, { claim }] of this.history.claims) {
      const shown = this.shown[start];
      if (shown) shown.latest = claim;
    }
    for (const shown of Object.values(this.shown)) shown.latest ??= shown.settled;
  }

  saved(): SavedKey {
    const shown: { [start: string]: Shown } = {};
    for (const start in this.shown) {
      const { latest, ...rest } = this.shown[start]!;
      // what a fold of the pending observations gives again is not written
      shown[start] = rest.orphan ? { ...rest, latest } : rest;
    }
    return { format: 2, hash: this.detector.hash, ...this.history.saved, shown, past: this.past, evidence: this.evidence, from: this.from };
  }

  /** @returns what became visible by it; that `review` is to tell; or why it was not taken */
  observe(o: Held): readonly Finding[] | "anew" | "late" | "repeated" {
    const added = this.history.add(o.original === "" && o.stream === "" ? o : { ...o, original: "", stream: "" });
    if (added === "late" || added === "repeated") return added;
    const { source, stream, host } = o;
    if (host !== "" && (this.from?.[0] !== source || this.from[1] !== stream || this.from[2] !== host)) this.from = [source, stream, host];
    this.#remember(o);
    if (added === "anew") {
      if (this.history.pending.length <= refoldAtOnce) return this.review(o);
      this.#unseen = o;
      return added;
    }
    return added.claims.length === 0 ? none : this.#show(added.claims, o);
  }

  /**
   * Shows what differs after the history was folded again.
   * @param late where it was for events that came too late: above every revision a window can have been shown with before
   */
  review(o = this.#unseen, late?: number): readonly Finding[] {
    this.#unseen = undefined;
    const { claims } = this.history;
    for (const start in this.shown) {
      const shown = this.shown[start]!;
      if (shown.done !== undefined || claims.has(Number(start))) continue;
      if (shown.settled) shown.latest = shown.settled;
      else shown.orphan = true;
    }
    return this.#show(
      [...claims.values()].map(({ claim }) => claim),
      o,
      late,
    );
  }

  /** Settles what the watermark has passed. */
  settle(mark: Micros): void {
    this.#settled(this.history.settle(mark));
  }
  /** @returns whether the bound on a key's history made it settle early */
  crowd(): boolean {
    const over = this.history.pending.length - maxPending;
    if (over > 0) this.#settled(this.history.settleOldest(over));
    return over > 0;
  }

  /** The time after which the key is forgotten, or undefined while something is open. */
  expires(): Micros | undefined {
    if (this.history.pending.length > 0) return undefined;
    // a bucket that begins in time may end so much later
    return this.history.expires + widthOf(this.detector);
  }

  /** The last word on what nothing can change any more; on everything when the key is forgotten. */
  conclude(mark: Micros, forgotten: boolean): readonly Finding[] {
    const findings: Finding[] = [];
    const { pending, frontier } = this.history;
    for (const start of Object.keys(this.shown).sort()) {
      const shown = this.shown[start]!;
      if (shown.orphan) {
        if (!forgotten && pending.length > 0 && (frontier?.[0] ?? Number.NEGATIVE_INFINITY) < shown.end) continue;
        shown.revision++;
        findings.push(this.finding(shown, { canonical: true, withdrawn: true }));
        this.drop(start);
      } else if (shown.settled && shown.done === undefined && (forgotten || shown.settled.window.end + overAfter < mark)) {
        shown.latest = shown.settled;
        shown.revision++;
        findings.push(this.finding(shown, { canonical: true }));
        shown.count = shown.settled.count;
        shown.severity = shown.settled.severity;
        shown.end = shown.settled.window.end;
        shown.done = shown.settled.summary;
        shown.latest = undefined;
        shown.settled = undefined;
      }
    }
    const over = Object.keys(this.shown).filter((start) => this.shown[start]!.done !== undefined);
    for (const start of over.slice(0, Math.max(0, over.length - maxOver))) delete this.shown[start];
    const past = Object.keys(this.past);
    for (const start of past.slice(0, Math.max(0, past.length - maxOver))) delete this.past[start];
    return findings;
  }

  /** The earliest time at which `conclude` has something to say although the key lives on. */
  concludes(): Micros | undefined {
    let first: Micros | undefined;
    for (const start in this.shown) {
      const { settled, orphan, done, end } = this.shown[start]!;
      if (done !== undefined || (!settled && !orphan)) continue;
      const at = settled ? settled.window.end + overAfter : end;
      if (first === undefined || at < first) first = at;
    }
    return first;
  }

  #settled(claims: Claims | undefined): void {
    for (const [start, { claim, first }] of claims ?? []) {
      const shown = this.shown[start] ?? this.enter(claim);
      if (shown.done === claim.summary && shown.count === claim.count && shown.severity === claim.severity) continue;
      shown.settled = claim;
      shown.latest ??= claim;
      shown.first ??= first;
      shown.orphan = undefined;
      shown.done = undefined;
    }
  }

  /** A window that nothing was shown of yet. */
  enter(claim: Claim): Shown {
    const { spec, hash } = this.detector;
    const id = idOf(spec.name, hash, this.key, claim.window.start);
    const revision = (this.past[claim.window.start] ?? -1) + 1;
    const now: Shown = { id, revision, count: claim.count, severity: claim.severity, end: claim.window.end, latest: claim };
    this.shown[claim.window.start] = now;
    return now;
  }

  #show(claims: readonly Claim[], o?: Observation, late?: number): readonly Finding[] {
    const findings: Finding[] = [];
    for (const claim of claims) {
      const shown = this.shown[claim.window.start];
      if (!shown) {
        const replaced = this.#replaced(claim);
        const now = this.enter(claim);
        if (late !== undefined) {
          now.late = true;
          now.revision = Math.max(now.revision, late);
        }
        findings.push(this.finding(now, { o, supersedes: replaced?.id }));
        continue;
      }
      if (shown.done === claim.summary && claim.count === shown.count && claim.severity === shown.severity) continue;
      shown.latest = claim;
      shown.orphan = undefined;
      if (late !== undefined) shown.late = true;
      // a growing episode is shown again each time it has doubled
      if (claim.severity === shown.severity && claim.count < shown.count * 2 && late === undefined) continue;
      if (late !== undefined && claim.severity === shown.severity && claim.count === shown.count && claim.window.end === shown.end)
        continue;
      shown.revision++;
      shown.count = claim.count;
      shown.severity = claim.severity;
      shown.end = claim.window.end;
      shown.done = undefined;
      findings.push(this.finding(shown, { o }));
    }
    return findings;
  }

  /** An earlier event moved the window's start: the new claim takes the place of the one it overlaps. */
  #replaced(claim: Claim): Shown | undefined {
    const start = Object.keys(this.shown).find((s) => {
      const { orphan, latest } = this.shown[s]!;
      return orphan && latest && claim.window.start <= latest.window.end && latest.window.start <= claim.window.end;
    });
    if (start === undefined) return undefined;
    return this.drop(start);
  }

  drop(start: string): Shown {
    const shown = this.shown[start]!;
    this.past[start] = shown.revision;
    delete this.shown[start];
    if (shown.told) this.gone.push({ id: shown.id, told: shown.told });
    return shown;
  }

  /** Keeps the first events of every claim and the newest of what may become one. */
  #remember(o: Observation): void {
    // an episode that goes on: its claim began with the same events when the last one found no place among them
    if (this.#begun !== undefined && this.#begun === this.#only()?.events[0]) return;
    this.evidence.push(evidenceFor(o, this.detector));
    if (this.evidence.length <= maxEvidence) return;
    const claimed = new Set(Object.values(this.shown).flatMap((s) => (s.latest?.events ?? []).slice(0, maxEvidence)));
    const at = this.evidence.findIndex((e) => !claimed.has(e.id));
    this.#begun = at === maxEvidence ? this.#only()?.events[0] : undefined;
    this.evidence.splice(at < 0 ? this.evidence.length - 1 : at, 1);
  }

  /** The one claim that is shown, or undefined where there are several or none. */
  #only(): Claim | undefined {
    let only: Shown | undefined;
    for (const start in this.shown) {
      if (only !== undefined) return undefined;
      only = this.shown[start];
    }
    return only?.latest;
  }

  finding(
    shown: Shown,
    how: {
      readonly canonical?: boolean;
      readonly withdrawn?: true;
      readonly supersedes?: string | undefined;
      readonly o?: Observation | undefined;
    },
  ): Finding {
    const claim = shown.latest!;
    const { spec, hash, kind, shadow } = this.detector;
    return {
      id: shown.id,
      tenant: this.key.slice(0, this.key.indexOf("\0")),
      rule: { id: spec.name, title: spec.title, hash, kind: kind ?? "detector" },
      severity: claim.severity,
      key: this.key,
      window: claim.window,
      time: claim.window.end,
      events: claim.events,
      count: claim.count,
      entities: claim.entities,
      evidence: withReasons(this.evidence.filter((e) => claim.events.includes(e.id)).slice(0, 10), claim),
      attack: claim.attack ?? [],
      summary: claim.summary,
      revision: shown.revision,
      ...(how.supersedes === undefined ? {} : { supersedes: how.supersedes }),
      canonical: how.canonical ?? false,
      ...(how.withdrawn && { withdrawn: true as const }),
      ...(shown.late && { late: true as const }),
      ...(shadow && { shadow }),
      demo: this.evidence[0]?.fields["vedette.demo"] === "true",
      received: how.o?.received ?? 0,
    };
  }
}

const none: readonly Finding[] = [];

/** Reasons that an alert shows of one claim. */
const maxReasons = 32;

/** What the claim says for itself stands with the first event of its evidence. */
function withReasons(evidence: readonly EvidenceEvent[], { matches }: Claim): readonly EvidenceEvent[] {
  const [first, ...rest] = evidence;
  return first && matches ? [{ ...first, matches: matches.slice(0, maxReasons) }, ...rest] : evidence;
}

/** A detector's first two fields are what it counts and by what: they stand as the reason. */
function evidenceFor(o: Observation, { spec }: PreparedDetector): EvidenceEvent {
  const fields: { [name: string]: string } = {};
  for (const name in o.fields) if (name !== carriedEvents && name !== carriedPlace) fields[name] = String(o.fields[name]).slice(0, 512);
  const matches: EvidenceEvent["matches"][number][] = [];
  for (const field of spec.fields.slice(0, 2)) {
    const value = o.fields[field];
    if (value !== undefined) matches.push({ clause: "counted", field, value: String(value) });
  }
  if (o.demo) fields["vedette.demo"] = "true";
  const { [carriedEvents]: carried, [carriedPlace]: place } = o.fields;
  const [source, seq] = o.source === "" && Array.isArray(place) ? [String(place[0]), Number(place[1])] : [o.source, o.seq];
  return {
    // a claim of a first step names the events that it is made of
    id: o.source === "" && Array.isArray(carried) ? String(carried[0]) : o.event,
    time: o.tally ? o.tally.sample[0]![0] : o.time,
    source,
    seq,
    matches,
    fields,
    original: o.original,
  };
}
