import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../recording.fixture.ts";
import { ip4, ipfix, ipfixOptions, join, set, template, u, v5, v9, v9Options } from "./datagrams.fixture.ts";
import { FlowReader } from "./reader.ts";
import { Sequence } from "./sequence.ts";

const second = 1_000_000;
const at = 1_714_557_600 * second;

class Rig {
  readonly warnings: string[] = [];
  readonly reader: FlowReader;
  constructor(positions: ReadonlyMap<string, string> = new Map(), waitingBytes = 100_000) {
    const warn = (code: string) => void this.warnings.push(code);
    this.reader = new FlowReader({ clock: new ManualClock(), warn, positions, waitingBytes, waiting_us: 60 * second });
  }
  raw(bytes: Buffer, peer = "192.0.2.254") {
    return this.reader.records({ bytes, peer });
  }
  read(bytes: Buffer, peer?: string): Record<string, unknown>[] {
    return this.raw(bytes, peer).map(({ body, flaw }) =>
      flaw === undefined ? JSON.parse(Buffer.from(body).toString()) : { flaw: flaw.expected },
    );
  }
}

const flow5 = {
  from: "192.0.2.7",
  to: "198.51.100.9",
  ports: [49_761, 443],
  protocol: 6,
  packets: 20,
  bytes: 4_249,
  first: 40_000,
  last: 99_000,
} as const;
/** Addresses, ports, protocol, bytes, packets. */
const five = template(256, [8, 4], [12, 4], [7, 2], [11, 2], [4, 1], [1, 4], [2, 4]);
const row = (n: number) => join(ip4(`192.0.2.${n}`), ip4("198.51.100.9"), u(2, 40_000 + n), u(2, 53), [17], u(4, 100 * n), u(4, n));

describe("version 5", () => {
  test("a datagram of two flows: what they tell, and when by the exporter's clock", () => {
    const rig = new Rig();
    const flows = rig.read(v5([flow5, { ...flow5, ports: [1, 2] }], { uptime: 100_000, secs: 1_714_557_600, seq: 7, sampling: 100 }));
    expect(flows.length).toBe(2);
    expect(flows[0]).toEqual({
      netflow: 5,
      domain: 0x0102,
      exported: at + 500_000,
      start: at + 500_000 - 60 * second,
      end: at + 500_000 - second,
      sampling: 100,
      flow: {
        sourceIPv4Address: "192.0.2.7",
        destinationIPv4Address: "198.51.100.9",
        ipNextHopIPv4Address: "192.0.2.254",
        ingressInterface: 1,
        egressInterface: 2,
        packetDeltaCount: 20,
        octetDeltaCount: 4_249,
        flowStartSysUpTime: 40_000,
        flowEndSysUpTime: 99_000,
        sourceTransportPort: 49_761,
        destinationTransportPort: 443,
        tcpControlBits: 27,
        protocolIdentifier: 6,
        ipClassOfService: 0,
        bgpSourceAsNumber: 64_496,
        bgpDestinationAsNumber: 64_497,
        sourceIPv4PrefixLength: 24,
        destinationIPv4PrefixLength: 16,
      },
    });
    expect(flows[1]).toMatchObject({ flow: { sourceTransportPort: 1, destinationTransportPort: 2 } });
  });

  test("across the uptime's wrap at 2^32 ms", () => {
    const [flow] = new Rig().read(v5([{ ...flow5, first: 2 ** 32 - 1_000, last: 500 }], { uptime: 1_000, secs: 1_714_557_600, seq: 0 }));
    expect([flow!["start"], flow!["end"]]).toEqual([at + 500_000 - 2 * second, at + 500_000 - second / 2]);
  });

  test("one that ends before its flows do: those that are whole, and a dead letter", () => {
    const whole = v5([flow5, flow5], { uptime: 1, secs: 1, seq: 0 });
    expect(new Rig().read(whole.subarray(0, whole.length - 5))).toMatchObject([
      { netflow: 5 },
      { flaw: expect.stringContaining("tells of 2 flows") },
    ]);
  });
});

