import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { systemClock } from "@vedette/kit";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../address.ts";
import { type Binary, pack, ValueReader, ValueScanner } from "../forward/msgpack.ts";
import { listenForward } from "../forward/tcp.ts";
import { RecordingIntake } from "../recording.fixture.ts";
import forward from "./fluent_forward.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(more: { readonly key?: string; readonly maxMessageBytes?: number; readonly maxRecordBytes?: number } = {}) {
  const intake = new RecordingIntake();
  const warnings: string[] = [];
  const stop = new AbortController();
  const bound = Promise.withResolvers<Address>();
  const ended = listenForward(
    {
      name: "forward",
      address: { host: "127.0.0.1", port: 0 },
      key: undefined,
      maxConnections: 10,
      idle_ms: 60_000,
      maxMessageBytes: 1_000_000,
      maxRecordBytes: 1_000_000,
      listening: bound.resolve,
      ...more,
    },
    { name: "test", intake, clock: systemClock, warn: (code) => void warnings.push(code), signal: stop.signal },
  );
  const { port } = await bound.promise;
  stops.push(async () => {
    stop.abort();
    await ended;
  });
  return { intake, warnings, client: () => new Client(connect(port, "127.0.0.1")) };
}

/** Writes bytes, reads values. */
class Client {
  readonly socket: Socket;
  #rest = Buffer.alloc(0);
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
  }
  send(bytes: Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }
  /** The next value the server says, or undefined when it closes. */
  async next(): Promise<unknown> {
    for (;;) {
      const end = this.#rest.length === 0 ? -1 : new ValueScanner().scan(this.#rest);
      if (end > 0) {
        const value = new ValueReader(this.#rest).read();
        this.#rest = this.#rest.subarray(end);
        return value;
      }
      const piece = (this.socket.read() as Buffer | null) ?? undefined;
      if (piece !== undefined) this.#rest = Buffer.concat([this.#rest, piece]);
      else if (this.socket.readableEnded || this.socket.destroyed) return undefined;
      else await Promise.race(["readable", "end", "close"].map((name) => once(this.socket, name))).catch(() => {});
    }
  }
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
/** EventTime of 2024-05-01T10:00:00.25Z as the logger sends it: fixext 8, type 0. */
const eventTime = hex("d700 663212a0 0ee6b280");
const stamp = "2024-05-01T10:00:00.250000000Z";
const list = (...parts: readonly Buffer[]) => Buffer.concat([Buffer.from([0x90 + parts.length]), ...parts]);
const record = (text: string) => pack({ log: text });
const entries = (...texts: readonly string[]) => texts.map((text) => list(eventTime, record(text)));
const long = (bytes: Buffer) =>
  Buffer.concat([hex("c6"), Buffer.from([0, bytes.length >> 16, (bytes.length >> 8) & 255, bytes.length & 255]), bytes]);
const option = (members: object) => pack(members);
const documentOf = (log: string) => ({ "@timestamp": stamp, log, fluent: { tag: "a.b" } });

describe("the four modes, each acknowledged", () => {
  const packed = Buffer.concat(entries("one", "two"));
  test.each([
    ["Message", list(pack("a.b"), eventTime, record("one"), option({ chunk: "c1" })), ["one"]],
    ["Forward", list(pack("a.b"), list(...entries("one", "two")), option({ chunk: "c1" })), ["one", "two"]],
    ["PackedForward", list(pack("a.b"), long(packed), option({ chunk: "c1" })), ["one", "two"]],
    [
      "PackedForward as a text",
      list(pack("a.b"), Buffer.concat([hex("db000000"), Buffer.from([packed.length]), packed]), option({ chunk: "c1" })),
      ["one", "two"],
    ],
    ["CompressedPackedForward", list(pack("a.b"), long(gzipSync(packed)), option({ compressed: "gzip", chunk: "c1" })), ["one", "two"]],
    ["zstd", list(pack("a.b"), long(zstdCompressSync(packed)), option({ compressed: "zstd", chunk: "c1" })), ["one", "two"]],
  ])("%s", async (_, bytes, texts) => {
    const { intake, client } = await start();
    const one = client();
    // In pieces, as it may come.
    for (let at = 0; at < bytes.length; at += 7) one.send(bytes.subarray(at, at + 7));
    expect(await one.next()).toEqual(Object.assign(Object.create(null), { ack: "c1" }));
    expect(intake.texts.map((text) => JSON.parse(text))).toEqual(texts.map(documentOf));
    // Sent again after a lost answer: the same ids.
    expect(await one.send(bytes).next()).toMatchObject({ ack: "c1" });
    expect(intake.seen.size).toBe(texts.length);
    expect(intake.records.every(({ peer, id, position }) => peer === "127.0.0.1" && id === position)).toBe(true);
  });

  test("times, types and names of records as JSON", async () => {
    const { intake, client } = await start();
    const one = client();
    one.send(list(pack("t"), hex("ce663212a0"), pack({ a: true, "@timestamp": "mine", fluent: "mine" })));
    // Fluent Bit 2: the time with its metadata; uint 64, float, nil, bin, a number as a name, __proto__
    const odd = hex("86 a161 cfffffffffffffffff a162 cb3fe0000000000000 a163 c0 a164 c40161 01 d0ff a95f5f70726f746f5f5f 81a17801");
    one.send(list(pack("t"), list(list(list(eventTime, hex("80")), odd)), option({ chunk: "c" })));
    await one.next();
    expect(intake.texts).toEqual([
      '{"a":true,"@timestamp":"mine","fluent":"mine"}',
      `{"1":-1,"@timestamp":"${stamp}","a":"18446744073709551615","b":0.5,"c":null,"d":"a","__proto__":{"x":1},"fluent":{"tag":"t"}}`,
    ]);
  });

  test("no acknowledgement before it is durable", async () => {
    const { intake, client } = await start();
    intake.refuse = 2;
    const one = client().send(list(pack("a.b"), list(...entries("one")), option({ chunk: "c1" })));
    await one.next();
    expect([intake.refuse, intake.texts.length]).toEqual([0, 1]);
  });
});

describe("the handshake by a shared key", () => {
  const sha = (...parts: readonly (string | Buffer)[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash("sha512")).digest("hex");
  const hello = async (client: Client, key: string) => {
    const [type, options] = (await client.next()) as [string, { nonce: Binary }];
    expect(type).toBe("HELO");
    const salt = hex("00ff80c3285f");
    client.send(pack(["PING", "node1", salt, sha(salt, "node1", options.nonce.bytes, key), "", ""]));
    return { pong: (await client.next()) as unknown[], salt, nonce: options.nonce.bytes };
  };
  const message = list(pack("a.b"), eventTime, record("one"), option({ chunk: "c1" }));

  test("who knows the key is told that the server knows it too", async () => {
    const { intake, client } = await start({ key: "secret" });
    const one = client();
    const { pong, salt, nonce } = await hello(one, "secret");
    expect(pong).toEqual(["PONG", true, "", "vedette", sha(salt, "vedette", nonce, "secret")]);
    await one.send(message).next();
    expect(intake.texts.length).toBe(1);
  });

  test("who does not is told so and closed; nothing is taken", async () => {
    const { intake, warnings, client } = await start({ key: "secret" });
    const one = client();
    const { pong } = await hello(one, "guess");
    expect(pong.slice(0, 3)).toEqual(["PONG", false, "shared_key mismatch"]);
    expect(await one.send(message).next()).toBeUndefined();
    const silent = client().send(message);
    await silent.next();
    expect(await silent.next()).toEqual(["PONG", false, "shared_key mismatch", "", ""]);
    const huge = client().send(Buffer.alloc(10_000, 0x93));
    await huge.next();
    expect(await huge.next()).toBeUndefined();
    expect(warnings).toEqual(["forward_refused", "forward_refused", "forward_refused"]);
    expect(intake.records).toEqual([]);
  });
});

describe("what cannot be taken becomes one dead letter and ends its connection only", () => {
  test.each([
    ["text", Buffer.from("GET / HTTP/1.1\r\n\r\n".repeat(100))],
    ["no MessagePack", hex("92a161c1")],
    ["an empty list", hex("90")],
    ["no tag", list(hex("01"), hex("90"))],
    ["a tag alone", list(pack("a"))],
    ["a time alone", list(pack("a"), hex("01"))],
    ["depth", Buffer.alloc(100, 0x91)],
    ["a message over its cap", list(pack("a"), long(Buffer.alloc(3_000)))],
  ])("%s", async (_, bytes) => {
    const { intake, warnings, client } = await start({ maxMessageBytes: 2_000 });
    const neighbour = client();
    expect(await client().send(bytes).next()).toBeUndefined();
    await neighbour.send(list(pack("a.b"), eventTime, record("one"), option({ chunk: "c1" }))).next();
    expect(intake.records.map((one) => one.flaw?.code)).toEqual(["bad_request", undefined]);
    expect(warnings.at(-1)).toBe("forward_failed");
  });

  test("half a message", async () => {
    const { intake, client } = await start();
    const one = client();
    one.send(list(pack("a"), eventTime, record("one")).subarray(0, 15)).socket.end();
    expect(await one.next()).toBeUndefined();
    expect(intake.records.map((it) => [it.flaw?.code, it.body.length])).toEqual([["bad_request", 15]]);
  });

  test("an array that claims four thousand million values", async () => {
    const { intake, client } = await start();
    const one = client().send(Buffer.concat([hex("92a161ddffffffff"), Buffer.alloc(1_100_000, 0xc0)]));
    expect(await one.next()).toBeUndefined();
    expect(intake.records.length).toBe(1);
  });

  test("odd entries of a chunk are dead letters, the others are kept, the chunk is acknowledged", async () => {
    const { intake, client } = await start({ maxRecordBytes: 100 });
    const odd = [...entries("one"), hex("07"), list(eventTime, hex("07")), ...entries("x".repeat(200)), ...entries("two")];
    const one = client().send(list(pack("a.b"), list(...odd), option({ chunk: "c1" })));
    expect(await one.next()).toMatchObject({ ack: "c1" });
    expect(intake.records.map((it) => it.flaw?.code)).toEqual([undefined, "bad_request", "bad_request", "too_long", undefined]);
  });

  test.each([
    ["half an entry", long(Buffer.concat([...entries("one"), hex("92d7")])), {}, [undefined, "bad_request"]],
    ["no gzip", long(Buffer.from("plain")), { compressed: "gzip" }, ["bad_encoding"]],
    ["an unknown compression", long(Buffer.from("plain")), { compressed: "lzma" }, ["bad_encoding"]],
    ["a bomb", long(gzipSync(Buffer.alloc(8_000_000))), { compressed: "gzip" }, ["bad_encoding"]],
  ])("packed: %s", async (_, bytes, members, flaws) => {
    const { intake, client } = await start();
    const one = client().send(list(pack("a.b"), bytes, option({ ...members, chunk: "c1" })));
    expect(await one.next()).toMatchObject({ ack: "c1" });
    expect(intake.records.map((it) => it.flaw?.code)).toEqual(flaws);
  });
});

describe("MessagePack", () => {
  test("what is packed is read again, and ends where it ends, whatever the pieces", () => {
    const leaf = fc.oneof(fc.boolean(), fc.string({ maxLength: 80 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.string({ maxLength: 5 }), tie("value"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.nat(), (any, cut) => {
        const bytes = pack(any);
        const scanner = new ValueScanner();
        const first = scanner.scan(bytes.subarray(0, cut % bytes.length));
        expect(first).toBe(-1);
        expect(scanner.scan(Buffer.concat([bytes, bytes]))).toBe(bytes.length);
        expect(JSON.stringify(new ValueReader(bytes).read())).toBe(JSON.stringify(any));
      }),
    );
  });

  test("any bytes: the scanner and the reader agree, and nothing else is thrown", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
        const bytes = Buffer.from(any);
        const end = new ValueScanner().scan(bytes);
        const reader = new ValueReader(bytes);
        if (end > 0) {
          JSON.stringify(reader.read());
          expect(reader.at).toBe(end);
        } else expect(() => reader.read()).toThrow(/MessagePack|nested/);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  [{}, true],
  [{ tcp: "0.0.0.0:24224" }, false],
  [{ tcp: "0.0.0.0:24224", allow_remote: true }, true],
  [{ tcp: "0.0.0.0:24224", tls: { cert_file: "c", key_file: "k" } }, true],
])("addresses: %j", (config, fine) => expect(forward.config.safeParse(config).success).toBe(fine));

test("a key file that is missing or empty stops the source", async () => {
  const context = { name: "test", intake: new RecordingIntake(), positions: new Map(), clock: systemClock, warn: () => {} };
  for (const file of ["/nowhere/forward.key", "/dev/null"]) {
    const config = forward.config.parse({ shared_key_file: file, tcp: "127.0.0.1:0" });
    await expect(forward.run({ ...context, config, signal: new AbortController().signal })).rejects.toMatchObject({
      code: "source_unavailable",
    });
  }
});
