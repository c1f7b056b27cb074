/** Decompresses snappy's block format within a bound. Knows no protocol. */
import { BadInputError } from "@vedette/kit";

const damaged = (what: string): never => {
  throw new BadInputError("bad_encoding", `The body is not valid snappy (block format): ${what}.`);
};

/**
 * The whole block. Every step moves on in the input, and nothing is written beyond the length that the block tells and the cap allows.
 * @throws BadInputError `bad_encoding`, or `too_large` over `cap` bytes.
 */
export function unsnappy(bytes: Uint8Array, cap: number): Buffer {
  const { length, at: from } = lengthOf(bytes);
  if (length > cap) throw new BadInputError("too_large", `The body expands to ${length} bytes (cap ${cap}).`);
  // a copy of 64 bytes takes three: what claims to be larger than all that could come of it is no block
  if (length > bytes.length * 22 + 64) damaged("it cannot have the length it tells");
  const out = Buffer.alloc(length);
  let [at, done] = [from, 0];
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    const kind = tag & 3;
    let size = (tag >>> 2) + 1;
    if (kind === 0) {
      const extra = size - 60;
      if (extra > 0) {
        size = little(bytes, at, extra) + 1;
        at += extra;
      }
      if (at + size > bytes.length || done + size > length) damaged("a literal beyond the end");
      out.set(bytes.subarray(at, at + size), done);
      at += size;
      done += size;
      continue;
    }
    let offset: number;
    if (kind === 1) {
      size = ((tag >>> 2) & 7) + 4;
      offset = little(bytes, at, 1) + (tag >>> 5) * 256;
      at += 1;
    } else {
      const width = kind === 2 ? 2 : 4;
      offset = little(bytes, at, width);
      at += width;
    }
    if (offset === 0 || offset > done || done + size > length) damaged("a copy beyond what there is");
    // a copy may reach into what it writes: that is how runs are said
    if (offset >= size) out.copy(out, done, done - offset, done - offset + size);
    else for (let i = 0; i < size; i++) out[done + i] = out[done - offset + i]!;
    done += size;
  }
  if (done !== length) damaged("it ends early");
  return out;
}

/** A number of 1 to 4 bytes, the lowest first. */
function little(bytes: Uint8Array, at: number, width: number): number {
  if (at + width > bytes.length) damaged("it ends within an element");
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function lengthOf(bytes: Uint8Array): { readonly length: number; readonly at: number } {
  let length = 0;
  for (let at = 0; at < Math.min(bytes.length, 5); at++) {
    length += (bytes[at]! & 0x7f) * 2 ** (7 * at);
    if (bytes[at]! < 0x80) return { length, at: at + 1 };
  }
  return damaged("it does not begin with a length");
}
