/** Splunk's event collector: JSON events one after another, checked one by one, odd ones kept with their flaw; and its answers. Knows nothing of HTTP's headers. */
import type { Flaw, RawRecord } from "@vedette/model";
import { badJson, flawedRecord, rawRecord, tooDeepFlaw } from "./batch.ts";
import { scanValue, skipSpace, tooDeep, ValueSkipper } from "./json_scan.ts";

/** Splunk's codes with their texts and statuses (Splunk Enterprise, "Troubleshoot HTTP Event Collector"). */
const answers = {
  success: [200, 0, "Success"],
  token_required: [401, 2, "Token is required"],
  invalid_token: [403, 4, "Invalid token"],
  no_data: [400, 5, "No data"],
  invalid_format: [400, 6, "Invalid data format"],
  busy: [503, 9, "Server is busy"],
  channel_missing: [400, 10, "Data channel is missing"],
  invalid_channel: [400, 11, "Invalid data channel"],
  event_required: [400, 12, "Event field is required"],
  event_blank: [400, 13, "Event field cannot be blank"],
  invalid_fields: [400, 15, "Error in handling indexed fields"],
  healthy: [200, 17, "HEC is healthy"],
  too_large: [413, 27, "Request entity too large"],
} as const satisfies { readonly [name: string]: readonly [number, number, string] };
export type HecAnswer = keyof typeof answers;

export function hecAnswer(name: HecAnswer, members: { readonly [name: string]: unknown } = {}) {
  const [status, code, text] = answers[name];
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify({ text, code, ...members }) };
}

export interface HecOptions {
  /** Positions are `<token>:<offset>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
}

/** What is wrong with an event of a request, and which one it is, from 0. */
interface HecFault {
  readonly answer: HecAnswer;
  readonly event: number;
}

const flaws: { readonly [answer in HecAnswer]?: Flaw } = {
  event_required: { code: "bad_request", expected: 'a member "event"' },
  event_blank: { code: "bad_request", expected: 'an "event" that is not blank' },
  invalid_fields: { code: "bad_request", expected: '"fields" as one flat object of scalars or lists of scalars' },
};

/**
 * Cuts a body of concatenated events into records. An event that cannot be taken becomes a flawed record and does not cost the others; what follows
 * bytes that are no JSON is one flawed record, since nobody knows where the next event begins.
 */
export class HecEvents {
  /** The first event with a fault: Splunk's answer can name one only. */
  fault: HecFault | undefined;
  count = 0;
  readonly #body: Buffer;
  readonly #options: HecOptions;
  #at = 0;

  constructor(body: Buffer, options: HecOptions) {
    this.#body = body;
    this.#options = options;
  }

  *records(): Generator<RawRecord> {
    for (let record = this.#next(); record !== undefined; record = this.#next()) yield record;
  }

  #next(): RawRecord | undefined {
    const body = this.#body;
    const start = skipSpace(body, this.#at, body.length);
    if (start >= body.length) return undefined;
    const end = body[start] === 0x7b ? scanValue(body, start, body.length) : -1;
    const position = `${this.#options.token}:${start}`;
    if (end === tooDeep) {
      const stop = new ValueSkipper().feed(body, start, body.length);
      this.#at = stop < 0 ? body.length : stop;
      return this.#flawed(position, start, "invalid_format", tooDeepFlaw);
    }
    this.#at = end < 0 ? body.length : end;
    if (end < 0) return this.#flawed(position, start, "invalid_format", badJson);
    const { maxRecordBytes, peer } = this.#options;
    const text = body.subarray(start, end);
    const answer = text.length > maxRecordBytes ? "too_large" : faultOf(text);
    if (answer !== undefined) return this.#flawed(position, start, answer, flaws[answer]);
    this.count++;
    return rawRecord(position, text, undefined, undefined, peer);
  }

  #flawed(position: string, start: number, answer: HecAnswer, flaw: Flaw | undefined): RawRecord {
    this.fault ??= { answer, event: this.count };
    this.count++;
    return flawedRecord(position, this.#body.subarray(start, this.#at), flaw, this.#options.maxRecordBytes, this.#options.peer);
  }
}

function faultOf(text: Buffer): HecAnswer | undefined {
  const object = JSON.parse(text.toString()) as { readonly event?: unknown; readonly fields?: unknown };
  if (!Object.hasOwn(object, "event") || object.event === null) return "event_required";
  if (typeof object.event === "string" && object.event.trim() === "") return "event_blank";
  return !Object.hasOwn(object, "fields") || areFlat(object.fields) ? undefined : "invalid_fields";
}

const isScalar = (value: unknown) => typeof value !== "object" || value === null;

function areFlat(fields: unknown): boolean {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return false;
  return Object.values(fields).every((value) => isScalar(value) || (Array.isArray(value) && value.every(isScalar)));
}

/** What the query of a raw request says about its lines. */
const described = ["time", "host", "source", "sourcetype", "index"];

/** A line of `/raw` with what its request says of it, as the event it stands for; as it is where the request says nothing. */
export function rawLine(record: RawRecord, query: URLSearchParams): RawRecord {
  const members = described.flatMap((name) => {
    const value = query.get(name);
    return value === null || value === "" ? [] : [[name, value.slice(0, 1_024)] as const];
  });
  if (members.length === 0 || record.flaw !== undefined) return record;
  const event = { ...Object.fromEntries(members), event: Buffer.from(record.body).toString() };
  return rawRecord(record.position, Buffer.from(JSON.stringify(event)), undefined, record.id, record.peer);
}
