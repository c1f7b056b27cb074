/** Folds a key again with the events that came too late for it, and shows what that changes and nothing else. Knows no store. */
import type { Claim } from "@vedette/kit";
import type { Finding, Micros } from "@vedette/model";
import { type Claimed, foldSettled } from "./history.ts";
import type { Key } from "./key.ts";
import { earlier, type Held, placeOf } from "./order.ts";

/** A key's observations around its late events, in order, none twice. */
export interface Around {
  /** Without the late ones: what had been folded. */
  readonly base: readonly Held[];
  /** With them. */
  readonly all: readonly Held[];
  /** The late ones alone. */
  readonly missed: readonly Held[];
}

/**
 * @param key as it is, or a new one where it had been forgotten
 * @param mark everything up to here was settled before a key was forgotten
 * @param revision above every revision that a forgotten window can have been shown with
 */
export function catchUp(key: Key, { base, all, missed }: Around, mark: Micros, revision: number): readonly Finding[] {
  const { detector, history } = key;
  const first = history.pending[0];
  const settled = (o: Held): boolean => {
    const place = placeOf(o);
    if (history.frontier) return !earlier(history.frontier, place);
    return first === undefined || earlier(place, placeOf(first));
  };
  const findings: Finding[] = [];
  const still = missed.filter((o) => !settled(o));
  if (still.length < missed.length) {
    // a window is over when the watermark is past it, nothing of it is still open, and the key has said so
    const over = Math.min(mark, ...[first, still[0]].map((o) => (o === undefined ? mark : placeOf(o)[0] - 1)), history.closes - 1);
    const was = foldSettled(detector, key.key, base.filter(settled), over);
    const past = all.filter(settled);
    const now = foldSettled(detector, key.key, past, over);
    const last = now.frontier ?? placeOf(past.at(-1)!);
    const { frontier } = history;
    // of a key that was forgotten, what else comes from before may have neighbours that only the store knows
    if (!frontier) history.rebase(now.state, last[0] < over ? [over, "", -1, ""] : last);
    else if (!earlier(last, frontier) || was.frontier?.[0] === frontier[0]) history.rebase(now.state, last);
    // what was settled after a pause in which all memory lapsed stands on its own
    else if (same(was.state, history.final) || history.expires < last[0]) history.rebase(now.state, frontier);
    findings.push(...amend(key, was.claims, now.claims, revision));
  }
  // what is still open takes them as if they had come in time
  for (const o of still) history.add(o);
  return [...findings, ...key.review(undefined, revision)];
}

function amend(key: Key, was: ReadonlyMap<Micros, Claimed>, is: ReadonlyMap<Micros, Claimed>, revision: number): readonly Finding[] {
  const findings: Finding[] = [];
  const gone = new Map([...was].filter(([start]) => !is.has(start)));
  for (const [start, { claim, first }] of is) {
    const before = was.get(start)?.claim;
    const known = key.shown[start];
    if (before && same(before, claim)) {
      // told already: only remembered, so that what follows amends it
      if (!known) Object.assign(key.enter(claim), { done: claim.summary, latest: undefined, first, revision });
      else if (known.done === undefined) Object.assign(known, { settled: claim, first: known.first ?? first });
      continue;
    }
    const replaced = before ? undefined : [...gone].find(([, old]) => overlap(old.claim, claim));
    let supersedes: string | undefined;
    if (replaced) {
      gone.delete(replaced[0]);
      supersedes = (key.shown[replaced[0]] ?? key.enter(replaced[1].claim)).id;
      key.drop(String(replaced[0]));
    }
    const shown = known ?? key.enter(claim);
    shown.revision = known ? known.revision + 1 : Math.max(shown.revision, revision);
    Object.assign(shown, { latest: claim, settled: claim, late: true, orphan: undefined, done: undefined });
    Object.assign(shown, { count: claim.count, severity: claim.severity, end: claim.window.end });
    shown.first ??= first;
    findings.push(key.finding(shown, { supersedes }));
  }
  for (const [start, { claim }] of gone) {
    const shown = key.shown[start] ?? key.enter(claim);
    Object.assign(shown, { latest: claim, late: true, revision: Math.max(shown.revision + 1, revision) });
    findings.push(key.finding(shown, { canonical: true, withdrawn: true }));
    key.drop(String(start));
  }
  return findings;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const overlap = (a: Claim, b: Claim): boolean => a.window.start <= b.window.end && b.window.start <= a.window.end;