describe("version 9", () => {
  test("a template is used by later datagrams of its exporter and domain, and by no other", () => {
    const rig = new Rig();
    expect(rig.read(v9([set(0, five)], { seq: 0 }))).toEqual([]);
    expect(rig.read(v9([set(256, row(1), row(2))], { seq: 1 }))).toMatchObject([
      { netflow: 9, domain: 1, flow: { sourceIPv4Address: "192.0.2.1", sourceTransportPort: 40_001, octetDeltaCount: 100 } },
      { netflow: 9, domain: 1, flow: { sourceIPv4Address: "192.0.2.2", packetDeltaCount: 2 } },
    ]);
    expect(rig.read(v9([set(256, row(1))], { seq: 0, domain: 2 }))).toEqual([]);
    expect(rig.read(v9([set(256, row(1))], { seq: 0 }), "192.0.2.253")).toEqual([]);
    expect(rig.warnings).toEqual(["template_missing", "template_missing"]);
  });

  test("records before their template wait for it and keep their own time", () => {
    const rig = new Rig();
    const timed = template(300, [8, 4], [12, 4], [22, 4], [21, 4]);
    const early = set(300, ip4("192.0.2.1"), ip4("192.0.2.2"), u(4, 90_000), u(4, 99_000));
    expect(rig.read(v9([early], { seq: 0, uptime: 100_000, secs: 1_714_557_600 }))).toEqual([]);
    const late = rig.read(v9([set(0, timed)], { seq: 1, uptime: 160_000, secs: 1_714_557_660 }));
    expect(late).toMatchObject([{ exported: at, start: at - 10 * second, end: at - second, flow: { sourceIPv4Address: "192.0.2.1" } }]);
    expect([...rig.reader.end()]).toEqual([]);
  });

  test("options tell sampling rates; a flow takes its sampler's", () => {
    const rig = new Rig();
    const options = v9Options(
      257,
      [[1, 4]],
      [
        [48, 1],
        [50, 4],
      ],
    );
    const read = rig.read(v9([set(1, options), set(257, u(4, 9), [3], u(4, 512), u(4, 9), [4], u(4, 1_024))], { seq: 0 }));
    expect(read).toMatchObject([{ options: { scopeSystem: 9, samplerId: 3, samplerRandomInterval: 512 } }, { options: { samplerId: 4 } }]);
    const sampled = template(258, [8, 4], [12, 4], [48, 1]);
    const flows = rig.read(v9([set(0, sampled), set(258, row(1).subarray(0, 8), [4], row(1).subarray(0, 8), [9])], { seq: 1 }));
    expect(flows.map((flow) => flow["sampling"])).toEqual([1_024, undefined]);
  });

  test("a template that changes under its number", () => {
    const rig = new Rig();
    rig.read(v9([set(0, five)], { seq: 0 }));
    const flows = rig.read(v9([set(0, template(256, [8, 4], [12, 4])), set(256, row(5).subarray(0, 8))], { seq: 1 }));
    expect(flows).toMatchObject([{ flow: { sourceIPv4Address: "192.0.2.5" } }]);
    expect(flows[0]!["flow"]).not.toHaveProperty("octetDeltaCount");
  });

  test("templates and samplers outlive a restart", () => {
    const first = new Rig();
    first.read(v9([set(0, five), set(1, v9Options(257, [[1, 4]], [[34, 4]])), set(257, u(4, 0), u(4, 10))], { seq: 0 }));
    const positions = new Map(first.reader.positions());
    expect([...first.reader.positions()]).toEqual([]);
    const second = new Rig(positions);
    expect(second.read(v9([set(256, row(3))], { seq: 9 }))).toMatchObject([{ sampling: 10, flow: { sourceIPv4Address: "192.0.2.3" } }]);
    expect(second.read(v9([set(257, u(4, 0), u(4, 20))], { seq: 10 }))).toMatchObject([
      { options: { scopeSystem: 0, samplingInterval: 20 } },
    ]);
  });
});

