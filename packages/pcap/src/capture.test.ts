import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Capture, type CaptureOptions, isCapture, type Row } from "./index.ts";
import { flag } from "./layers.ts";
import { clientHello, conversation, dns, frame, pcap, pcapng, tcp, udp } from "./packets.fixture.ts";

function rowsOf(bytes: Buffer, options: CaptureOptions & { readonly piece?: number } = {}) {
  const rows: Row[] = [];
  const capture = new Capture((row) => rows.push(row), options);
  for (let at = 0; at < bytes.length; at += options.piece ?? bytes.length)
    capture.read(bytes.subarray(at, at + (options.piece ?? bytes.length)));
  return { flaw: capture.end(), rows, counts: capture.counts };
}
const of = (rows: readonly Row[], path: Row["_path"]) => rows.filter((r) => r._path === path);

const web = { from: "10.0.0.9", fromPort: 40_000, to: "203.0.113.80", toPort: 443 };
const pool = { from: "10.0.0.9", fromPort: 40_001, to: "203.0.113.81", toPort: 3_333 };
const names = { from: "10.0.0.9", fromPort: 5_353, to: "10.0.0.1", toPort: 53 };
const answered = { from: "10.0.0.1", fromPort: 53, to: "10.0.0.9", toPort: 5_353 };
const hello = clientHello("www.example.org");
const frames = [
  udp(names, dns("pool.example.net")),
  udp(answered, dns("pool.example.net", "203.0.113.81")),
  ...conversation(web, [
    ["client", hello],
    ["server", Buffer.from("16030300020200", "hex")],
  ]),
  ...conversation(pool, [
    ["client", '{"id":1,"method":"mining.subscribe","params":["cpuminer/2.5.1"]}\n'],
    ["server", '{"id":1,"result":[[["mining.notify","ae68"]],"08000002",4],"error":null}\n'],
  ]),
];

describe("a capture becomes rows", () => {
  const { rows, flaw, counts } = rowsOf(pcap(frames));
  test("without a flaw, everything looked at", () => {
    expect([flaw, counts]).toEqual([undefined, { packets: 16, connections: 3, rows: 6, cutShort: 0, skipped: {} }]);
  });
  test("names asked for, with their answer", () => {
    expect(of(rows, "dns")).toMatchObject([
      {
        query: "pool.example.net",
        qtype_name: "A",
        rcode_name: "NOERROR",
        answers: ["203.0.113.81"],
        TTLs: [300],
        rtt: 0.1,
        "id.resp_p": 53,
      },
    ]);
  });
  test("the name in a TLS hello, and its fingerprint without GREASE", () => {
    expect(of(rows, "ssl")).toMatchObject([
      {
        server_name: "www.example.org",
        next_protocol: "h2",
        ja3: expect.stringMatching(/^[0-9a-f]{32}$/),
        ja4: expect.stringMatching(/^t12d0204h2_[0-9a-f]{12}_[0-9a-f]{12}$/),
      },
    ]);
  });
  test("what was said of mining", () => {
    expect(of(rows, "stratum")).toMatchObject([
      { methods: ["mining.notify", "mining.subscribe"], agent: "cpuminer/2.5.1", "id.resp_h": "203.0.113.81", "id.resp_p": 3_333 },
    ]);
  });
  test("connections with their state, bytes and services", () => {
    expect(
      of(rows, "conn").map((r) => [r["id.resp_h"], r["service"], r["conn_state"], r["history"], r["orig_bytes"], r["resp_bytes"]]),
    ).toEqual([
      ["10.0.0.1", "dns", "SF", "Dd", 34, 50],
      ["203.0.113.80", "ssl", "SF", "ShADdFf", hello.length, 7],
      ["203.0.113.81", undefined, "SF", "ShADdFf", 65, 73],
    ]);
  });
});

test("pcap of either byte order and resolution, and pcapng, tell the same", () => {
  const { rows } = rowsOf(pcap(frames));
  for (const other of [pcap(frames, { little: false }), pcap(frames, { nano: true }), pcapng(frames)]) {
    expect(isCapture(other)).toBe(true);
    expect(rowsOf(other).rows).toEqual(rows);
  }
});

