/** Which detectors observe the claims of which others, and what they see of a claim. Knows no state. */
import { carriedPlace, fieldsOfClaim, type PreparedDetector } from "@vedette/detect";
import { ConfigError, newFields } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { Key, Shown } from "./key.ts";
import { type Held, widthOf } from "./order.ts";

/** Claims about claims about claims: nobody can follow more, and each level costs a walk over what is due. */
const maxDepth = 8;
/** Keys of one claim for one follower, as of one event. */
const maxKeys = 16;

export class Chain {
  /** By name: detectors that follow it. */
  readonly followers: ReadonlyMap<string, readonly PreparedDetector[]>;
  /** Of the longest chain. */
  readonly depth: number;
  /** Longest way from the events to the detector; 0 for those that follow nobody. */
  readonly #levels = new Map<string, number>();
  /** How far behind the watermark a detector settles: its own lateness, and what those it follows need before their claims are final. */
  readonly #lags = new Map<string, Micros>();
  readonly #detectors: ReadonlyMap<string, PreparedDetector>;

  /** @throws ConfigError `detector_cycle` */
  constructor(detectors: ReadonlyMap<string, PreparedDetector>) {
    this.#detectors = detectors;
    const followers = new Map<string, PreparedDetector[]>();
    for (const detector of detectors.values()) {
      this.#place(detector, []);
      for (const name of detector.spec.follows ?? []) followers.set(name, [...(followers.get(name) ?? []), detector]);
    }
    this.followers = followers;
    this.depth = Math.max(0, ...this.#levels.values());
  }

  level(detector: string): number {
    return this.#levels.get(detector) ?? 0;
  }
  lag(detector: PreparedDetector): Micros {
    return this.#lags.get(detector.spec.name) ?? detector.lateness;
  }

  #place(detector: PreparedDetector, path: readonly string[]): void {
    const { name, follows = [] } = detector.spec;
    if (path.includes(name) || path.length > maxDepth)
      throw new ConfigError(
        "detector_cycle",
        `${[...path, name].join(" → ")}: detectors follow each other in a circle, or more than ${maxDepth} deep`,
      );
    if (this.#levels.has(name)) return;
    let [level, lag] = [0, detector.lateness];
    for (const followed of follows) {
      const other = this.#detectors.get(followed);
      if (!other) continue;
      this.#place(other, [...path, name]);
      level = Math.max(level, this.#levels.get(followed)! + 1);
      lag = Math.max(lag, this.#lags.get(followed)! + widthOf(other));
    }
    this.#levels.set(name, level);
    this.#lags.set(name, lag);
  }
}

/** What a follower sees of a claim: one observation for each of its keys. */
export function observationsOf(key: Key, shown: Shown, first: Micros, final: boolean, follower: PreparedDetector): readonly Held[] {
  const { spec, config } = follower;
  const claim = (shown.latest ?? shown.settled)!;
  const fields = fieldsOfClaim(key.detector, claim);
  const found = spec.key(fields, config);
  if (found === undefined) return [];
  const tenant = key.key.slice(0, key.key.indexOf("\0"));
  const projected = newFields();
  for (const name of spec.fields) if (fields[name] !== undefined) projected[name] = fields[name];
  const { id, received, demo } = key.finding(shown, {});
  // of a first step nothing is shown: the second shows what it saw, and where
  const seen = key.detector.silent ? key.evidence.find((one) => claim.events.includes(one.id)) : undefined;
  if (seen !== undefined) projected[carriedPlace] = [seen.source, String(seen.seq)];
  return [...new Set(typeof found === "string" ? [found] : found.slice(0, maxKeys))].map((one) => ({
    detector: spec.name,
    key: `${tenant}\0${one}`,
    time: first,
    source: "",
    seq: 0,
    stream: "",
    host: "",
    event: id,
    received,
    demo,
    seen: Number.NEGATIVE_INFINITY,
    fields: projected,
    original: (seen?.original ?? claim.summary).slice(0, 512),
    ...(final ? {} : { provisional: true as const }),
  }));
}
