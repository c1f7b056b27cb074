/** Cuts an export request into raw records, each an export of its own with some records of one resource. Knows neither HTTP nor what a record means. */
import type { Flaw, RawRecord } from "@vedette/model";
import { flawedRecord, keptBytes, rawRecord } from "../batch.ts";
import type { Told } from "../protobuf.ts";
import type { Signal } from "./messages.ts";

export interface ExportOptions {
  /** Positions are `<token>:<n>`. */
  readonly token: string;
  readonly maxRecordBytes: number;
  readonly peer: string | undefined;
}

/** A raw record is closed beyond it: large enough that saying the resource again costs little, small enough to spread over workers. */
const enough = 65_536;

const notObject: Flaw = { code: "bad_request", expected: "a record that is an object" };
const tooMuchAround: Flaw = {
  code: "too_long",
  expected: `a resource and a scope of at most ${keptBytes} bytes each, since they are kept with every record`,
};

const isObject = (value: unknown): value is Told => typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Whether the document is a request of this signal; one without any records is. */
export const isExport = (request: unknown, signal: Signal): request is Told =>
  isObject(request) && (request[signal.outer] === undefined || Array.isArray(request[signal.outer]));

export class ExportCutter {
  /** Records (of metrics: data points) that became dead letters. */
  rejected = 0;
  readonly #signal: Signal;
  readonly #options: ExportOptions;
  #made = 0;

  constructor(signal: Signal, options: ExportOptions) {
    this.#signal = signal;
    this.#options = options;
  }

  *records(request: Told): Generator<RawRecord> {
    for (const part of listOf(request[this.#signal.outer])) yield* this.#part(isObject(part) ? part : {});
  }

  *#part(part: Told): Generator<RawRecord> {
    const { outer, inner, list } = this.#signal;
    const scopes = listOf(part[inner]).map((one) => (isObject(one) ? one : {}));
    const resource = JSON.stringify(part["resource"] ?? {});
    if (Buffer.byteLength(resource) > keptBytes) {
      for (const scoped of scopes) this.#reject(listOf(scoped[list]));
      yield this.#flawed(resource, tooMuchAround);
      return;
    }
    const head = `{"${outer}":[{"resource":${resource},"${inner}":[`;
    let open: string[] = [];
    let size = 0;
    for (const scoped of scopes) {
      const scope = JSON.stringify(scoped["scope"] ?? {});
      const records = listOf(scoped[list]);
      if (Buffer.byteLength(scope) > keptBytes) {
        this.#reject(records);
        yield this.#flawed(scope, tooMuchAround);
        continue;
      }
      let texts: string[] = [];
      for (const record of records.flatMap((one) => [...this.#signal.cut(one)])) {
        const text = JSON.stringify(record);
        const flaw = isObject(record) ? undefined : notObject;
        if (flaw !== undefined || Buffer.byteLength(text) > this.#options.maxRecordBytes) {
          this.#reject([record]);
          yield this.#flawed(text, flaw);
          continue;
        }
        texts.push(text);
        size += text.length;
        if (size < enough) continue;
        open.push(`{"scope":${scope},"${list}":[${texts.join(",")}]}`);
        yield this.#record(`${head}${open.join(",")}]}]}`);
        [open, texts, size] = [[], [], 0];
      }
      if (texts.length === 0) continue;
      open.push(`{"scope":${scope},"${list}":[${texts.join(",")}]}`);
      size += scope.length;
    }
    if (open.length > 0) yield this.#record(`${head}${open.join(",")}]}]}`);
  }

  #reject(records: readonly unknown[]): void {
    for (const record of records) this.rejected += this.#signal.count(record);
  }
  #record(text: string): RawRecord {
    return rawRecord(this.#position(), Buffer.from(text), undefined, undefined, this.#options.peer);
  }
  #flawed(text: string, flaw: Flaw | undefined): RawRecord {
    return flawedRecord(this.#position(), Buffer.from(text), flaw, this.#options.maxRecordBytes, this.#options.peer);
  }
  #position(): string {
    return `${this.#options.token}:${this.#made++}`;
  }
}