test("VLAN tags, IPv6 and bare IP are seen through", () => {
  const six = { from: "2001:db8::9", fromPort: 40_000, to: "2001:db8::53", toPort: 53 };
  const { rows } = rowsOf(pcap([udp(six, dns("a.example"), 42)]));
  expect(of(rows, "conn")).toMatchObject([{ "id.orig_h": "2001:db8::9", "id.resp_h": "2001:db8::53", vlan: 42, conn_state: "S0" }]);
  const bare = rowsOf(pcap([udp(names, dns("a.example")).subarray(14)], { link: 101 }));
  expect(of(bare.rows, "dns")).toMatchObject([{ query: "a.example" }]);
});

describe("tunnels are seen through, and the connection within is told", () => {
  const inner = conversation(pool, [
    ["client", '{"id":1,"method":"mining.subscribe","params":[]}\n{"id":2,"method":"mining.authorize"}\n'],
  ]);
  const outer = { from: "192.0.2.1", fromPort: 50_000, to: "192.0.2.2", toPort: 4_789 };
  const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
  const udpTo = (toPort: number, head: Buffer) => (f: Buffer) => udp({ ...outer, toPort }, Buffer.concat([head, f]));
  const greOf = (head: string, from: number) => (f: Buffer) => frame(outer, 47, Buffer.concat([bytes(head), f.subarray(from)]));
  const tagged = (tags: string) => (f: Buffer) => Buffer.concat([f.subarray(0, 12), bytes(tags), f.subarray(12)]);
  const linked = (type: string) => (f: Buffer) => Buffer.concat([f.subarray(0, 12), bytes(type), f.subarray(14)]);
  test.each<[string, (f: Buffer) => Buffer]>([
    ["VXLAN", udpTo(4_789, bytes("08000000 00002a00"))],
    ["Geneve with an option", udpTo(6_081, bytes("01006558 00002a00 00010000"))],
    ["GRE with a key", greOf("20000800 00000007", 14)],
    ["GRE with Ethernet in it", greOf("00006558", 0)],
    ["ERSPAN II", greOf("100088be 00000001 1001000100000000", 0)],
    ["IP in IP", (f) => frame(outer, 4, f.subarray(14))],
    ["QinQ", tagged("88a80064 8100002a")],
    ["MPLS, two labels", linked("8847 00064040 0006513f")],
    ["PPPoE", linked("8864 11000001 00400021")],
    ["VXLAN in GRE in a VLAN", (f) => tagged("81000007")(greOf("00000800", 14)(udpTo(4_789, bytes("08000000 00002a00"))(f)))],
  ])("%s", (_what, wrap) => {
    const { rows, counts } = rowsOf(pcap(inner.map(wrap)));
    expect(of(rows, "stratum")).toMatchObject([
      { "id.orig_h": pool.from, "id.resp_p": 3_333, methods: ["mining.authorize", "mining.subscribe"] },
    ]);
    expect(counts.connections).toBe(1);
  });
  test("tunnels in tunnels without an end, and what only has the port, are the datagram itself", () => {
    const deep = Array.from({ length: 9 }).reduce<Buffer>((f) => udpTo(4_789, bytes("08000000 00002a00"))(f), inner[0]!);
    expect(of(rowsOf(pcap([deep])).rows, "conn")).toMatchObject([{ proto: "udp", "id.resp_p": 4_789 }]);
    expect(of(rowsOf(pcap([udp(outer, Buffer.from("just some words to a port"))])).rows, "conn")).toMatchObject([{ "id.resp_p": 4_789 }]);
  });
});

test("of packets cut short at 96 bytes what each begins with is read", () => {
  const said = ["mining.subscribe", "mining.authorize", "mining.submit"].map(
    (name) => ["client", `{"id":1,"method":"${name}","params":["${"w".repeat(90)}"]}\n`] as const,
  );
  const cut = pcap(conversation(pool, said), { snap: 96 });
  expect(of(rowsOf(cut).rows, "stratum")).toMatchObject([{ methods: ["mining.authorize", "mining.submit", "mining.subscribe"] }]);
  expect(of(rowsOf(pcap(conversation(web, [["client", hello]]), { snap: 96 })).rows, "conn")).toMatchObject([{ orig_bytes: hello.length }]);
});