describe("IPFIX", () => {
  test("lengths of each record's own, makers' elements, the other direction, 64-bit counts, IPv6 and times of every kind", () => {
    const rig = new Rig();
    const wide = template(400, [27, 16], [28, 16], [1, 8], [1, 8, 29_305], [371, 65_535], [12_235, 65_535, 9], [152, 8], [155, 8]);
    const data = join(
      ...[Buffer.from("20010db8000000000000000000000001", "hex"), Buffer.from("fe80000000000000020000fffe000002", "hex")],
      ...[
        u(8, 5_000_000_000),
        u(8, 7),
        [3],
        Buffer.from("ada"),
        [255, 0, 2, 10, 11],
        u(8, 1_714_557_599_250),
        u(4, 2_208_988_800 + 1_714_557_600),
        u(4, 2 ** 31),
      ],
    );
    const [flow] = rig.read(ipfix([set(2, wide), set(400, data)], { seq: 0, domain: 77 }));
    expect(flow).toEqual({
      netflow: 10,
      domain: 77,
      exported: at,
      start: at - 750_000,
      end: at + 500_000,
      flow: {
        sourceIPv6Address: "2001:db8::1",
        destinationIPv6Address: "fe80::200:ff:fe00:2",
        octetDeltaCount: 5_000_000_000,
        reverseOctetDeltaCount: 7,
        userName: "ada",
        flowStartMilliseconds: 1_714_557_599_250,
        flowEndMicroseconds: at + 500_000,
      },
      unknown: { "9.12235": "0a0b" },
    });
  });

  test("a withdrawn template is forgotten; options of selectors give the rate", () => {
    const rig = new Rig();
    const options = ipfixOptions(500, 1, [302, 4], [305, 4], [306, 4]);
    rig.read(ipfix([set(2, five), set(3, options), set(500, u(4, 1), u(4, 1), u(4, 99))], { seq: 0 }));
    expect(rig.read(ipfix([set(256, row(1))], { seq: 1 }))).toMatchObject([{ sampling: 100 }]);
    rig.read(ipfix([set(2, u(2, 256), u(2, 0))], { seq: 2 }));
    expect(rig.read(ipfix([set(256, row(1))], { seq: 2 }))).toEqual([]);
    expect([...rig.reader.end()].map(({ flaw }) => flaw?.code)).toEqual(["bad_flow"]);
  });
});

describe("what is missing", () => {
  const numbers = (list: readonly (readonly [number, number | undefined])[]): number => {
    const sequence = new Sequence();
    for (const [number, counted] of list) sequence.next(number, counted);
    sequence.end();
    return sequence.take();
  };
  test.each([
    [
      "nothing",
      [
        [5, 10],
        [15, 3],
        [18, 1],
      ],
      0,
    ],
    [
      "a gap",
      [
        [5, 10],
        [25, 3],
      ],
      10,
    ],
    [
      "one that came late after all",
      [
        [5, 10],
        [25, 3],
        [15, 10],
        [28, 1],
      ],
      0,
    ],
    [
      "across the wrap",
      [
        [2 ** 32 - 2, 2],
        [3, 1],
      ],
      3,
    ],
    [
      "a count that begins anew",
      [
        [900_000, 10],
        [0, 10],
        [10, 1],
      ],
      0,
    ],
    ["a count that goes back a little and goes on from there", [[500, 10], ...Array.from({ length: 20 }, (_, i) => [i, 1] as const)], 0],
    [
      "what cannot be counted",
      [
        [5, undefined],
        [90, 1],
        [91, 1],
      ],
      0,
    ],
  ] as const)("%s", (_, list, lost) => expect(numbers(list)).toBe(lost));

  test("is told per protocol: flows, and of version 9 datagrams", () => {
    const rig = new Rig();
    for (const seq of [0, 31]) rig.read(v5([flow5], { uptime: 1_000, secs: 1, seq }));
    for (const seq of [0, 1, 4]) rig.read(v9([set(0, five)], { seq }));
    for (const seq of [0, 3]) rig.read(ipfix([set(2, five), set(256, row(1))], { seq }));
    expect(rig.reader.lost()).toEqual({});
    expect([...rig.reader.end()]).toEqual([]);
    expect(rig.reader.lost()).toEqual({ lost_flows: 30 + 2, lost_datagrams: 2 });
    expect(rig.reader.lost()).toEqual({});
  });

  test("an exporter that started again has lost nothing", () => {
    const rig = new Rig();
    rig.read(v5([flow5], { uptime: 900_000, secs: 1, seq: 100 }));
    rig.read(v5([flow5], { uptime: 5_000, secs: 1, seq: 300 }));
    [...rig.reader.end()];
    expect(rig.reader.lost()).toEqual({});
  });
});

