/** Everything hostile or broken at one running Vedette: it stays up and ready, and every input is stored, refused aloud, or a dead letter with its reason. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Chance } from "@vedette/kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort } from "./free_port.ts";
import { settledLedger, Vedette } from "./vedette.ts";

interface Letter {
  readonly source: string;
  readonly position: string;
  readonly stage: string;
  readonly code: string;
  readonly expected: string;
  readonly bytes: string;
}
interface Found {
  readonly source: string;
  readonly time: string;
  readonly original: string;
  readonly fields: { readonly [name: string]: unknown };
}
type Body = string | Uint8Array<ArrayBuffer>;
const megabyte = 1_048_576;
const start_ms = 60_000;

let v: Vedette;
let files: string;
let tcp: number;
let udp: number;

const bytes = (b: Buffer): Uint8Array<ArrayBuffer> => new Uint8Array(b);
/** Records read from each source so far, by the answers of the endpoints; the ledger must come to the same. */
const sent = new Map<string, number>();

/** To `/ingest/<source>`; answers status and counts. */
async function ingest(source: string, body: Body, headers: { [name: string]: string } = {}) {
  const response = await v.fetch(`/ingest/${source}`, { method: "POST", body, headers });
  const answer = (await response.json()) as { accepted?: number; dead?: number; code?: string };
  sent.set(source, (sent.get(source) ?? 0) + (answer.accepted ?? 0) + (answer.dead ?? 0));
  return { status: response.status, accepted: answer.accepted, dead: answer.dead, code: answer.code };
}
async function bulk(body: Body, headers: { [name: string]: string } = {}, path = "/bad/_bulk") {
  const response = await v.fetch(path, { method: "POST", body, headers: { "content-type": "application/x-ndjson", ...headers } });
  const answer = (await response.json()) as { items?: { [action: string]: { status: number } }[] };
  sent.set("elasticsearch", (sent.get("elasticsearch") ?? 0) + (answer.items?.length ?? 0));
  return { status: response.status, items: answer.items?.map((i) => Object.values(i)[0]!.status) };
}
const ledgerOf = async (source: string) => (await settledLedger(v)).find((s) => s.name === source);
async function letters(source: string): Promise<Letter[]> {
  await settledLedger(v);
  const found: Letter[] = [];
  for (let cursor: string | undefined; ; ) {
    const page: { letters: Letter[]; cursor?: string } = await v.get(
      `/api/v1/dead?limit=100${cursor === undefined ? "" : `&cursor=${cursor}`}`,
    );
    found.push(...page.letters.filter((l) => l.source === source));
    cursor = page.cursor;
    if (cursor === undefined) return found;
  }
}
const codes = async (source: string) => (await letters(source)).map((l) => l.code).sort();
const eventsOf = async (source: string) => (await v.events<Found>("")).filter((e) => e.source === source);
const alive = async () => {
  const ready = await v.fetch("/readyz");
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true, problems: [] }]);
};
const failure = (ip: string, time: string, host: string) => `${time} ${host} sshd[7]: Failed password for root from ${ip} port 1 ssh2`;

beforeAll(async () => {
  [tcp, udp] = await Promise.all([freePort(), freePort()]);
  v = new Vedette();
  files = join(v.directory, "in");
  mkdirSync(files);
  writeFileSync(
    join(v.directory, "vedette.yaml"),
    `sources:
  files:
    file: { paths: ["${files}/*.log"], poll_ms: 20, quiet_ms: 100 }
  network:
    syslog: { tcp: "127.0.0.1:${tcp}", udp: "127.0.0.1:${udp}" }
endpoints:
  ingest: { max_body_bytes: ${24 * megabyte}, max_wire_bytes: ${2 * megabyte} }
  elasticsearch: { max_body_bytes: ${24 * megabyte}, max_wire_bytes: ${2 * megabyte} }
`,
  );
  await v.start("--no-demo");
}, start_ms);
afterAll(async () => {
  await v.remove();
});