test("segments out of order and sent again are put together", () => {
  const [a, b, c] = [hello.subarray(0, 20), hello.subarray(20, 60), hello.subarray(60)];
  const start = [tcp(web, 999, flag.syn)];
  const late = [tcp(web, 1_060, flag.ack, c), tcp(web, 1_020, flag.ack, b), tcp(web, 1_000, flag.ack, a), tcp(web, 1_000, flag.ack, a)];
  const { rows } = rowsOf(pcap([...start, ...late]));
  expect(of(rows, "ssl")).toMatchObject([{ server_name: "www.example.org" }]);
});

test.each([
  ["refused", [tcp(web, 1, flag.syn), tcp({ from: web.to, fromPort: 443, to: web.from, toPort: 40_000 }, 0, flag.rst | flag.ack)], "REJ"],
  ["never answered", [tcp(web, 1, flag.syn)], "S0"],
  ["given up", [tcp(web, 1, flag.syn), tcp(web, 2, flag.rst)], "RSTOS0"],
  ["in the middle", [tcp(web, 1, flag.ack, "x")], "OTH"],
] as const)("a connection that was %s is %s", (_what, packets, state) => {
  expect(of(rowsOf(pcap(packets)).rows, "conn")).toMatchObject([{ conn_state: state, "id.resp_p": 443 }]);
});

test("a capture that begins while a pool speaks knows who asked", () => {
  const back = { from: pool.to, fromPort: pool.toPort, to: pool.from, toPort: pool.fromPort };
  const { rows } = rowsOf(pcap([tcp(back, 1, flag.ack, '{"id":null,"method":"mining.notify","params":[]}\n'), tcp(pool, 1, flag.ack)]));
  expect(of(rows, "stratum")).toMatchObject([{ "id.orig_h": pool.from, "id.resp_h": pool.to, "id.resp_p": 3_333 }]);
});

