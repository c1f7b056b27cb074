/** Cuts the bytes of a capture file into packets: pcap (libpcap's own, micro- and nanoseconds) and pcapng, either byte order. Knows no protocol. */
import type { Flaw, Micros } from "@vedette/model";

export interface Packet {
  readonly time: Micros;
  /** LINKTYPE_… of tcpdump.org. */
  readonly link: number;
  /** What was captured, which may be less than what was sent. */
  readonly bytes: Buffer;
  readonly sent: number;
}

/** tcpdump's own limit (MAXIMUM_SNAPLEN). */
const maxPacket = 262_144;
/** A block holds a packet and its options, or names and keys; Wireshark allows 16 MiB. */
const maxBlock = 16 * 1_048_576;
const maxInterfaces = 1_024;

const pcapMagics: ReadonlyMap<number, { readonly little: boolean; readonly nano: boolean }> = new Map([
  [0xa1b2c3d4, { little: false, nano: false }],
  [0xd4c3b2a1, { little: true, nano: false }],
  [0xa1b23c4d, { little: false, nano: true }],
  [0x4d3cb2a1, { little: true, nano: true }],
]);
const sectionHeader = 0x0a0d0d0a;
const block = { interface: 1, packet: 2, simple: 3, enhanced: 6 } as const;

/** Whether a file that starts with these bytes is a capture. */
export const isCapture = (head: Buffer): boolean =>
  head.length >= 4 && (pcapMagics.has(head.readUInt32BE(0)) || head.readUInt32BE(0) === sectionHeader);

interface Interface {
  readonly link: number;
  readonly snap: number;
  /** Stamps a second. */
  readonly resolution: number;
  readonly offset_s: number;
}

/** Takes chunks as they are read; a damaged place ends it, as nothing after it can be told. */
export class Container {
  #rest: Buffer = Buffer.alloc(0);
  #at = 0;
  #format: "pcap" | "pcapng" | undefined;
  #little = true;
  #nano = false;
  #link = 0;
  #interfaces: Interface[] = [];
  /** What is wrong, once something is. */
  flaw: Flaw | undefined;

  take(chunk: Uint8Array, packet: (packet: Packet) => void): void {
    if (this.flaw) return;
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([this.#rest, chunk]);
    let used = 0;
    for (;;) {
      const length = this.#step(this.#rest.subarray(used), packet);
      if (length === 0 || this.flaw) break;
      used += length;
      this.#at += length;
    }
    this.#rest = this.#rest.subarray(used);
  }

  end(): void {
    if (this.flaw) return;
    if (this.#format === undefined) this.#wrong("not_a_capture", "a pcap or pcapng file");
    else if (this.#rest.length > 0) this.#wrong("truncated", `a whole packet at byte ${this.#at}; the file ends within it`);
  }

  /** Bytes used up by one header, block or packet; 0 where it is not whole yet. */
  #step(bytes: Buffer, packet: (packet: Packet) => void): number {
    if (this.#format === undefined) return this.#start(bytes);
    return this.#format === "pcap" ? this.#record(bytes, packet) : this.#block(bytes, packet);
  }

  #start(bytes: Buffer): number {
    if (bytes.length < 4) return 0;
    const magic = bytes.readUInt32BE(0);
    if (magic === sectionHeader) {
      this.#format = "pcapng";
      return this.#block(bytes, () => {});
    }
    const kind = pcapMagics.get(magic);
    if (!kind) return this.#wrong("not_a_capture", "a pcap or pcapng file");
    if (bytes.length < 24) return 0;
    this.#format = "pcap";
    this.#little = kind.little;
    this.#nano = kind.nano;
    // the upper bits tell of checksums (FCS), the lower sixteen of the link
    this.#link = this.#u32(bytes, 20) & 0xffff;
    return 24;
  }

  #record(bytes: Buffer, packet: (packet: Packet) => void): number {
    if (bytes.length < 16) return 0;
    const length = this.#u32(bytes, 8);
    if (length > maxPacket) return this.#wrong("bad_length", `a packet of at most ${maxPacket} bytes at byte ${this.#at}, not ${length}`);
    if (bytes.length < 16 + length) return 0;
    const fraction = this.#u32(bytes, 4);
    packet({
      time: this.#u32(bytes, 0) * 1_000_000 + Math.floor(this.#nano ? fraction / 1_000 : fraction),
      link: this.#link,
      bytes: bytes.subarray(16, 16 + length),
      sent: this.#u32(bytes, 12),
    });
    return 16 + length;
  }

  #block(bytes: Buffer, packet: (packet: Packet) => void): number {
    if (bytes.length < 12) return 0;
    const isSection = bytes.readUInt32BE(0) === sectionHeader;
    if (isSection) {
      const order = bytes.readUInt32BE(8);
      if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a) return this.#wrong("bad_length", `a byte-order mark at byte ${this.#at + 8}`);
      this.#little = order === 0x4d3c2b1a;
    }
    const length = this.#u32(bytes, 4);
    if (length < 12 || length > maxBlock || length % 4 !== 0)
      return this.#wrong("bad_length", `a block of 12 to ${maxBlock} bytes in steps of 4 at byte ${this.#at}, not ${length}`);
    if (bytes.length < length) return 0;
    if (isSection) this.#interfaces = [];
    else this.#content(this.#u32(bytes, 0), bytes.subarray(8, length - 4), packet);
    return length;
  }

