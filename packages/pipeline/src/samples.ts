/** Samples in pass 1: counted, gathered for the series store, and shown to detectors as events are. Knows no format and no detector. */
import { idOf, type Skip } from "@vedette/kit";
import type { Event, Fields, Micros, Sample } from "@vedette/model";
import { type EncodedSamples, maxSampleAhead, SampleWriter, seriesFields } from "@vedette/store";
import type { SourceDelta } from "./analysis.ts";
import type { RecordsHeader } from "./batch.ts";

export class Samples {
  readonly #writer = new SampleWriter();

  /**
   * Takes what one record measured. What of it is to be kept is told detectors too, in the shape of an event that is stored nowhere.
   * @param index of the record in its batch
   * @param delta where the samples are what the record is; absent where it is an event that has them besides
   */
  *take(header: RecordsHeader, index: number, { samples = [], dropped = {} }: Omit<Skip, "skip">, delta?: SourceDelta): Generator<Event> {
    const latest = header.received + maxSampleAhead;
    const kept = samples.filter(({ time }) => time <= latest);
    if (delta) count(delta, kept.length, samples.length - kept.length, dropped);
    for (const [part, sample] of kept.entries()) {
      this.#writer.add(header.tenant, header.source, sample);
      yield new SampleEvent(header, index, part, sample);
    }
  }

  done(): EncodedSamples | undefined {
    return this.#writer.done();
  }
}

/** `in + split = stored + dead + dropped`: a record of no value at all was an empty one. */
function count(delta: SourceDelta, stored: number, ahead: number, dropped: { readonly [reason: string]: number }): void {
  const left = Object.entries({ ...dropped, ...(ahead > 0 ? { too_far_ahead: ahead } : {}) });
  const all = left.reduce((n, [, more]) => n + more, stored);
  if (all === 0) left.push(["empty", 1]);
  delta.split += Math.max(all, 1) - 1;
  delta.stored += stored;
  for (const [reason, n] of left) delta.dropped[reason] = (delta.dropped[reason] ?? 0) + n;
}

/** What is only asked for where a detector is concerned is made then. */
class SampleEvent implements Event {
  readonly tenant: string;
  readonly source: string;
  readonly time: Micros;
  readonly received: Micros;
  readonly seq: number;
  readonly class = "other";
  readonly host: string;
  readonly fields: Fields;
  readonly #sample: Sample;
  readonly #place: readonly [position: string, part: number];

  constructor(header: RecordsHeader, index: number, part: number, sample: Sample) {
    this.tenant = header.tenant;
    this.source = header.source;
    this.time = sample.time;
    this.received = header.received;
    this.seq = header.seq + index;
    this.fields = seriesFields(header.source, sample);
    this.fields["metric.value"] = sample.value;
    this.host = String(this.fields["host.name"] ?? header.source);
    this.#sample = sample;
    this.#place = [header.positions[index]!, part];
  }

  /** A sample that is sent again is the same one; of a moment's measurements each is its own. */
  get id(): string {
    const { name, labels, time, kind } = this.#sample;
    if (kind === "measurement") return idOf(this.tenant, this.source, "sample", ...this.#place);
    return idOf(this.tenant, this.source, "sample", name, JSON.stringify(labels), time);
  }
  /** As Prometheus would write it. */
  get original(): string {
    const { name, labels, value, time } = this.#sample;
    const written = labels.map(([label, text]) => `${label}=${JSON.stringify(text)}`).join(",");
    return `${name}{${written}} ${value} ${Math.floor(time / 1_000)}`;
  }
}