describe("mining is told, not judged", () => {
  const said = (turns: Parameters<typeof conversation>[1]) => of(rowsOf(pcap(conversation(pool, turns))).rows, "stratum");
  test("Monero's login with its job", () => {
    const turns = [
      ["client", '{"id":1,"jsonrpc":"2.0","method":"login","params":{"login":"4","pass":"x","agent":"XMRig/6.21","algo":["rx/0"]}}\n'],
      ["server", '{"id":1,"jsonrpc":"2.0","result":{"id":"1","job":{"blob":"0e","job_id":"7","target":"b8"},"status":"OK"}}\n'],
    ] as const;
    expect(said(turns)).toMatchObject([{ methods: ["login"], signs: ["algo", "job", "jsonrpc"], agent: "XMRig/6.21" }]);
  });
  test("getwork over HTTP", () => {
    expect(said([["client", 'POST / HTTP/1.1\r\nHost: a\r\n\r\n{"method":"getwork","params":[],"id":0}']])).toMatchObject([
      { methods: ["getwork"] },
    ]);
  });
  const framed = (text: string, mask?: readonly number[]) => {
    const body = Buffer.from(text);
    const key = Buffer.from(mask ?? []);
    const length = (mask ? 0x80 : 0) | (body.length < 126 ? body.length : 126);
    const long = body.length < 126 ? [] : [body.length >> 8, body.length & 255];
    return Buffer.concat([Buffer.from([0x81, length, ...long]), key, body.map((b, i) => (mask ? b ^ key[i & 3]! : b))]);
  };
  const upgrade = "GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
  const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
  test("a browser's miner in WebSocket frames, masked and not", () => {
    const job = `{"type":"job","params":{"job_id":"7","blob":"${"0".repeat(152)}","target":"ff"}}`;
    const turns = [
      [
        "client",
        Buffer.concat([
          Buffer.from(upgrade),
          framed('{"method":"login","params":{}}', [1, 2, 3, 4]),
          framed('{"method":"submit"}', [9, 8, 7, 6]),
        ]),
      ],
      ["server", Buffer.concat([Buffer.from(switched), framed("hello"), framed(job)])],
    ] as const;
    expect(said(turns)).toMatchObject([{ methods: ["login", "submit"], signs: [] }]);
    expect(said([["server", Buffer.concat([Buffer.from(switched), framed(job)])]])).toMatchObject([{ methods: [], signs: ["job"] }]);
  });
  const greeting = Buffer.concat([Buffer.from("0501000501000310", "hex"), Buffer.from("pool.example.net"), Buffer.from([13, 5])]);
  test.each<[string, string | Buffer, readonly string[]]>([
    [
      "NiceHash's dialect",
      '{"id":1,"method":"mining.subscribe","params":["NiceHash/1.0.0","EthereumStratum/1.0.0"]}',
      ["mining.subscribe"],
    ],
    [
      "version rolling",
      '{"id":1,"method":"mining.configure","params":[["version-rolling"],{}]}\n{"id":2,"method":"mining.suggest_difficulty","params":[512]}',
      ["mining.configure", "mining.suggest_difficulty"],
    ],
    [
      "EthereumStratum 2",
      '{"id":0,"method":"mining.hello","params":{"agent":"ethminer-0.17","proto":"EthereumStratum/2.0.0"}}',
      ["mining.hello"],
    ],
    ["XMRig, kept alive", '{"id":7,"jsonrpc":"2.0","method":"keepalived","params":{"id":"a"}}', ["keepalived"]],
    [
      "Grin",
      '{"id":"0","jsonrpc":"2.0","method":"login","params":{}}\n{"id":"1","jsonrpc":"2.0","method":"getjobtemplate","params":null}',
      ["getjobtemplate", "login"],
    ],
    [
      "Beam",
      '{"method":"login","api_key":"x","id":"login","jsonrpc":"2.0"}\n{"method":"solution","id":"1","nonce":"0"}',
      ["login", "solution"],
    ],
    [
      "a daemon asked over HTTP",
      'POST /json_rpc HTTP/1.1\r\nHost: a\r\n\r\n{"jsonrpc":"2.0","id":0,"method":"get_block_template"}',
      ["get_block_template"],
    ],
    [
      "a proxy that is asked to connect",
      'CONNECT pool.example.net:3333 HTTP/1.1\r\nHost: pool.example.net\r\n\r\n{"id":1,"method":"mining.authorize","params":["w","x"]}',
      ["mining.authorize"],
    ],
    ["a SOCKS proxy", Buffer.concat([greeting, Buffer.from('{"id":1,"method":"mining.subscribe","params":[]}')]), ["mining.subscribe"]],
  ])("%s", (_what, text, methods) => {
    expect(said([["client", text]])).toMatchObject([{ methods }]);
  });
  test("Grin's job", () => {
    const job =
      '{"id":"1","jsonrpc":"2.0","method":"getjobtemplate","result":{"difficulty":1,"height":9,"job_id":3,"pre_pow":"0001"},"error":null}';
    expect(said([["server", job]])).toMatchObject([{ methods: ["getjobtemplate"], signs: ["job", "jsonrpc"] }]);
  });
  test("a block to be filled, and getwork's midstate", () => {
    const template = '{"result":{"capabilities":["proposal"],"previousblockhash":"00","coinbasevalue":5,"bits":"1d"},"error":null,"id":0}';
    expect(said([["server", `HTTP/1.1 200 OK\r\n\r\n${template}`]])).toMatchObject([{ methods: [], signs: ["job"] }]);
    const work = '{"result":{"midstate":"ab","data":"00","hash1":"00","target":"ff"},"error":null,"id":1}';
    expect(said([["server", `HTTP/1.1 200 OK\r\n\r\n${work}`]])).toMatchObject([{ signs: ["job"] }]);
  });
  test("Ergo's node is asked by path, on a connection that is kept", () => {
    const asked = 'GET /mining/candidate HTTP/1.1\r\nHost: a\r\n\r\nPOST /mining/solution HTTP/1.1\r\nHost: a\r\n\r\n{"n":"00"}';
    expect(said([["client", asked]])).toMatchObject([{ methods: ["mining/candidate", "mining/solution"], signs: [] }]);
  });
  // drawn once; any bytes do that look like it
  const drawn = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 167 + ((i * i * 89) >> 3) + 73) & 255));
  test("the handshake of Stratum 2, by its sizes alone", () => {
    const shake = (asked: number, answered: number) =>
      said([
        ["client", drawn(asked)],
        ["server", drawn(answered)],
        ["client", drawn(60)],
      ]);
    expect(shake(64, 234)).toMatchObject([{ methods: [], signs: ["noise"] }]);
    expect(shake(32, 170)).toMatchObject([{ signs: ["noise"] }]);
    expect(shake(64, 233)).toEqual([]);
    expect(
      said([
        ["client", "A".repeat(64)],
        ["server", "B".repeat(234)],
        ["client", "C".repeat(60)],
      ]),
    ).toEqual([]);
  });
  test("a page about mining says nothing", () => {
    const page = 'HTTP/1.1 200 OK\r\n\r\n<html>send {"method":"mining.subscribe"} and {"method":"mining.authorize"}</html>';
    expect(
      said([
        ["client", "GET / HTTP/1.1\r\n\r\n"],
        ["server", page],
      ]),
    ).toEqual([]);
  });
  test("another program's JSON says nothing", () => {
    expect(said([["client", '{"jsonrpc":"2.0","method":"eth_blockNumber","id":1}']])).toEqual([]);
  });
});

