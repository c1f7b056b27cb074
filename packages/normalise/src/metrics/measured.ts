/** Gathers a record's samples within bounds, and says what was left out. Knows no protocol. */
import type { Skip } from "@vedette/kit";
import type { Micros, Sample, SampleKind } from "@vedette/model";

/** Prometheus' own `label_limit` and length limits are set to some 30 to 64 and 1,024 where people set them. */
const maxLabels = 64;
const maxName = 256;
const maxValue = 1_024;
/** Samples of one record; receivers cut records of 64 KiB, in which fewer fit. */
const maxSamples = 100_000;

export type Labels = readonly (readonly [name: string, value: string])[];

/** Sorted, bounded, none empty; of two with one name the later counts. */
export function labelsOf(pairs: Iterable<readonly [string, string]>): Labels {
  const labels = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === "" || value === "") continue;
    if (labels.size >= maxLabels && !labels.has(name)) break;
    labels.set(name.slice(0, maxName), value.slice(0, maxValue));
  }
  return [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The same with more, which win. */
export const withLabels = (labels: Labels, ...more: Labels): Labels => labelsOf([...labels, ...more]);

export class Measured {
  readonly #samples: Sample[] = [];
  readonly #dropped: { [reason: string]: number } = {};

  add(name: string, labels: Labels, time: Micros | undefined, value: number, kind: SampleKind): void {
    if (name === "") this.drop("unnamed");
    else if (time === undefined || !Number.isSafeInteger(time)) this.drop("no_time");
    // a staleness marker is one too: it says that a series has ended
    else if (!Number.isFinite(value)) this.drop("not_a_number");
    else if (this.#samples.length >= maxSamples) this.drop("too_many");
    else this.#samples.push({ name: name.slice(0, maxName), labels, time, value, kind });
  }
  drop(reason: string, count = 1): void {
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
  }

  done(): Skip {
    return { skip: "empty", samples: this.#samples, dropped: this.#dropped };
  }
}

/** Names of counters by the conventions of Prometheus, where nobody says what a series is. */
export const kindOfName = (name: string): SampleKind => (/_(?:total|count|sum|bucket)$/.test(name) ? "counter" : "gauge");

/** Upper bounds as Prometheus writes them. */
export const boundText = (bound: number): string => (bound === Number.POSITIVE_INFINITY ? "+Inf" : String(bound));
