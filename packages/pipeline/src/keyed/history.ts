/**
 * One key's short history: what is settled as a state, what an earlier event may still precede as observations in order. Folds as little
 * again as it can. Knows nothing of findings.
 */
import { inputOf, mergeTallies, type PreparedDetector, type Tallied } from "@vedette/detect";
import type { Claim } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { before, earlier, type Held, type Place, placeOf, settlesAt, widthOf } from "./order.ts";

/** The newest claim about a window, and when its first was made. */
export interface Claimed {
  readonly claim: Claim;
  readonly first: Micros;
}
/** By the window's start: claims with the same start are one finding. */
export type Claims = Map<Micros, Claimed>;

/** What a history is in a checkpoint. */
export interface SavedHistory {
  readonly final?: unknown;
  readonly frontier?: Place;
  readonly pending: readonly Held[];
}

/** State and claims after the first `n` pending. */
interface Snapshot {
  readonly n: number;
  readonly state: unknown;
  readonly claims: Claims;
}

/** How far a fold need go back when an observation comes between others: more costs memory for hot keys, fewer time. */
const snapshotEvery = 64;
/** Beyond so many pending, telling repeats apart by a scan costs more than by a set. */
const scanAtMost = 32;

export class History {
  readonly pending: Held[];
  /** Folded up to here; nothing can change it. */
  final: unknown;
  frontier: Place | undefined;
  readonly #detector: PreparedDetector;
  readonly #key: string;
  /** `final` with `pending` folded in. */
  #state: unknown;
  #claims: Claims | undefined;
  #snapshots: Snapshot[] = [];
  #ids: Set<string> | undefined;
  /** Something came between others since the last fold: state and claims are those of before. */
  #stale = false;

  constructor(detector: PreparedDetector, key: string, saved?: SavedHistory) {
    this.#detector = detector;
    this.#key = key;
    this.pending = saved ? [...saved.pending] : [];
    this.final = saved?.final;
    this.frontier = saved?.frontier;
    this.#state = this.final;
    if (this.pending.length > 0) this.#fold();
  }

  get saved(): SavedHistory {
    return { final: this.final, ...(this.frontier && { frontier: this.frontier }), pending: this.pending };
  }
  /** All that the pending observations claim. */
  get claims(): ReadonlyMap<Micros, Claimed> {
    this.#refresh();
    return this.#claims ?? none;
  }

  /** For how long after the newest observation the state matters. */
  get reach(): Micros {
    this.#refresh();
    const newest = this.pending.at(-1)?.time ?? this.frontier?.[0];
    const { spec, config } = this.#detector;
    return this.#state === undefined || newest === undefined ? 0 : spec.expires(this.#state, config) - newest;
  }

  /** When the window of the settled state is over; Infinity where there is none. */
  get closes(): Micros {
    const { spec, config } = this.#detector;
    return (this.final === undefined ? undefined : spec.closes?.(this.final, config)) ?? Number.POSITIVE_INFINITY;
  }

  /** When the settled state has lapsed. */
  get expires(): Micros {
    const { spec, config } = this.#detector;
    return this.final === undefined ? Number.NEGATIVE_INFINITY : spec.expires(this.final, config);
  }

