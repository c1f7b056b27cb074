/** The order in which a key's observations are folded, and when one can no longer change. Knows no detector's meaning. */
import type { PreparedDetector } from "@vedette/detect";
import type { Micros, Observation } from "@vedette/model";

/** Order key (time, source, sequence within the source); the event's id as the last resort: parts of one record share the rest. */
export type Place = readonly [time: Micros, source: string, seq: number, event: string];

/** An observation as a key's history holds it. */
export interface Held extends Observation {
  /** Made of a claim that may still be withdrawn: what follows it stays open too. */
  readonly provisional?: true;
}

/** A bucket stands where it begins, whatever events it holds: buckets of a key do not overlap. */
export const placeOf = (o: Observation): Place => (o.tally ? [o.tally.start, "", 0, ""] : [o.time, o.source, o.seq, o.event]);

export function earlier(a: Place, b: Place): boolean {
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return a[2] !== b[2] ? a[2] < b[2] : a[3] < b[3];
}

export function before(a: Observation, b: Observation): boolean {
  const [s, t] = [a.tally ? a.tally.start : a.time, b.tally ? b.tally.start : b.time];
  return s !== t ? s < t : !a.tally && earlier(placeOf(a), placeOf(b));
}

/** Width of the detector's buckets, 0 where it does not tally. */
export const widthOf = ({ spec, config }: PreparedDetector): Micros => spec.tally?.bucket(config) ?? 0;

/** The event time after which nothing can change it: its own, or its bucket's end. */
export const settlesAt = (o: Observation, width: Micros): Micros => (o.tally ? o.tally.start + width : o.time);
