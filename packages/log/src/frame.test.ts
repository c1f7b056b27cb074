/** Checksums, headers and frames round-trip, and no changed bit goes unseen. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";
import { decodeFrameHeader, decodePayload, decodeSegmentHeader, encodeFrame, encodeSegmentHeader, GroupBuffer } from "./frame.ts";

const salt = Buffer.from("saltsalt");

describe("crc32c", () => {
  // RFC 3720, appendix B.4.
  it.each([
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, at) => at), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, at) => 31 - at), 0x113fdb5c],
    [Buffer.from("123456789"), 0xe3069283],
  ])("of a published vector is the published value", (bytes, checksum) => {
    expect(crc32c(bytes)).toBe(checksum);
  });

  it("of parts is that of the whole", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
        const cut = Math.min(at, bytes.length);
        expect(crc32c(bytes, cut, bytes.length, crc32c(bytes, 0, cut))).toBe(crc32c(bytes));
      }),
    );
  });
});

describe("frames", () => {
  const frame = fc.record({
    offset: fc.maxSafeNat(),
    sequence: fc.maxSafeNat(),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.nat(5000).map((length) => new Uint8Array(length)),
    ),
    meta: fc.option(fc.uint8Array({ minLength: 1, maxLength: 50 }), { nil: undefined }),
    snapshot: fc.boolean(),
  });

  it("round-trip", () => {
    fc.assert(
      fc.property(frame, fc.nat(2 ** 31), (input, groupStart) => {
        const out = new GroupBuffer();
        out.grow(3);
        encodeFrame(out, input, salt, groupStart);
        const bytes = Buffer.from(out.content());
        const header = decodeFrameHeader(bytes, 3, salt);
        expect(header).toMatchObject({ offset: input.offset, sequence: input.sequence, snapshot: input.snapshot, groupStart });
        expect(header?.bytes).toBe(bytes.length - 3);
        expect(header?.metaBytes).toBe(input.meta?.length ?? 0);
        expect(decodePayload(bytes, 3, header!)).toEqual(new Uint8Array(input.payload));
      }),
    );
  });

  it("of which any bit has changed do not read back", () => {
    const out = new GroupBuffer();
    encodeFrame(out, { offset: 5, sequence: 9, payload: Buffer.alloc(700, "abc"), meta: Buffer.from("[]"), snapshot: false }, salt, 128);
    for (let bit = 0; bit < out.length * 8; bit++) {
      const bytes = Buffer.from(out.content());
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const header = decodeFrameHeader(bytes, 0, salt);
      if (header !== undefined) expect(decodePayload(bytes, 0, header)).toBe("checksum");
    }
  });

  it("never read back from any bytes by chance", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        const bytes = Buffer.concat([Buffer.from("VLF1"), noise]);
        expect(decodeFrameHeader(bytes, 0, undefined)).toBeUndefined();
        expect(decodeSegmentHeader(Buffer.concat([Buffer.from("VEDLOGSG"), noise]))).toBeUndefined();
      }),
    );
  });
});

it("segment headers round-trip, and none reads back with a bit changed", () => {
  const header = { topic: "observations", partition: 63, base: 2 ** 40 + 1, previous: 2 ** 39, salt };
  const bytes = encodeSegmentHeader(header);
  expect(decodeSegmentHeader(bytes)).toEqual(header);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(decodeSegmentHeader(changed)).toBeUndefined();
  }
});
