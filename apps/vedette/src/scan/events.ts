/** Decodes pieces of files into events, one by one, as pass 1 does. Knows no rule. */
import type { Decode, DecodeResult, FormatSpec } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { textOf } from "@vedette/pipeline";
import type { Piece } from "./records.ts";

export interface ReadEvent {
  readonly file: string;
  /** Position of the record in the file, from 1. */
  readonly record: number;
  readonly format: string;
  readonly fields: Fields;
  readonly original: string;
  readonly time: number | undefined;
}

/** A fixed moment for records that tell no time, so that a command gives the same answer on every day. */
const received = 1_790_000_000_000_000;

export class EventReader {
  readonly #formats: ReadonlyMap<string, FormatSpec>;
  readonly #decoders = new Map<string, Decode>();
  /** Records that no format understood. */
  undecoded = 0;

  constructor(formats: ReadonlyMap<string, FormatSpec>) {
    this.#formats = formats;
  }

  *events({ file, first, format, preamble, records }: Piece): Iterable<ReadEvent> {
    const decode = this.#decoder(file, format);
    const context = { preamble, received, peer: undefined, source: file, stream: file };
    for (const [i, { body, flaw }] of records.entries()) {
      if (flaw) {
        this.undecoded++;
        continue;
      }
      const text = textOf(Buffer.from(body));
      const result: DecodeResult = decode(text, context);
      const place = { file, record: first + i + 1, format };
      if (Array.isArray(result)) for (const d of result) yield { ...place, fields: d.fields, original: d.original ?? text, time: d.time };
      else if ("fields" in result) yield { ...place, fields: result.fields, original: result.original ?? text, time: result.time };
      else if ("code" in result) this.undecoded++;
    }
  }

  #decoder(file: string, format: string): Decode {
    const key = `${file}\0${format}`;
    let decode = this.#decoders.get(key);
    if (!decode) {
      const spec = this.#formats.get(format)!;
      decode = spec.decoder(spec.config.parse({}));
      // one file is read at a time
      this.#decoders.clear();
      this.#decoders.set(key, decode);
    }
    return decode;
  }
}
