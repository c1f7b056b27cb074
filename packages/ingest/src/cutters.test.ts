import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DocumentCutter } from "./documents.ts";
import { type Cutter, LineCutter } from "./lines.ts";
import { readStream } from "./stream_reader.ts";
import { SyslogCutter } from "./syslog/framing.ts";

/** Everything a cutter makes of bytes that come in pieces of these lengths. */
async function pour(bytes: Buffer, cutter: Cutter, lengths: readonly number[]) {
  async function* pieces() {
    let at = 0;
    for (let i = 0; at < bytes.length; i++) {
      const to = at + lengths[i % lengths.length]!;
      yield bytes.subarray(at, to);
      at = to;
    }
  }
  const records: { position: string; text: string; flaw: string | undefined; preamble: string | undefined }[] = [];
  let lines: Cutter | undefined;
  await readStream(pieces(), {
    cutter: () => {
      if (cutter instanceof DocumentCutter && cutter.failed) lines ??= new LineCutter({ token: "t", maxBytes: 300 });
      return lines ?? cutter;
    },
    deliver: async (batch) => {
      for (const { position, body, flaw } of batch.records) {
        records.push({ position, text: Buffer.from(body).toString("latin1"), flaw: flaw?.code, preamble: batch.preamble });
      }
      return true;
    },
  });
  return records;
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 });
const cutters: readonly [string, () => Cutter, fc.Arbitrary<string>][] = [
  [
    "lines",
    () => new LineCutter({ token: "t", maxBytes: 300 }),
    fc.constantFrom("\n", "\r\n", "a", "#x\n", "#fields\ta\n", "JobID|a\n", "\r", "b".repeat(310), "{", "é"),
  ],
  [
    "UTF-16 lines",
    () => new LineCutter({ token: "t", maxBytes: 300, encoding: "utf-16le" }),
    fc.constantFrom("\n\0", "\r\0", "a\0", "\n\n", "\0\n", "#\0", "b"),
  ],
  [
    "syslog",
    () => new SyslogCutter({ token: "t", maxBytes: 300, peer: undefined }),
    fc.constantFrom("5 <1>ab", "<2>x\n", "\n", "1", "9 <", "400 <3>", "<4>", "0", "\0", " ", "12345678 <", "z".repeat(150)),
  ],
  [
    "documents",
    () => new DocumentCutter({ token: "t", maxBytes: 300 }),
    fc.constantFrom(
      "[",
      "]",
      "{",
      "}",
      ",",
      '{"a":1}',
      '"',
      " ",
      "\n",
      '{"Records":[',
      "[".repeat(70),
      "]".repeat(70),
      `"${"x".repeat(310)}"`,
      "1",
      ":",
    ),
  ],
];

describe.each(cutters)("%s", (name, make, part) => {
  test("how the bytes are cut into pieces changes nothing, and nothing throws", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 40 }), lengths, async (parts, cuts) => {
        const bytes = Buffer.from(parts.join(""));
        const whole = await pour(bytes, make(), [Number.MAX_SAFE_INTEGER]);
        const pieces = await pour(bytes, make(), cuts);
        // Where a document stops being JSON, what was passed over by then depends on how much was seen of it.
        if (name !== "documents" || whole.every((record) => record.flaw === undefined))
          expect(pieces.map((r) => [r.position, r.text, r.flaw])).toEqual(whole.map((r) => [r.position, r.text, r.flaw]));
        const positions = whole.map((record) => Number(record.position.split(":")[1]));
        expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b));
      }),
      { numRuns: 400 },
    );
  });
});

test("lines are exact: bodies and line ends together are the input", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 }), lengths, async (parts, cuts) => {
      const text = parts
        .map((part) =>
          Buffer.from(part)
            .toString("latin1")
            .replace(/[\n\r#]/g, "."),
        )
        .join("\n");
      const records = await pour(Buffer.from(text, "latin1"), new LineCutter({ token: "t", maxBytes: 300 }), cuts);
      const expected = text.split("\n");
      // Nothing behind the last line end is no line.
      if (expected.at(-1) === "") expected.pop();
      expect(records.map((record) => record.text)).toEqual(expected);
    }),
  );
});

test("sacct's header explains the lines below it, and is no record", async () => {
  const records = await pour(
    Buffer.from("JobID|State\n1|FAILED\nJobIDRaw|User\n2|ada\n"),
    new LineCutter({ token: "t", maxBytes: 300 }),
    [9],
  );
  expect(records.map(({ text, preamble }) => [text, preamble])).toEqual([
    ["1|FAILED", "JobID|State"],
    ["2|ada", "JobIDRaw|User"],
  ]);
});

test("an item of any length passes by in bounded memory", async () => {
  const held: number[] = [];
  const cutter = new DocumentCutter({ token: "t", maxBytes: 1_000 });
  async function* pieces() {
    yield Buffer.from('[{"n":1},{"a":"');
    for (let i = 0; i < 1_000; i++) yield Buffer.alloc(5_000, "x");
    yield Buffer.from('"},{"n":2}]');
  }
  const records: [string | undefined, number][] = [];
  await readStream(pieces(), {
    cutter: (bytes) => {
      held.push(bytes.length);
      return cutter;
    },
    deliver: async (batch) => {
      for (const record of batch.records) records.push([record.flaw?.code, record.body.length]);
      return true;
    },
  });
  expect(records).toEqual([
    [undefined, 7],
    ["too_long", 65_536],
    [undefined, 7],
  ]);
  expect(Math.max(...held)).toBeLessThan(10_000);
});

describe("syslog framing", () => {
  const cut = async (text: string) =>
    (await pour(Buffer.from(text, "latin1"), new SyslogCutter({ token: "t", maxBytes: 300, peer: undefined }), [7])).map(
      (record) => record.flaw ?? record.text,
    );
  test.each<[string, string, string[]]>([
    ["octet counting", "8 <13>one 8 <13>two\n", ["<13>one ", "<13>two\n".trimEnd()]],
    ["a line feed inside a counted message", "11 <13>one\ntwo<13>three\n", ["<13>one\ntwo", "<13>three"]],
    ["lines", "<13>one\r\n<14>two\n<15>three", ["<13>one", "<14>two", "<15>three"]],
    ["NUL as trailer", "<13>one\0\n<14>two\0", ["<13>one", "<14>two"]],
    ["both, message by message", "7 <1>abcd<2>x\n6 <3>abc\n", ["<1>abcd", "<2>x", "<3>abc"]],
    ["a line that begins with a number", "12 monkeys\n2026-11-21 text\n", ["12 monkeys", "2026-11-21 text"]],
    ["a count that lies", "9999 <13>one\n", ["too_long"]],
    ["a counted message cut off", "20 <13>one", ["<13>one"]],
    ["too long by count, then on", `301 <${"x".repeat(300)}<1>next\n`, ["too_long", "<1>next"]],
    ["too long a line, then on", `<${"x".repeat(900)}\n<1>next\n`, ["too_long", "<1>next"]],
  ])("%s", async (_, text, expected) => expect(await cut(text)).toEqual(expected));
});