  #content(kind: number, body: Buffer, packet: (packet: Packet) => void): void {
    if (kind === block.interface && body.length >= 8) {
      if (this.#interfaces.length < maxInterfaces) this.#interfaces.push(this.#interface(body));
    } else if (kind === block.enhanced && body.length >= 20) this.#stamped(body, this.#u32(body, 0), packet);
    // the obsolete packet block: two bytes of interface and two of drops, else alike
    else if (kind === block.packet && body.length >= 20) this.#stamped(body, this.#u16(body, 0), packet);
    else if (kind === block.simple && body.length >= 4 && this.#interfaces[0]) {
      const sent = this.#u32(body, 0);
      const { link, snap } = this.#interfaces[0];
      const length = Math.min(sent, snap === 0 ? sent : snap, body.length - 4, maxPacket);
      packet({ time: 0, link, bytes: body.subarray(4, 4 + length), sent });
    }
  }

  #interface(body: Buffer): Interface {
    let resolution = 1_000_000;
    let offset_s = 0;
    for (let at = 8; at + 4 <= body.length; ) {
      const code = this.#u16(body, at);
      const length = this.#u16(body, at + 2);
      if (code === 0 || at + 4 + length > body.length) break;
      if (code === 9 && length === 1) {
        const told = body[at + 4]!;
        resolution = told & 0x80 ? 2 ** (told & 0x7f) : 10 ** told;
      } else if (code === 14 && length === 8) {
        offset_s = Number(this.#little ? body.readBigInt64LE(at + 4) : body.readBigInt64BE(at + 4));
      }
      at += 4 + Math.ceil(length / 4) * 4;
    }
    return { link: this.#u16(body, 0), snap: this.#u32(body, 4), resolution, offset_s };
  }

  #stamped(body: Buffer, index: number, packet: (packet: Packet) => void): void {
    const from = this.#interfaces[index];
    const length = this.#u32(body, 12);
    if (!from || length > maxPacket || 20 + length > body.length) return;
    const stamp = this.#u32(body, 4) * 2 ** 32 + this.#u32(body, 8);
    const time = Math.floor((stamp / from.resolution + from.offset_s) * 1_000_000);
    packet({
      time: Number.isSafeInteger(time) ? time : 0,
      link: from.link,
      bytes: body.subarray(20, 20 + length),
      sent: this.#u32(body, 16),
    });
  }

  #wrong(code: string, expected: string): 0 {
    this.flaw = { code, expected };
    return 0;
  }
  #u32 = (b: Buffer, at: number): number => (this.#little ? b.readUInt32LE(at) : b.readUInt32BE(at));
  #u16 = (b: Buffer, at: number): number => (this.#little ? b.readUInt16LE(at) : b.readUInt16BE(at));
}
