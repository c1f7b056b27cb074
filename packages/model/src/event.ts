/** What a source read, and what it became: the records and events every stage passes on. Types only. */
import type { FieldValue } from "@vedette/condition";

/** Integer microseconds since the epoch (exact in a double until the year 2255). */
export type Micros = number;

/** Expected, permanent trouble with one input: the reason on a dead letter. */
export interface Flaw {
  /** Machine-readable, listed in docs/errors.md, e.g. `too_long`, `bad_json`. */
  readonly code: string;
  /** What was expected instead, for people. */
  readonly expected: string;
}

/** One record as a source read it, before anyone understood it. */
export interface RawRecord {
  /** Where it stands in its source; with the source's name it gives the event id, so reading it again gives the same event. */
  readonly position: string;
  /** Exact bytes, at most the source's cap. */
  readonly body: Uint8Array;
  /** The sender's own id (`_id` of a bulk item): used instead of the position, and deduplicated. */
  readonly id?: string;
  /** Sender's address or host as the transport knows it. */
  readonly peer?: string;
  /** The source already knows that it cannot be decoded; it goes to the dead letters by the same path. */
  readonly flaw?: Flaw;
}

/** ECS, flat: dotted keys, scalars or arrays of scalars, no nested objects, null prototype. */
export type Fields = { [ecs: string]: FieldValue | undefined };

/** One thing that happened. */
export interface Event {
  readonly id: string;
  readonly tenant: string;
  /** Name of the source in the configuration. */
  readonly source: string;
  /** When it happened by its own account; the receive time where it tells none. */
  readonly time: Micros;
  readonly received: Micros;
  /** Position within the source, for the order key (time, source, seq). */
  readonly seq: number;
  /** Source class, for partitioning: see `EventClass`. */
  readonly class: EventClass;
  /** Host the event is about or comes from; watermarks are kept per (source, stream, host). */
  readonly host: string;
  readonly fields: Fields;
  /** The record as it came, as text; bytes that are not UTF-8 shown as \xNN. */
  readonly original: string;
}

/** What retention, quota and shedding are set by. */
export type EventClass = "authentication" | "process" | "network" | "web" | "cloud" | "host" | "audit" | "other";
export const eventClasses: readonly EventClass[] = ["authentication", "process", "network", "web", "cloud", "host", "audit", "other"];

/** What pass 1 hands to a keyed detector: the projected fields of one event, with its order key. */
export interface Observation {
  readonly detector: string;
  readonly key: string;
  readonly time: Micros;
  readonly source: string;
  readonly seq: number;
  /** File, connection or path within the source that it came by; "" where nobody judges its lateness. */
  readonly stream: string;
  readonly host: string;
  readonly event: string;
  readonly received: Micros;
  readonly demo: boolean;
  /** Of a historical load: folded apart, in a time of its own. */
  readonly historical?: true;
  /** Watermark of (source, stream, host) within the batch before this event; the engine takes the later of this and what it carries. */
  readonly seen: Micros;
  readonly fields: Fields;
  /** At most 512 characters, for the evidence. */
  readonly original: string;
  /** Present where the detector tallies: then `time` is the newest event's, and everything else above is the oldest event's. */
  readonly tally?: Tally;
}

/** What all events of one key in one bucket of event time come to. */
export interface Tally {
  /** Where the bucket begins, a multiple of its width. */
  readonly start: Micros;
  readonly count: number;
  /** As the detector's `TallySpec` sums it up; JSON. */
  readonly value: unknown;
  /** The oldest events in order-key order, those that stand for the bucket before the others; the first is the observation's own. */
  readonly sample: readonly (readonly [time: Micros, source: string, seq: number, event: string, stands?: 1])[];
  /** Sequence numbers of the first and the last of them to come, while they are of one source, stream and host: none of the key's came between. */
  readonly seq: number;
  readonly last: number;
}

/** An input that no stage could take, kept with the reason. */
export interface DeadLetter {
  readonly source: string;
  readonly position: string;
  readonly received: Micros;
  readonly stage: "ingest" | "decode" | "normalise" | "detect" | "store" | "egress";
  readonly code: string;
  readonly expected: string;
  /** The first 64 KiB of the input, base64. */
  readonly bytes: string;
}
