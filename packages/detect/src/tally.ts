/** Sums up events of a key per bucket of event time. Commutative and associative, so that batches and workers decide nothing. Knows no detector. */
import type { KeyedInput, TallySpec } from "@vedette/kit";
import type { Event, Fields, Micros, Observation, Tally } from "@vedette/model";

/** Event ids a bucket keeps for the evidence: an alert shows at most ten events of a finding. */
const maxSample = 10;
/** Characters of the original line an observation carries. */
export const maxOriginal = 512;

export type Tallied = Observation & { readonly tally: Tally };
type Place = Tally["sample"][number];

/** Order key, the id as the last resort: parts of one record share time and sequence number. */
function earlier(a: Place, b: Place): boolean {
  if (a[4] !== b[4]) return a[4] === 1;
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return a[2] !== b[2] ? a[2] < b[2] : a[3] < b[3];
}

function insert(sample: Place[], place: Place): void {
  let at = sample.length;
  if (at === maxSample && earlier(sample[at - 1]!, place)) return;
  while (at > 0 && earlier(place, sample[at - 1]!)) at--;
  sample.splice(at, 0, place);
  if (sample.length > maxSample) sample.pop();
}

export const placeOf = (event: Event, spec: TallySpec): Place =>
  spec.stands?.(event.fields) ? [event.time, event.source, event.seq, event.id, 1] : [event.time, event.source, event.seq, event.id];

/** One bucket while it fills. */
export class Bucket {
  readonly start: Micros;
  readonly #seq: number;
  #last: number;
  /** What of `observation()` is the oldest event's. */
  #oldest: Omit<Observation, "time" | "tally" | "demo" | "received">;
  #time: Micros;
  #received: Micros;
  #demo: boolean;
  #count: number;
  #value: unknown;
  readonly #sample: Place[];

  /** @param o a tallied observation, which the bucket takes over */
  constructor(o: Tallied) {
    const { time, received, demo, tally, ...oldest } = o;
    this.start = tally.start;
    this.#seq = tally.seq;
    this.#last = tally.last;
    this.#oldest = oldest;
    this.#time = time;
    this.#received = received;
    this.#demo = demo;
    this.#count = tally.count;
    this.#value = tally.value;
    this.#sample = [...tally.sample];
  }

  /** @param fields the event's projected fields, asked for only if it is the oldest now */
  add(event: Event, demo: boolean, spec: TallySpec, config: unknown, fields: () => Fields): void {
    const place = placeOf(event, spec);
    if (earlier(place, this.#sample[0]!)) {
      const original = event.original.slice(0, maxOriginal);
      this.#oldest = {
        ...this.#oldest,
        source: event.source,
        seq: event.seq,
        host: event.host,
        event: event.id,
        fields: fields(),
        original,
      };
    }
    insert(this.#sample, place);
    this.#value = spec.merge(this.#value, spec.of(event.fields, event.time, config, event.id), config);
    this.#last = event.seq;
    this.#more(1, event.time, event.received, demo);
  }

  merge(o: Tallied, spec: TallySpec, config: unknown): void {
    if (earlier(o.tally.sample[0]!, this.#sample[0]!)) {
      const { time: _time, received: _received, demo: _demo, tally: _tally, ...oldest } = o;
      this.#oldest = oldest;
    }
    for (const place of o.tally.sample) insert(this.#sample, place);
    this.#value = spec.merge(this.#value, o.tally.value, config);
    this.#more(o.tally.count, o.time, o.received, o.demo);
  }

  #more(count: number, time: Micros, received: Micros, demo: boolean): void {
    this.#count += count;
    if (time > this.#time) this.#time = time;
    if (received > this.#received) this.#received = received;
    // a demonstration that meets real events is no longer one
    this.#demo &&= demo;
  }

  observation(): Tallied {
    return {
      ...this.#oldest,
      time: this.#time,
      received: this.#received,
      demo: this.#demo,
      tally: { start: this.start, count: this.#count, value: this.#value, sample: this.#sample, seq: this.#seq, last: this.#last },
    };
  }
}

/** Two observations of one key and bucket as one; may use up either. */
export function mergeTallies(a: Tallied, b: Tallied, spec: TallySpec, config: unknown): Tallied {
  const bucket = new Bucket(a);
  bucket.merge(b, spec, config);
  return bucket.observation();
}

/** An observation as a detector folds it. */
export const inputOf = ({ key, time, event, fields, tally }: Observation): KeyedInput => ({
  key: key.slice(key.indexOf("\0") + 1),
  time,
  event,
  fields,
  ...(tally && { tally: { start: tally.start, count: tally.count, value: tally.value, events: tally.sample.map((place) => place[3]) } }),
});
