import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Batch } from "../batch.ts";
import { JournalCutter } from "../journal/export.ts";
import journald from "./journald.ts";
import { EndpointRun } from "./requests.fixture.ts";

const type = { "content-type": "application/vnd.fdo.journal" };
const start = (config: object = {}) => {
  const run = new EndpointRun(journald, config);
  const intake = run.intake("journald");
  const send = async (body: Uint8Array | string, headers: { readonly [name: string]: string } = type) => {
    const { status, body: text } = await run.send({ path: "/upload", body, headers });
    return [status, String(text).trim()] as const;
  };
  return { intake, send };
};

/** Binary as systemd writes it: name, line end, length in 8 bytes, little-endian, data, line end. */
function binary(name: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, data, Buffer.from("\n")]);
}
const entry = (n: number, ...more: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from(`__CURSOR=s=a;i=${n}\n__REALTIME_TIMESTAMP=${1_714_557_600_000_000 + n}\nPRIORITY=6\n`),
    ...more,
    Buffer.from("\n"),
  ]);

test("entries as journalctl words them: text with line ends, bytes that are no text, fields that come twice", async () => {
  const { intake, send } = start();
  const body = Buffer.concat([
    entry(1, Buffer.from("MESSAGE=a=b\n")),
    entry(2, binary("MESSAGE", Buffer.from("two\nlines\n\nand more")), Buffer.from("DUP=a\nDUP=b\n")),
    entry(3, binary("MESSAGE", Buffer.from([0xff, 10, 10, 0]))),
  ]);
  expect(await send(body)).toEqual([202, "OK."]);
  const common = { PRIORITY: "6" };
  expect(intake.texts.map((text) => JSON.parse(text))).toEqual([
    { __CURSOR: "s=a;i=1", __REALTIME_TIMESTAMP: "1714557600000001", ...common, MESSAGE: "a=b" },
    { __CURSOR: "s=a;i=2", __REALTIME_TIMESTAMP: "1714557600000002", ...common, MESSAGE: "two\nlines\n\nand more", DUP: ["a", "b"] },
    { __CURSOR: "s=a;i=3", __REALTIME_TIMESTAMP: "1714557600000003", ...common, MESSAGE: [255, 10, 10, 0] },
  ]);
  expect(await send(gzipSync(body), { ...type, "content-encoding": "gzip" })).toEqual([202, "OK."]);
  expect([...intake.seen]).toEqual(["s=a;i=1", "s=a;i=2", "s=a;i=3"]);
});

test("an entry over the cap is a dead letter and costs no other", async () => {
  const { intake, send } = start({ max_record_bytes: 1_000 });
  const large = [
    Buffer.from(`MESSAGE=${"x".repeat(30_000)}\n`),
    binary("MESSAGE", Buffer.alloc(30_000, 10)),
    binary("A", Buffer.alloc(990, 10)),
  ];
  expect(
    (
      await send(Buffer.concat([entry(1), ...large.flatMap((field, i) => [entry(10 + i, field, Buffer.from("AFTER=1\n")), entry(20 + i)])]))
    )[0],
  ).toBe(202);
  expect(intake.records.map(({ flaw, id }) => flaw?.code ?? id)).toEqual([
    "s=a;i=1",
    "too_long",
    "s=a;i=20",
    "too_long",
    "s=a;i=21",
    "too_long",
    "s=a;i=22",
  ]);
});

test("what is not an export: what came before is kept, the rest is a dead letter, and the client is told", async () => {
  const { intake, send } = start();
  expect(await send(Buffer.concat([entry(1), Buffer.from('{"MESSAGE":"json"}\n')]))).toEqual([
    400,
    expect.stringContaining("export format"),
  ]);
  expect(intake.records.map(({ flaw, id }) => flaw?.code ?? id)).toEqual(["s=a;i=1", "bad_journal"]);
  expect(await send("{}", { "content-type": "application/json" })).toEqual([415, expect.stringContaining("application/vnd.fdo.journal")]);
  expect(await send("x", { ...type, "content-encoding": "xz" })).toEqual([400, expect.stringContaining("not one of gzip, zstd")]);
  expect(await send("plain", { ...type, "content-encoding": "gzip" })).toEqual([400, expect.stringContaining("not valid gzip")]);
});

describe("the cutter", () => {
  const cutAll = (stream: Buffer, pieces: readonly number[], maxBytes: number) => {
    const cutter = new JournalCutter({ token: "t", maxBytes, peer: undefined });
    const records: string[] = [];
    let rest = Buffer.alloc(0);
    let [offset, from, i] = [0, 0, 0];
    for (;;) {
      const to = Math.min(stream.length, from + (pieces[i++ % pieces.length] ?? 1));
      rest = Buffer.concat([rest, stream.subarray(from, to)]);
      from = to;
      for (;;) {
        const batch = new Batch();
        const used = cutter.cut(rest, offset, batch, from === stream.length);
        rest = rest.subarray(used);
        offset += used;
        records.push(...batch.records.map((one) => `${one.position} ${one.flaw?.code ?? ""} ${Buffer.from(one.body).toString("latin1")}`));
        if (used === 0 && batch.empty) break;
      }
      if (from === stream.length) return records;
    }
  };
  const field = fc.oneof(
    fc.stringMatching(/^[A-Z_]{1,8}=[a-z =]{0,40}$/).map((text) => Buffer.from(`${text}\n`)),
    fc.tuple(fc.stringMatching(/^[A-Z_]{1,8}$/), fc.uint8Array({ maxLength: 60 })).map(([name, data]) => binary(name, data)),
  );
  const stream = fc.array(
    fc.array(field, { minLength: 1, maxLength: 4 }).map((fields) => Buffer.concat([...fields, Buffer.from("\n")])),
    { maxLength: 6 },
  );

  test("however the stream is cut into pieces, the records are the same", () => {
    fc.assert(
      fc.property(
        stream,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(60, 1_000),
        (entries, pieces, cap) => {
          const bytes = Buffer.concat(entries);
          const whole = cutAll(bytes, [bytes.length + 1], cap);
          expect(cutAll(bytes, pieces, cap)).toEqual(whole);
          expect(whole.length).toBe(entries.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("any bytes: no throw, and what is flawed says so", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 3 }),
        (bytes, pieces) => {
          for (const text of cutAll(Buffer.from(bytes), pieces, 64)) expect(text).toMatch(/^t:\d+ (bad_journal|too_long)? /);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
