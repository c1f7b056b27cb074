/** Cuts the journal's export format (systemd, "Journal Export Formats") into entries, each as `journalctl -o json` words it. Knows no field's meaning. */
import { type Batch, flawedRecord, Oversize, rawRecord } from "../batch.ts";
import type { Cutter } from "../lines.ts";

export interface JournalCutterOptions {
  /** Positions are `<token>:<offset>`. */
  readonly token: string;
  readonly maxBytes: number;
  readonly peer: string | undefined;
}

/** systemd's own bound on one entry's fields. */
const maxFields = 1_024;
/** systemd allows 64 characters in a field's name. */
const maxName = 64;
const notExport = {
  code: "bad_journal",
  expected: "entries of the journal's export format: KEY=value lines, or KEY, a length of 8 bytes and as many bytes",
};

interface Entry {
  /** Index of the empty line behind it, or where the bytes end. */
  readonly end: number;
  readonly fields: ReadonlyMap<string, readonly Buffer[]>;
}

export class JournalCutter implements Cutter {
  readonly #options: JournalCutterOptions;
  /** An entry over the cap, passing by; `skip` bytes of its current field are still to come. */
  #passing: { readonly oversize: Oversize; skip: number; inLine: boolean } | undefined;
  /** What came was no export; the rest of the stream is not looked at. */
  failed = false;

  constructor(options: JournalCutterOptions) {
    this.#options = options;
  }

  cut(bytes: Buffer, offset: number, batch: Batch, final: boolean): number {
    let at = this.#passing === undefined ? 0 : this.#pass(bytes, batch, final);
    while (at < bytes.length && !batch.full) {
      if (this.failed) return bytes.length;
      if (bytes[at] === 0x0a) {
        at++;
        continue;
      }
      const entry = readEntry(bytes, at, final);
      if (entry === "short") {
        if (bytes.length - at <= this.#options.maxBytes) return at;
        this.#passing = { oversize: new Oversize(`${this.#options.token}:${offset + at}`, this.#options.maxBytes), skip: 0, inLine: false };
        return at + this.#pass(bytes.subarray(at), batch, final);
      }
      if (entry === "none") {
        this.failed = true;
        batch.push(flawedRecord(`${this.#options.token}:${offset + at}`, bytes.subarray(at), notExport, bytes.length, this.#options.peer));
        return bytes.length;
      }
      batch.push(this.#record(entry, bytes.subarray(at, entry.end), `${this.#options.token}:${offset + at}`));
      at = entry.end;
    }
    return at;
  }

  #record({ fields }: Entry, bytes: Buffer, position: string) {
    const { maxBytes, peer } = this.#options;
    if (bytes.length > maxBytes) return flawedRecord(position, bytes, undefined, maxBytes, peer);
    const document: { [name: string]: unknown } = Object.create(null);
    for (const [name, values] of fields) document[name] = values.length === 1 ? worded(values[0]!) : values.map(worded);
    const cursor = document["__CURSOR"];
    // the cursor names an entry for good, so an entry that is sent again is known again
    const id = typeof cursor === "string" && cursor.length <= 1_024 ? cursor : undefined;
    return rawRecord(position, Buffer.from(JSON.stringify(document)), undefined, id, peer);
  }

  /** Consumes what belongs to the entry that is passing by. */
  #pass(bytes: Buffer, batch: Batch, final: boolean): number {
    const passing = this.#passing!;
    let at = 0;
    let ended = false;
    while (at < bytes.length && !ended) {
      if (passing.skip > 0) {
        const stop = Math.min(bytes.length, at + passing.skip);
        passing.skip -= stop - at;
        at = stop;
        continue;
      }
      const found = bytes.indexOf(0x0a, at);
      if (found === at && !passing.inLine) {
        ended = true;
        break;
      }
      const line = bytes.subarray(at, found < 0 ? bytes.length : found);
      const text = passing.inLine || line.includes(0x3d);
      if (found < 0 && !text && line.length <= maxName && !final) break;
      if (text || found < 0) {
        passing.inLine = found < 0;
        at = found < 0 ? bytes.length : found + 1;
        continue;
      }
      if (found + 9 > bytes.length) {
        if (!final) break;
        at = bytes.length;
        continue;
      }
      const length = bytes.readBigUInt64LE(found + 1);
      // an absurd length takes the stream with it
      passing.skip = Number(length > 2n ** 40n ? 2n ** 40n : length) + 1;
      at = found + 9;
    }
    passing.oversize.add(bytes.subarray(0, at));
    if (ended || (final && at >= bytes.length)) {
      const { position, body, flaw } = passing.oversize.record();
      batch.push(rawRecord(position, body, flaw, undefined, this.#options.peer));
      this.#passing = undefined;
    }
    return at;
  }
}

/** The entry at `at`; `short` where more bytes are needed, `none` where it cannot be one. */
function readEntry(bytes: Buffer, from: number, final: boolean): Entry | "short" | "none" {
  const fields = new Map<string, Buffer[]>();
  const add = (name: string, value: Buffer): void => {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  };
  let count = 0;
  let at = from;
  while (at < bytes.length) {
    if (bytes[at] === 0x0a) return { end: at, fields };
    if (++count > maxFields) return "none";
    const found = bytes.indexOf(0x0a, at);
    const lineEnd = found < 0 ? bytes.length : found;
    const equals = bytes.subarray(at, Math.min(lineEnd, at + maxName + 1)).indexOf(0x3d);
    const nameEnd = equals < 0 ? lineEnd : at + equals;
    if (nameEnd - at > maxName || !isName(bytes, at, nameEnd)) return "none";
    if (found < 0 && !final) return "short";
    const name = bytes.toString("latin1", at, nameEnd);
    if (equals >= 0) {
      add(name, bytes.subarray(nameEnd + 1, lineEnd));
      at = lineEnd + 1;
      continue;
    }
    if (found + 9 > bytes.length || found < 0) return final ? "none" : "short";
    const length = bytes.readBigUInt64LE(found + 1);
    const end = BigInt(found + 9) + length;
    if (end >= BigInt(bytes.length)) return final ? "none" : "short";
    if (bytes[Number(end)] !== 0x0a) return "none";
    add(name, bytes.subarray(found + 9, Number(end)));
    at = Number(end) + 1;
  }
  return final ? { end: bytes.length, fields } : "short";
}

/** Letters, digits and underscores. */
function isName(bytes: Buffer, from: number, to: number): boolean {
  if (to === from) return false;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (!((c >= 0x41 && c <= 0x5a) || (c >= 0x30 && c <= 0x39) || c === 0x5f || (c >= 0x61 && c <= 0x7a))) return false;
  }
  return true;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text, or as the journal's JSON has it, an array of bytes where it is none. */
function worded(value: Buffer): string | number[] {
  try {
    return utf8.decode(value);
  } catch {
    return [...value];
  }
}
