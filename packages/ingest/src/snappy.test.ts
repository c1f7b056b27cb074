import fc from "fast-check";
import { expect, test } from "vitest";
import { snappy } from "./snappy.fixture.ts";
import { unsnappy } from "./snappy.ts";

const cap = 1_000_000;

test("what snappyjs 0.7 compressed: literals, copies of one and two bytes of offset, runs", () => {
  const compressed = "yAK4bm9kZV9jcHVfc2Vjb25kc190b3RhbHtjcHU9IjAiLG1vZGU9ImlkbGUifSAxCm5qLgAAMTouAAgyCmH+AQD+AQD+AQARAQRiY4IDAA==";
  const line = (cpu: number) => `node_cpu_seconds_total{cpu="${cpu}",mode="idle"} ${cpu + 1}\n`;
  expect(unsnappy(Buffer.from(compressed, "base64"), cap).toString()).toBe(`${line(0)}${line(1)}${"a".repeat(200)}${"abc".repeat(12)}`);
});

test("a copy of four bytes of offset, and an empty block", () => {
  expect(unsnappy(Buffer.from([8, 3 << 2, ...Buffer.from("abcd"), (3 << 2) | 3, 4, 0, 0, 0]), cap).toString()).toBe("abcdabcd");
  expect(unsnappy(Buffer.from([0]), cap)).toHaveLength(0);
});

test.each([
  [
    "a literal whose length is below zero in 32 bits, on which snappyjs never ends",
    [8, 63 << 2, 0xf0, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8],
  ],
  ["a copy from before the beginning", [8, 0, 1, (3 << 2) | 2, 9, 0]],
  ["a copy of offset zero", [8, 0, 1, (3 << 2) | 2, 0, 0]],
  ["an element cut short", [8, 0, 1, (3 << 2) | 2, 1]],
  ["more than it told", [2, 2 << 2, 1, 2, 3]],
  ["less than it told", [9, 0, 1]],
  ["a length that such a block cannot have", [0xff, 0xff, 0x0f, 0, 1]],
  ["nothing", []],
  ["a length without end", [0xff, 0xff, 0xff, 0xff, 0xff]],
])("%s is refused", (_, bytes) => expect(() => unsnappy(Uint8Array.from(bytes), cap)).toThrow(/not valid snappy/));

test("over the cap nothing is made", () => expect(() => unsnappy(Buffer.from([0xc0, 0x84, 0x3d, 0]), 1_000)).toThrow(/1000000 bytes/));

test("any bytes come back or are refused; literals come back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(unsnappy(snappy(bytes), cap).equals(bytes)).toBe(true);
      try {
        unsnappy(bytes, cap);
      } catch (error) {
        expect(["bad_encoding", "too_large"]).toContain((error as { code?: string }).code);
      }
    }),
  );
});