describe("bytes", () => {
  test("garbage is kept as it is, line by line", async () => {
    const chance = new Chance(7);
    const garbage = Buffer.from(Array.from({ length: 20_000 }, () => chance.whole(0, 255)));
    const { status, accepted = 0, dead = 0 } = await ingest("garbage", bytes(garbage));
    expect([status, accepted + dead > 10]).toEqual([200, true]);
    // the first record since the start: not yet analysed, and all the same nothing is behind
    await alive();
    expect(await ledgerOf("garbage")).toMatchObject({ in: accepted + dead, balance: 0 });
    await alive();
  });

  test("invalid UTF-8 is stored with its bytes shown", async () => {
    expect(await ingest("utf8", bytes(Buffer.from("caf\xe9 \xff\xfe open\n", "latin1")))).toMatchObject({ accepted: 1 });
    await settledLedger(v);
    expect((await eventsOf("utf8")).map((e) => e.original)).toEqual(["caf\\xe9 \\xff\\xfe open"]);
  });

  test("a line of 10 MB is one dead letter with its beginning, and the lines around it are stored", async () => {
    expect(await ingest("long", `first\n${"x".repeat(10 * megabyte)}\nlast\n`)).toEqual({
      status: 200,
      accepted: 2,
      dead: 1,
      code: undefined,
    });
    const [letter, ...others] = await letters("long");
    expect([letter!.code, Buffer.from(letter!.bytes, "base64").length <= 65_536, others]).toEqual(["too_long", true, []]);
    expect((await eventsOf("long")).map((e) => e.original).sort()).toEqual(["first", "last"]);
  });

  test("empty bodies and empty lines are nothing, and a byte order mark is no part of the first record", async () => {
    expect(await ingest("empty", "")).toMatchObject({ status: 200, accepted: 0, dead: 0 });
    expect(await ingest("empty", "\n\r\n\n")).toMatchObject({ status: 200, accepted: 0, dead: 0 });
    expect(await ingest("bom", '\ufeff{"message":"one"}\n{"message":"two"}\n')).toMatchObject({ accepted: 2, dead: 0 });
    await settledLedger(v);
    expect((await eventsOf("bom")).map((e) => e.fields["message"]).sort()).toEqual(["one", "two"]);
    expect(await ledgerOf("empty")).toBeUndefined();
  });

  test("whatever the content is called, it is taken for what it is", async () => {
    for (const type of [
      "text/html",
      "image/png",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      'a/b; c="\u00ff"',
      "nonsense",
    ])
      expect(await ingest("types", '{"message":"typed"}\n', { "content-type": type })).toMatchObject({ status: 200, accepted: 1 });
  });

  test("control bytes in a header are refused by the server, and the next request is served", async () => {
    const socket = connect(Number(new URL(v.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(Buffer.from("POST /ingest/headers HTTP/1.1\r\nhost: x\r\nx-bad: \x00\x01\x7f\r\ncontent-length: 1\r\n\r\nx", "latin1"));
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    await alive();
  });
});

describe("JSON", () => {
  test("a million levels deep is a dead letter; its neighbours are stored", async () => {
    const deep = `{"a":${"[".repeat(megabyte / 2 - 8)}`;
    const closed = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const million = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    expect(await ingest("deep", `{"message":"before"}\n${closed}\n${deep}\n{"message":"after"}\n`)).toMatchObject({
      status: 200,
      accepted: 2,
      dead: 2,
    });
    expect((await ingest("million", million)).status).toBe(200);
    expect(
      (await bulk(`{"create":{}}\n{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}\n{"create":{}}\n{"message":"beside"}\n`)).items,
    ).toEqual([201, 201]);
    expect((await codes("deep")).every((c) => ["too_deep", "bad_json", "too_long"].includes(c))).toBe(true);
    await settledLedger(v);
    expect((await eventsOf("deep")).map((e) => e.fields["message"]).sort()).toEqual(["after", "before"]);
    await alive();
  });

  test("__proto__ and constructor are names like any other, and nobody's prototype changes", async () => {
    const hostile =
      '{"message":"p","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":2}},"a":{"__proto__":{"b":3}},"toString":"x","hasOwnProperty":1}';
    expect(await ingest("proto", `${hostile}\n{"message":"q"}\n`)).toMatchObject({ accepted: 2 });
    await settledLedger(v);
    const events = await eventsOf("proto");
    expect(events.map((e) => e.fields["message"]).sort()).toEqual(["p", "q"]);
    for (const e of events) expect(Object.keys(e.fields)).not.toContain("polluted");
    await alive();
  });

  test("vedette's own fields cannot be set from outside, and of a key given twice one is kept", async () => {
    expect(
      await ingest("twice", '{"message":"first","message":"second","vedette.demo":true,"vedette":{"demo":true,"source":"forged"}}\n'),
    ).toMatchObject({ accepted: 1 });
    await settledLedger(v);
    const [event] = await eventsOf("twice");
    expect(event!.fields["message"]).toBe("second");
    expect(Object.keys(event!.fields).filter((f) => f.startsWith("vedette."))).toEqual(["vedette.decoder"]);
  });

  test("half a record, wrong values and bare scalars do not take their neighbours along", async () => {
    const body =
      '{"message":"whole"}\n{"message":"ha\n{"@timestamp":{"no":"time"},"event.category":[{"x":[]}],"host":7,"source":{"ip":"not an address"},"user":[null]}\n17\nnull\n"text"\n{}\n';
    const { status, accepted = 0, dead = 0 } = await ingest("half", body);
    expect([status, accepted + dead]).toEqual([200, 7]);
    expect(await ledgerOf("half")).toMatchObject({ in: 7, balance: 0, pending: 0 });
    expect((await eventsOf("half")).some((e) => e.fields["message"] === "whole")).toBe(true);
    await alive();
  });
});

describe("bodies", () => {
  test("bombs are refused by size and ratio, damaged and unknown encodings by name", async () => {
    const bomb = Buffer.alloc(64 * megabyte, "a");
    expect(await ingest("bomb", bytes(gzipSync(bomb)), { "content-encoding": "gzip" })).toMatchObject({ status: 413, code: "too_large" });
    expect(await ingest("bomb", bytes(zstdCompressSync(bomb)), { "content-encoding": "zstd" })).toMatchObject({
      status: 413,
      code: "too_large",
    });
    expect(await ingest("bomb", "plain", { "content-encoding": "gzip" })).toMatchObject({ status: 400, code: "bad_encoding" });
    expect(
      await ingest("bomb", bytes(gzipSync("cut short, and so it is no whole file").subarray(0, 20)), { "content-encoding": "gzip" }),
    ).toMatchObject({
      status: 400,
      code: "bad_encoding",
    });
    expect(await ingest("bomb", "x", { "content-encoding": "rot13" })).toMatchObject({ status: 400, code: "bad_encoding" });
    expect((await bulk(bytes(gzipSync(bomb)), { "content-encoding": "gzip" })).status).toBe(413);
    expect(await ledgerOf("bomb")).toBeUndefined();
    expect(await ingest("zstd", bytes(zstdCompressSync('{"message":"packed"}\n')), { "content-encoding": "zstd" })).toMatchObject({
      accepted: 1,
    });
  });

  test("a body over the limit is refused whole, and the connection's next request is served", async () => {
    expect(await ingest("large", bytes(Buffer.alloc(25 * megabyte, "x\n")))).toMatchObject({ status: 413, code: "too_large" });
    expect((await bulk(bytes(Buffer.alloc(25 * megabyte, " ")))).status).toBe(413);
    await alive();
  });

  test("half a _bulk: every document that can be read is taken, and what is odd becomes a dead letter", async () => {
    const before = (await letters("elasticsearch")).length;
    const body =
      '{"create":{}}\n{"message":"bulk one"}\n{"create":{}}\n{"message":"bul\n{"index":{"_id":"x"}}\nnot json\n{"delete":{"_id":"x"}}\nnot an action\n{"message":"lonely"}\n{"create":{}}\n{"create":{}}\n{"message":"bulk two"}\n{"create":{}}\n';
    const { status, items } = await bulk(body);
    expect(status).toBe(200);
    await settledLedger(v);
    const taken = (await eventsOf("elasticsearch")).map((e) => e.fields["message"]);
    expect(taken).toEqual(expect.arrayContaining(["bulk one", "bulk two"]));
    const dead = (await letters("elasticsearch")).length - before;
    expect(dead).toBe(items!.length - 2);
    expect((await bulk("")).status).toBe(400);
    expect((await bulk("\n\n")).status).toBe(400);
    expect((await bulk(`{"create":{"_index":"../../etc","_id":"${"i".repeat(600)}"}}\n{"message":"odd names"}\n`)).items).toEqual([201]);
  });
});

describe("clocks", () => {
  test("clocks in 1970, 2100 and 9999 poison nobody: guessing on another host is still found", async () => {
    const bad = ["1970-01-01T00:00:01Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:58Z"]
      .map(
        (t, i) =>
          `${JSON.stringify({ "@timestamp": t, "event.category": "authentication", "event.outcome": "failure", "source.ip": `192.0.2.${i + 1}`, "host.name": `bad${i}`, message: t })}\n`,
      )
      .join("");
    expect(await ingest("clocks", bad)).toMatchObject({ accepted: 3 });
    const now = Date.now() - 60_000;
    for (let i = 0; i < 8; i++) {
      const good = { "event.category": "authentication", "event.outcome": "failure", "source.ip": "192.0.2.9", "host.name": "good" };
      const time = new Date(now + i * 1_000).toISOString();
      expect(await ingest("clocks", `${bad}${JSON.stringify({ "@timestamp": time, ...good })}\n`)).toMatchObject({
        status: 200,
        accepted: 4,
      });
    }
    const { alerts } = await v.until(
      () => v.get<{ alerts: { summary: string }[] }>("/api/v1/alerts?rule=brute_force&entity=192.0.2.9"),
      (a) => a.alerts.length > 0,
    );
    expect(alerts[0]!.summary).toContain("192.0.2.9 failed to log in 6 times");
    expect(await ledgerOf("clocks")).toMatchObject({ in: 35, stored: 35, balance: 0 });
    await alive();
  });
});

describe("files and sockets", () => {
  test("a truncated Zeek log keeps its good rows", async () => {
    const head = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n";
    const fields =
      "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\n";
    const row = (n: number) => `1511269439.${n}00000\tC${n}\t10.0.0.${n}\t1\t10.0.0.9\t80\ttcp`;
    writeFileSync(join(files, "conn.log"), `${head}${fields}${row(1)}\n${row(2)}\n1511269439.3\tC3\t10.0`);
    writeFileSync(join(files, "conn_headless.log"), `${row(4)}\n${row(5)}\n`);
    const good = await v.until(
      () => v.events<Found>("event.dataset:zeek.conn"),
      (e) => e.length >= 2,
    );
    expect(good.map((e) => e.fields["source.ip"]).sort()).toEqual(["10.0.0.1", "10.0.0.2"]);
    await v.until(
      () => ledgerOf("files"),
      (s) => (s?.in ?? 0) >= 5,
    );
    expect(await codes("files")).toContain("bad_columns");
    expect((await ledgerOf("files"))!.balance).toBe(0);
  });

  test("a file full of nothing good is read to its end", async () => {
    const before = (await ledgerOf("files"))?.in ?? 0;
    const chance = new Chance(11);
    writeFileSync(join(files, "noise.log"), Buffer.from(Array.from({ length: 50_000 }, () => chance.whole(0, 255))));
    appendFileSync(join(files, "noise.log"), `\n${"y".repeat(megabyte)}\nthe end\n`);
    await v.until(
      () => v.events<Found>('"the end"'),
      (e) => e.length > 0,
    );
    const after = (await ledgerOf("files"))!;
    expect(after.in).toBeGreaterThan(before + 100);
    expect(after.balance).toBe(0);
    expect(await codes("files")).toContain("too_long");
  });

  test("syslog connections that lie about lengths, stop in the middle or send noise harm no other", async () => {
    const chance = new Chance(13);
    const noise = Buffer.from(Array.from({ length: 5_000 }, () => chance.whole(0, 255)));
    for (const hostile of [
      noise,
      Buffer.from("999999999999 x"),
      Buffer.from("100 <38>short"),
      Buffer.from(`${"9".repeat(400)}\n`),
      Buffer.from("\0\0\0\0\n"),
    ]) {
      const socket = connect(tcp, "127.0.0.1");
      socket.on("error", () => {});
      await once(socket, "connect");
      const closed = once(socket, "close");
      socket.resume();
      socket.end(hostile);
      await closed;
    }
    const sender = createSocket("udp4");
    const datagram = (b: Buffer) => new Promise((done) => sender.send(b, udp, "127.0.0.1", done));
    await datagram(noise);
    await datagram(Buffer.alloc(0));
    await datagram(Buffer.from(`<38>${failure("192.0.2.77", "Nov 20 06:00:00", "node9")}`));
    sender.close();
    const found = await v.until(
      () => v.events<Found>("source.ip:192.0.2.77"),
      (e) => e.length > 0,
    );
    expect(found[0]!.fields["event.action"]).toBe("ssh_login");
    expect((await ledgerOf("network"))!.balance).toBe(0);
  });
});

test("after all that: ready, nothing unaccounted for, and a dead letter with its reason for each that was refused", async () => {
  await alive();
  const sources = await settledLedger(v);
  for (const s of sources)
    expect({ name: s.name, balance: s.balance, pending: s.pending }).toEqual({ name: s.name, balance: 0, pending: 0 });
  for (const [source, n] of sent) if (n > 0) expect([source, sources.find((s) => s.name === source)?.in]).toEqual([source, n]);
  for (const s of sources) {
    const kept = await letters(s.name);
    expect([s.name, kept.length]).toEqual([s.name, s.dead]);
    for (const l of kept)
      expect(l.code.length > 0 && l.expected.length > 0 && l.stage.length > 0 && l.bytes.length > 0, JSON.stringify(l).slice(0, 200)).toBe(
        true,
      );
  }
  const stored = await v.get<{ rows: [number][] }>(`/api/v1/query?q=${encodeURIComponent("| stats count() as n")}&to=2200-01-01T00:00:00Z`);
  expect(stored.rows[0]![0]).toBe(sources.reduce((n, s) => n + s.stored, 0));
  const metrics = await (await v.fetch("/metrics")).text();
  expect(metrics).toMatch(/dead/);
  expect(v.output).not.toMatch(/Error:|at .*\.ts:\d+/);
  expect(await v.stop()).toBe(0);
});
