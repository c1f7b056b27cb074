import { deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { UnavailableError } from "@vedette/kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import ingest from "./ingest.ts";
import { EndpointRun, type TestRequest } from "./requests.fixture.ts";

const send = async (request: Partial<TestRequest>, config: object = {}) => {
  const run = new EndpointRun(ingest, config);
  const response = await run.send({ path: "/ingest", ...request });
  const intake = run.intake(request.path?.split("/")[2] ?? "ingest");
  return { status: response.status, reply: JSON.parse(String(response.body ?? "{}")), intake, texts: intake.texts, response };
};

describe("shapes, judged by content", () => {
  test.each([
    ["NDJSON", '{"a":1}\n{"a":2}\r\n\n{"a":3}', ['{"a":1}', '{"a":2}', '{"a":3}']],
    ["an array", '[{"a":1}, {"a":[2,"]"]}\n]', ['{"a":1}', '{"a":[2,"]"]}']],
    ["one object", '{"a":1}', ['{"a":1}']],
    ["a pretty object", '{\n "a": 1\n}', ['{\n "a": 1\n}']],
    ["pretty objects", '{\n "a": 1\n}\n{\n "a": 2\n}\n', ['{\n "a": 1\n}', '{\n "a": 2\n}']],
    ["lines", "one\n\ntwo\n[Wed] three", ["one", "two", "[Wed] three"]],
    ["lines that begin with a bracket", "[Wed Oct 11] a\n[Wed Oct 11] b\n", ["[Wed Oct 11] a", "[Wed Oct 11] b"]],
    ["NDJSON after a byte order mark", '\ufeff{"a":1}\n', ['{"a":1}']],
    ["nothing", "", []],
    ["blank lines", "\n \n\r\n", []],
  ])("%s", async (_, body, expected) => {
    const { status, reply, texts } = await send({ body });
    expect(texts).toEqual(expected);
    expect([status, reply]).toEqual([200, { accepted: expected.length, dead: 0, duplicates: 0 }]);
  });

  test("a Zeek header becomes the preamble", async () => {
    const { intake } = await send({ body: "#separator \\x09\n#fields\ta\n1\n" });
    expect(intake.accepts.map((accept) => [accept.preamble, accept.records.length])).toEqual([["#separator \\x09\n#fields\ta", 1]]);
  });

  test("what cannot be parsed travels with its flaw", async () => {
    const deep = "[".repeat(1_000_000);
    const { reply, intake } = await send({ body: `{"a":1}\n{"b":\nplain\n{"c":tru}\n{"d":${deep}\n{"e":1}{"f":1}\n{"g":7}\n` });
    expect(intake.records.map((record) => record.flaw?.code)).toEqual([
      undefined,
      "bad_json",
      "bad_json",
      "bad_json",
      "too_deep",
      "bad_json",
      undefined,
    ]);
    expect(reply).toEqual({ accepted: 2, dead: 5, duplicates: 0 });
  });

  test("depth of a million within the record cap", async () => {
    const { reply, intake } = await send({ body: `{"a":1}\n{"a":${"[".repeat(1_000_000)}` });
    expect(intake.records.map((record) => [record.flaw?.code, record.body.length])).toEqual([
      [undefined, 7],
      ["too_deep", 65_536],
    ]);
    expect(reply.dead).toBe(1);
  });

  test("records and positions: unique within and between requests, the same for one Idempotency-Key", async () => {
    const run = new EndpointRun(ingest);
    const all: readonly { readonly [name: string]: string }[] = [{}, {}, { "idempotency-key": "k" }, { "idempotency-key": "k" }];
    for (const headers of all) {
      await run.send({ path: "/ingest/web", body: "a\nb", headers });
    }
    expect(run.intake("web").records.length).toBe(8);
    expect(run.intake("web").distinct.size).toBe(6);
  });

  test("large bodies go in batches; the peer is on every record", async () => {
    const { intake, reply } = await send({ body: `${"x".repeat(99)}\n`.repeat(30_000) });
    expect(reply.accepted).toBe(30_000);
    expect(Math.max(...intake.accepts.map((accept) => accept.records.length))).toBeLessThanOrEqual(4_000);
    expect(intake.records.every((record) => record.peer === "192.0.2.1")).toBe(true);
  });
});

describe("bounds", () => {
  const text = '{"a":1}\n'.repeat(1_000);
  test.each([
    ["gzip", gzipSync(text)],
    ["deflate", deflateSync(text)],
    ["deflate", deflateRawSync(text)],
    ["zstd", zstdCompressSync(text)],
  ])("%s", async (encoding, body) => {
    expect((await send({ body, headers: { "content-encoding": encoding } })).reply.accepted).toBe(1_000);
  });

  test.each([
    ["a bomb by ratio", 413, "too_large", gzipSync(Buffer.alloc(8_000_000))],
    ["a zstd bomb by ratio", 413, "too_large", zstdCompressSync(Buffer.alloc(50_000_000))],
    ["damaged", 400, "bad_encoding", gzipSync(text).subarray(0, 30)],
    ["not gzip", 400, "bad_encoding", Buffer.from(text)],
  ])("%s", async (_, status, code, body) => {
    const encoding = body.readUInt32LE(0) === 0xfd2fb528 ? "zstd" : "gzip";
    const sent = await send({ body, headers: { "content-encoding": encoding } });
    expect([sent.status, sent.reply.code, sent.intake.records.length]).toEqual([status, code, 0]);
    expect(sent.response.headers?.["content-type"]).toBe("application/problem+json");
  });

  test("unknown encodings, also those named like an object's own members", async () => {
    for (const encoding of ["compress", "constructor", "gzip, gzip"]) {
      expect((await send({ body: "a", headers: { "content-encoding": encoding } })).status).toBe(400);
    }
  });

  test("body caps, plain and on the wire", async () => {
    const caps = { max_body_bytes: 10_000, max_wire_bytes: 2_000 };
    expect((await send({ body: "a".repeat(10_001) }, caps)).status).toBe(413);
    expect((await send({ body: "a".repeat(10_000) }, caps)).status).toBe(200);
    const noise = Buffer.from(Array.from({ length: 3_000 }, (_, i) => (i * 7_919) % 251));
    expect(
      (await send({ body: zstdCompressSync(noise), headers: { "content-encoding": "zstd" } }, { ...caps, max_wire_bytes: 1_024 })).status,
    ).toBe(200);
  });

  test("a record over its cap keeps its hash", async () => {
    const { intake, reply } = await send({ body: `a\n${"b".repeat(2_000_000)}\nc` });
    expect(intake.records.map((record) => [record.flaw?.code, record.body.length])).toEqual([
      [undefined, 1],
      ["too_long", 65_536],
      [undefined, 1],
    ]);
    expect(reply).toEqual({ accepted: 2, dead: 1, duplicates: 0 });
  });

  test("a source with an odd name is not found", async () => {
    expect((await send({ path: "/ingest/a%20b", body: "x" })).status).toBe(404);
  });

  test("back-pressure passes through", async () => {
    const run = new EndpointRun(ingest);
    run.intake("ingest").refuse = 1;
    await expect(run.send({ path: "/ingest", body: "a" })).rejects.toBeInstanceOf(UnavailableError);
  });

  test("any bytes give an answer, and no byte that is not white space is lost", async () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "\n", " ", "\\", "1", "{}", '{"a":1}'), fc.string()),
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (parts) => {
        const body = parts.join("");
        const { status, intake } = await send({ body });
        expect(status).toBe(200);
        const kept = intake.accepts.map((accept) => (accept.preamble ?? "") + accept.records.map((record) => String(record.body)).join(""));
        const lost = [...body.replace(/[\s,[\]]|\p{White_Space}/gu, "")].filter((letter) => !kept.join("").includes(letter));
        expect(lost).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
