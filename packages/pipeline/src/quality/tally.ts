/** What pass 1 counts of how well data comes in: records and flaws by source and format, hosts with their clocks, and which fields some events have. */
import type { Event, Micros } from "@vedette/model";

/** What came in between two ticks. */
export interface QualityDelta {
  /** By source and format; `received` is the newest receipt. */
  readonly formats: readonly Format[];
  /** By source and host: newest receipt, and how far its clock leads ours, µs: the most of its events, so that late delivery counts least. */
  readonly hosts: readonly (readonly [source: string, host: string, received: Micros, lead: Micros])[];
  /** Fields of events of one kind, counted over some of them. */
  readonly kinds: readonly {
    readonly source: string;
    readonly kind: string;
    readonly sampled: number;
    readonly fields: { readonly [name: string]: number };
  }[];
}

interface Format {
  readonly source: string;
  readonly format: string;
  records: number;
  flaws: number;
  received: Micros;
}

/** Every so many events of a source are looked at for their fields: what drifts, drifts in all of them. */
const sampleEvery = 32;
/** Fields counted of one event: hostile senders invent as many as they like. */
const maxFields = 256;
const maxKinds = 200;

export class QualityTally {
  readonly #formats = new Map<string, Format>();
  readonly #hosts = new Map<string, [source: string, host: string, received: Micros, lead: Micros]>();
  readonly #kinds = new Map<string, { source: string; kind: string; sampled: number; fields: Map<string, number> }>();
  #last: [source: string, host: string, received: Micros, lead: Micros] | undefined;
  #format: Format | undefined;
  readonly #done: (QualityDelta | undefined)[] = [];

  record(source: string, format: string, received: Micros, flawed: boolean): void {
    let of = this.#format;
    if (of?.source !== source || of.format !== format) {
      const key = `${source}\0${format}`;
      of = this.#formats.get(key);
      if (!of) {
        of = { source, format, records: 0, flaws: 0, received };
        this.#formats.set(key, of);
      }
      this.#format = of;
    }
    of.records++;
    if (received > of.received) of.received = received;
    if (flawed) of.flaws++;
  }

  event(event: Event): void {
    const lead = event.time - event.received;
    let of = this.#last;
    if (of?.[0] !== event.source || of[1] !== event.host) {
      const key = `${event.source}\0${event.host}`;
      of = this.#hosts.get(key);
      if (!of) {
        of = [event.source, event.host, event.received, lead];
        this.#hosts.set(key, of);
      }
      this.#last = of;
    }
    if (event.received > of[2]) of[2] = event.received;
    if (lead > of[3]) of[3] = lead;
    // by its number in the source: however the log is cut into jobs, the same ones
    if (event.seq % sampleEvery === 0) this.#sample(event);
  }

  #sample({ source, fields }: Event): void {
    // events of one action have much the same fields; of one data set they have not
    const kind = `${String(fields["event.dataset"] ?? "")} ${String(fields["event.action"] ?? "")}`.trim().slice(0, 120);
    const key = `${source}\0${kind}`;
    let of = this.#kinds.get(key);
    if (!of) {
      if (this.#kinds.size >= maxKinds) return;
      of = { source, kind, sampled: 0, fields: new Map() };
      this.#kinds.set(key, of);
    }
    of.sampled++;
    let n = 0;
    for (const name in fields) {
      if (++n > maxFields) break;
      of.fields.set(name, (of.fields.get(name) ?? 0) + 1);
    }
  }

  /** A tick: what comes now is another stretch. */
  turn(): void {
    const delta = {
      formats: [...this.#formats.values()],
      hosts: [...this.#hosts.values()],
      kinds: [...this.#kinds.values()].map(({ fields, ...rest }) => ({ ...rest, fields: Object.fromEntries(fields) })),
    };
    this.#done.push(this.#formats.size === 0 ? undefined : delta);
    for (const one of [this.#formats, this.#hosts, this.#kinds]) one.clear();
    [this.#last, this.#format] = [undefined, undefined];
  }

  /** One before each tick of the job, and one after the last; undefined where nothing came. */
  done(): readonly (QualityDelta | undefined)[] {
    this.turn();
    return this.#done;
  }
}