describe("hostile captures", () => {
  const whole = pcap(frames);
  test("every truncation tells what came before it and says where the file ends", () => {
    for (let length = 1; length < whole.length; length++) {
      const { flaw, counts } = rowsOf(whole.subarray(0, length));
      expect(counts.packets).toBeLessThanOrEqual(16);
      if (flaw) expect(["truncated", "not_a_capture"]).toContain(flaw.code);
    }
    expect(rowsOf(whole.subarray(0, whole.length - 1))).toMatchObject({ flaw: { code: "truncated" }, counts: { packets: 15 } });
  });
  test("in whatever pieces it is read, it tells the same", () => {
    const { rows } = rowsOf(whole);
    for (const piece of [1, 3, 7, 64, 1_000]) expect(rowsOf(whole, { piece }).rows).toEqual(rows);
  });
  test("flipped bytes neither throw nor make more rows than a packet can tell", () => {
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 40 });
    const ng = pcapng(frames);
    fc.assert(
      fc.property(flips, fc.boolean(), (all, old) => {
        const bytes = Buffer.from(old ? whole : ng);
        for (const [at, value] of all) bytes[at] = value;
        const { rows, counts } = rowsOf(bytes);
        expect(rows.length).toBeLessThanOrEqual(counts.packets * 4);
      }),
      { numRuns: 400, seed: 7 },
    );
  });
  test("payload of any bytes is read or left alone", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom("160301", "7b", "", "0001010000010000000000000361"), (tail, head) => {
        const payload = Buffer.concat([Buffer.from(head, "hex"), tail]);
        rowsOf(
          pcap([
            udp(names, payload),
            ...conversation(web, [
              ["client", payload],
              ["server", payload],
            ]),
          ]),
        );
      }),
      { numRuns: 400, seed: 7 },
    );
  });
  test("a scan of more addresses than are followed is told whole, the oldest first", () => {
    const scan = Array.from({ length: 3_000 }, (_, i) => tcp({ ...web, to: `198.51.${i >> 8}.${i & 255}` }, 1, flag.syn));
    const { counts, rows } = rowsOf(pcap(scan), { maxFlows: 100 });
    expect([counts.connections, of(rows, "conn").length]).toEqual([3_000, 3_000]);
    expect(counts.cutShort).toBeGreaterThan(0);
  });
  test("payload beyond the budget is not kept", () => {
    const { rows } = rowsOf(pcap(frames), { maxBytes: 16 });
    expect(of(rows, "conn")).toHaveLength(3);
    expect(of(rows, "ssl")).toEqual([]);
  });
  test("lengths that lie end the reading and are named", () => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(0x7fffffff, 32);
    expect(rowsOf(bytes).flaw).toEqual({ code: "bad_length", expected: "a packet of at most 262144 bytes at byte 24, not 2147483647" });
  });
  test("a name that points at itself", () => {
    const loop = Buffer.concat([dns("a.example").subarray(0, 12), Buffer.from("c00c00010001", "hex")]);
    expect(of(rowsOf(pcap([udp(names, loop)])).rows, "dns")).toEqual([]);
  });
});