  /** @returns what it claims, or that `claims` are to be made anew, which is done when they are asked for; or why it was not taken */
  add(o: Held): { readonly claims: readonly Claim[] } | "anew" | "late" | "repeated" {
    if (this.frontier) {
      const place = placeOf(o);
      if (!earlier(this.frontier, place)) return !o.tally && place[3] === this.frontier[3] ? "repeated" : "late";
    }
    const { pending } = this;
    const same = o.tally ? pending.findLastIndex((p) => p.tally?.start === o.tally!.start) : -1;
    if (same >= 0) {
      const { spec, config } = this.#detector;
      pending[same] = mergeTallies(pending[same] as Tallied, o as Tallied, spec.tally!, config);
      this.#refoldFrom(same);
      return "anew";
    }
    if (!o.tally && this.#holds(o.event)) return "repeated";
    let at = pending.length;
    while (at > 0 && before(o, pending[at - 1]!)) at--;
    pending.splice(at, 0, o);
    this.#ids?.add(o.event);
    if (at === pending.length - 1 && !this.#stale) return { claims: this.#foldOne(o) };
    this.#refoldFrom(at);
    return "anew";
  }

  /** Takes back a provisional observation. @returns false when it is not there (any more) */
  remove(event: string): boolean {
    const at = this.pending.findIndex((p) => p.event === event);
    if (at < 0) return false;
    this.pending.splice(at, 1);
    this.#ids?.delete(event);
    this.#refoldFrom(at);
    return true;
  }

  /** Makes final a provisional observation. */
  confirm(event: string): void {
    const at = this.pending.findIndex((p) => p.event === event);
    if (at < 0) return;
    const { provisional: _provisional, ...final } = this.pending[at]!;
    this.pending[at] = final;
  }

  /** Settles what ends by `mark`. @returns the newest claims of what was settled */
  settle(mark: Micros): Claims | undefined {
    const width = widthOf(this.#detector);
    let n = 0;
    while (n < this.pending.length && settlesAt(this.pending[n]!, width) <= mark && !this.pending[n]!.provisional) n++;
    const settled = n === 0 ? undefined : this.#settleFirst(n);
    return this.pending.length > 0 ? settled : this.#close(mark, settled);
  }

  /** The window of the settled state is over, and nothing follows it that would have said so. */
  #close(mark: Micros, settled: Claims | undefined): Claims | undefined {
    const closed = closedBy(this.#detector, this.#key, this.final, mark);
    if (!closed) return settled;
    this.final = undefined;
    this.#state = undefined;
    this.frontier = closed.frontier;
    return closed.claims.length > 0 ? record(settled, closed.claims) : settled;
  }

  /** Settles the oldest whatever the watermark says: memory is bounded. */
  settleOldest(n: number): Claims | undefined {
    return this.#settleFirst(Math.min(n, this.pending.length));
  }

  /** Begins again from another settled state: the catch-up lane found what had been missed. */
  rebase(final: unknown, frontier: Place | undefined): void {
    this.final = final;
    this.frontier = frontier;
    this.#snapshots = [];
    this.#fold();
  }

  #holds(event: string): boolean {
    const { pending } = this;
    if (pending.length > scanAtMost) {
      this.#ids ??= new Set(pending.map((p) => p.event));
      return this.#ids.has(event);
    }
    for (let at = pending.length - 1; at >= 0; at--) if (pending[at]!.event === event) return true;
    return false;
  }

  #settleFirst(n: number): Claims | undefined {
    this.#refresh();
    const last = this.pending[n - 1]!;
    let settled: Claims | undefined;
    if (n === this.pending.length) {
      this.final = this.#state;
      settled = this.#claims;
      this.#claims = undefined;
      this.#snapshots = [];
      this.pending.length = 0;
      this.#ids = undefined;
    } else {
      const from = this.#snapshots.findLast((s) => s.n <= n);
      const folded = fold(this.#detector, this.pending.slice(from?.n ?? 0, n), from?.state ?? this.final, from && new Map(from.claims));
      this.final = folded.state;
      settled = folded.claims;
      for (const p of this.pending.splice(0, n)) this.#ids?.delete(p.event);
      this.#snapshots = this.#snapshots
        .filter((s) => s.n > n)
        .map((s) => ({ n: s.n - n, state: s.state, claims: this.#open(s.claims, last.time) ?? new Map() }));
      this.#claims = this.#open(this.#claims, last.time);
    }
    this.frontier = placeOf(last);
    return settled && settled.size > 0 ? settled : undefined;
  }

  /** Claims that pending observations made: those of settled ones end by the frontier, or before it where the next observation makes them. */
  #open(claims: Claims | undefined, frontier: Micros): Claims | undefined {
    const after = this.#detector.spec.closes !== undefined;
    const left = [...(claims ?? [])].filter(
      ([
        ,
        {
          claim: { window },
        },
      ]) => window.end > frontier || (after && window.end === frontier),
    );
    return left.length > 0 ? new Map(left) : undefined;
  }

  #foldOne(o: Held): readonly Claim[] {
    const { spec, config } = this.#detector;
    const step = spec.fold(inputOf(o), this.#state, config);
    this.#state = step.state;
    if (step.claims && step.claims.length > 0) this.#claims = record(this.#claims, step.claims);
    if (this.pending.length % snapshotEvery === 0)
      this.#snapshots.push({ n: this.pending.length, state: this.#state, claims: new Map(this.#claims) });
    return step.claims ?? nothing;
  }

  #refoldFrom(at: number): void {
    while (this.#snapshots.length > 0 && this.#snapshots.at(-1)!.n > at) this.#snapshots.pop();
    this.#stale = true;
  }

  #refresh(): void {
    if (this.#stale) this.#fold();
  }

  #fold(): void {
    this.#stale = false;
    const from = this.#snapshots.at(-1);
    const { pending } = this;
    this.#state = from ? from.state : this.final;
    this.#claims = from && new Map(from.claims);
    for (let i = from?.n ?? 0; i < pending.length; i++) {
      const { spec, config } = this.#detector;
      const step = spec.fold(inputOf(pending[i]!), this.#state, config);
      this.#state = step.state;
      if (step.claims && step.claims.length > 0) this.#claims = record(this.#claims, step.claims);
      if ((i + 1) % snapshotEvery === 0) this.#snapshots.push({ n: i + 1, state: this.#state, claims: new Map(this.#claims) });
    }
  }
}

const none: ReadonlyMap<Micros, Claimed> = new Map();
const nothing: readonly Claim[] = [];

/** Folds observations in order. */
export function fold(
  { spec, config }: PreparedDetector,
  observations: readonly Held[],
  state: unknown,
  claims?: Claims,
): { readonly state: unknown; readonly claims: Claims | undefined } {
  let known = claims;
  for (const o of observations) {
    const step = spec.fold(inputOf(o), state, config);
    state = step.state;
    if (step.claims && step.claims.length > 0) known = record(known, step.claims);
  }
  return { state, claims: known };
}

/** Folds what is settled: a window that is over by `mark` says its last word, and nothing of its time can come any more. */
export function foldSettled(
  detector: PreparedDetector,
  key: string,
  observations: readonly Held[],
  mark: Micros,
): { readonly state: unknown; readonly claims: Claims; readonly frontier?: Place } {
  const { state, claims = new Map() } = fold(detector, observations, undefined);
  const closed = closedBy(detector, key, state, mark);
  return closed ? { state: undefined, claims: record(claims, closed.claims), frontier: closed.frontier } : { state, claims };
}

function closedBy(
  { spec, config }: PreparedDetector,
  key: string,
  state: unknown,
  mark: Micros,
): { readonly claims: readonly Claim[]; readonly frontier: Place } | undefined {
  const end = state === undefined ? undefined : spec.closes?.(state, config);
  if (end === undefined || end > mark) return undefined;
  return { claims: spec.close!(state, key.slice(key.indexOf("\0") + 1), config), frontier: [end, "\uffff", 0, ""] };
}

function record(known: Claims | undefined, claims: readonly Claim[]): Claims {
  const all = known ?? new Map();
  for (const claim of claims) {
    const { start, end } = claim.window;
    all.set(start, { claim, first: all.get(start)?.first ?? end });
  }
  return all;
}
