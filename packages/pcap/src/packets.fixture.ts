/** Captures for tests, built packet by packet. */
import { flag } from "./layers.ts";

interface Ends {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
}

const u16 = (n: number) => Buffer.from([(n >> 8) & 255, n & 255]);
const u32 = (n: number) => {
  const b = Buffer.alloc(4);
  b.writeUInt32BE(n >>> 0);
  return b;
};
const address = (text: string): Buffer =>
  text.includes(":")
    ? Buffer.concat(Array.from({ length: 8 }, (_, i) => u16(Number.parseInt(expanded(text)[i]!, 16))))
    : Buffer.from(text.split(".").map(Number));

function expanded(text: string): string[] {
  const [head, tail] = text.split("::") as [string, string | undefined];
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  return [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
}

/** An Ethernet frame with IPv4 or IPv6 around a transport's bytes. */
export function frame({ from, to }: Pick<Ends, "from" | "to">, protocol: number, body: Buffer, vlan?: number): Buffer {
  const six = from.includes(":");
  const ip = six
    ? Buffer.concat([u32(0x60000000), u16(body.length), Buffer.from([protocol, 64]), address(from), address(to)])
    : Buffer.concat([u16(0x4500), u16(20 + body.length), u32(0), Buffer.from([64, protocol]), u16(0), address(from), address(to)]);
  const tag = vlan === undefined ? Buffer.alloc(0) : Buffer.concat([u16(0x8100), u16(vlan)]);
  return Buffer.concat([Buffer.alloc(12, 2), tag, u16(six ? 0x86dd : 0x0800), ip, body]);
}

export const udp = (ends: Ends, payload: Buffer, vlan?: number): Buffer =>
  frame(ends, 17, Buffer.concat([u16(ends.fromPort), u16(ends.toPort), u16(8 + payload.length), u16(0), payload]), vlan);

export const tcp = (ends: Ends, seq: number, flags: number, payload: Buffer | string = ""): Buffer =>
  frame(
    ends,
    6,
    Buffer.concat([u16(ends.fromPort), u16(ends.toPort), u32(seq), u32(0), u16(0x5000 | flags), u16(1_024), u32(0), Buffer.from(payload)]),
  );

const back = ({ from, fromPort, to, toPort }: Ends): Ends => ({ from: to, fromPort: toPort, to: from, toPort: fromPort });

/** A whole conversation: shake hands, each turn by who speaks, part. */
export function conversation(ends: Ends, turns: readonly (readonly ["client" | "server", Buffer | string])[], first = 1_000): Buffer[] {
  const next = { client: first, server: 5_000_000 };
  const out = [tcp(ends, next.client++, flag.syn), tcp(back(ends), next.server++, flag.syn | flag.ack), tcp(ends, next.client, flag.ack)];
  for (const [who, text] of turns) {
    const payload = Buffer.from(text);
    out.push(tcp(who === "client" ? ends : back(ends), next[who], flag.ack, payload));
    next[who] += payload.length;
  }
  return [...out, tcp(ends, next.client, flag.fin | flag.ack), tcp(back(ends), next.server, flag.fin | flag.ack)];
}

/** libpcap's file, a packet each 100 ms. */
export function pcap(
  frames: readonly Buffer[],
  { start = 1_700_000_000, little = true, nano = false, link = 1, snap = 262_144 } = {},
): Buffer {
  const word = (n: number) => (little ? u32(n).reverse() : u32(n));
  const half = (n: number) => (little ? u16(n).reverse() : u16(n));
  const head = [word(nano ? 0xa1b23c4d : 0xa1b2c3d4), half(2), half(4), word(0), word(0), word(snap), word(link)];
  return Buffer.concat([
    ...head,
    ...frames.flatMap((f, i) => {
      const tenths = i % 10;
      return [
        word(start + Math.floor(i / 10)),
        word(tenths * (nano ? 100_000_000 : 100_000)),
        word(Math.min(snap, f.length)),
        word(f.length),
        f.subarray(0, snap),
      ];
    }),
  ]);
}

/** The same as pcapng, little-endian, with stamps in nanoseconds. */
export function pcapng(frames: readonly Buffer[], start = 1_700_000_000): Buffer {
  const word = (n: number) => u32(n).reverse();
  const block = (kind: number, ...body: Buffer[]) => {
    const content = Buffer.concat(body);
    const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
    return Buffer.concat([word(kind), word(12 + padded.length), padded, word(12 + padded.length)]);
  };
  const section = block(0x0a0d0d0a, word(0x1a2b3c4d), u16(1).reverse(), u16(0), word(0xffffffff), word(0xffffffff));
  const device = block(1, u16(1).reverse(), u16(0), word(0), u16(9).reverse(), u16(1).reverse(), Buffer.from([9, 0, 0, 0]), word(0));
  const packets = frames.map((f, i) => {
    const stamp = BigInt(start) * 1_000_000_000n + BigInt(i) * 100_000_000n;
    return block(6, word(0), word(Number(stamp >> 32n)), word(Number(stamp & 0xffffffffn)), word(f.length), word(f.length), f);
  });
  return Buffer.concat([section, device, ...packets]);
}

const sized = (bytes: Buffer, width: 1 | 2) => Buffer.concat([width === 1 ? Buffer.from([bytes.length]) : u16(bytes.length), bytes]);

/** A TLS 1.2 client's hello that asks for a name. */
export function clientHello(name: string): Buffer {
  const extension = (kind: number, data: Buffer) => Buffer.concat([u16(kind), sized(data, 2)]);
  const extensions = Buffer.concat([
    extension(0x0a0a, Buffer.alloc(0)),
    extension(0, sized(Buffer.concat([Buffer.from([0]), sized(Buffer.from(name), 2)]), 2)),
    extension(10, sized(u16(29), 2)),
    extension(11, Buffer.from([1, 0])),
    extension(16, sized(sized(Buffer.from("h2"), 1), 2)),
  ]);
  const body = Buffer.concat([
    u16(0x0303),
    Buffer.alloc(32),
    Buffer.from([0]),
    sized(Buffer.concat([u16(0x1301), u16(0xc02f)]), 2),
    Buffer.from([1, 0]),
    sized(extensions, 2),
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), sized(message, 2)]);
}

/** A question of type A, or its answer with one address. */
export function dns(name: string, answer?: string): Buffer {
  const question = Buffer.concat([...name.split(".").map((l) => sized(Buffer.from(l), 1)), Buffer.from([0]), u16(1), u16(1)]);
  const head = [u16(77), u16(answer === undefined ? 0x0100 : 0x8180), u16(1), u16(answer === undefined ? 0 : 1), u32(0)];
  const record = answer === undefined ? [] : [u16(0xc00c), u16(1), u16(1), u32(300), sized(address(answer), 2)];
  return Buffer.concat([...head, question, ...record]);
}