describe("hostile datagrams", () => {
  test.each([
    ["nothing", Buffer.alloc(0), "version is 0"],
    ["another protocol", Buffer.from("GET / HTTP/1.1\r\n\r\n"), "version is 18245"],
    ["half a head", v9([], { seq: 0 }).subarray(0, 12), "ends within its head"],
    ["a set of no bytes", v9([join(u(2, 256), u(2, 0))], { seq: 0 }), "a set tells of 0 bytes"],
    ["a set that is longer than the datagram", ipfix([join(u(2, 256), u(2, 900))], { seq: 0 }), "a set tells of 900 bytes"],
    ["a template of nothing", v9([set(0, template(256, [8, 0]))], { seq: 0 }), "field 8 has no bytes"],
    ["a template whose records multiply", v9([set(0, template(256, [4, 1]))], { seq: 0 }), "records of 1 bytes"],
    ["a template of more fields than there are", v9([set(0, u(2, 256), u(2, 9_000))], { seq: 0 }), "template 256 has 9000 fields"],
    ["a reserved set", ipfix([set(17, u(4, 1))], { seq: 0 }), "a set has number 17"],
    ["a message longer than it is", join(u(2, 10), u(2, 500), Buffer.alloc(12)), "tells of 500 bytes"],
  ])("%s is a dead letter", (_, bytes, expected) => {
    expect(new Rig().read(bytes)).toEqual([{ flaw: expect.stringContaining(expected) }]);
  });

  test("what waits is bounded: the oldest become dead letters", () => {
    const rig = new Rig(new Map(), 10_000);
    let dead = 0;
    for (let i = 0; i < 50; i++) dead += rig.read(v9([set(300 + i, Buffer.alloc(1_000))], { seq: i })).length;
    expect([dead, [...rig.reader.end()].length]).toEqual([43, 7]);
  });

  test("templates are bounded", () => {
    const rig = new Rig();
    const many = Array.from({ length: 600 }, (_, i) => template(256 + i, [8, 4], [12, 4]));
    expect(rig.read(v9([set(0, ...many)], { seq: 0 }))).toEqual([{ flaw: expect.stringContaining("one too many") }]);
  });

  const byte = fc.nat(255);
  const valid = [
    v5([flow5, flow5], { uptime: 1, secs: 1, seq: 0 }),
    v9([set(0, five), set(256, row(1))], { seq: 0 }),
    ipfix([set(2, five), set(256, row(1), row(2))], { seq: 0 }),
  ];
  test("any bytes, and any damage to good ones: records of which each is JSON or flawed", () => {
    const rig = new Rig();
    const damaged = fc
      .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(200), byte), { maxLength: 6 }), fc.nat(200))
      .map(([good, changes, cut]) => {
        const bytes = Buffer.from(good);
        for (const [i, value] of changes) if (i < bytes.length) bytes[i] = value;
        return bytes.subarray(0, bytes.length - Math.min(cut % 40, bytes.length));
      });
    fc.assert(
      fc.property(
        fc.oneof(
          damaged,
          fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
        ),
        (bytes) => {
          for (const one of rig.read(bytes)) expect(one["flaw"] ?? one["netflow"]).toBeDefined();
          rig.reader.lost();
          for (const [stream, text] of rig.reader.positions()) expect(new Rig(new Map([[stream, text]]))).toBeDefined();
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
