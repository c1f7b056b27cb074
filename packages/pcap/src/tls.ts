/** What the hellos of a TLS connection say in the clear, as Zeek's ssl log tells it: name asked for, version, cipher, JA3 and JA4. Knows no key. */
import { hash } from "node:crypto";
import { grease, ja4Of } from "./ja4.ts";

export interface TlsHello {
  readonly server_name?: string;
  readonly version?: string;
  readonly cipher?: string;
  readonly next_protocol?: string;
  readonly ja3: string;
  readonly ja4: string;
}

const versions: ReadonlyMap<number, string> = new Map([
  [0x0300, "SSLv3"],
  [0x0301, "TLSv10"],
  [0x0302, "TLSv11"],
  [0x0303, "TLSv12"],
  [0x0304, "TLSv13"],
]);
const extension = { name: 0, curves: 10, formats: 11, signatures: 13, protocols: 16, versions: 43 } as const;
const maxExtensions = 128;
interface Hello {
  readonly version: number;
  readonly ciphers: readonly number[];
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** Undefined where the client's first bytes are no whole hello. */
export function tlsOf(client: Buffer, server: Buffer): TlsHello | undefined {
  const hello = helloOf(client, 1);
  if (!hello) return undefined;
  const answer = helloOf(server, 2);
  const chosen = answer?.extensions.get(extension.versions);
  const version = answer && (chosen && chosen.length >= 2 ? chosen.readUInt16BE(0) : answer.version);
  const name = nameOf(hello.extensions.get(extension.name));
  const protocol = protocolOf(answer?.extensions.get(extension.protocols)) ?? protocolOf(hello.extensions.get(extension.protocols));
  return {
    ...(name === undefined ? {} : { server_name: name }),
    ...(version === undefined ? {} : { version: versions.get(version) ?? `unknown-${version}` }),
    ...(answer?.ciphers[0] === undefined ? {} : { cipher: `0x${answer.ciphers[0].toString(16).padStart(4, "0")}` }),
    ...(protocol === undefined ? {} : { next_protocol: protocol }),
    ja3: ja3Of(hello),
    ja4: ja4Of({
      ...hello,
      extensions: [...hello.extensions.keys()],
      versions: numbersAt(hello.extensions.get(extension.versions), 1),
      signatures: numbersAt(hello.extensions.get(extension.signatures), 2),
      protocol: firstProtocol(hello.extensions.get(extension.protocols)),
    }),
  };
}

export const isTls = (bytes: Buffer): boolean => bytes.length >= 3 && bytes[0] === 22 && bytes[1] === 3 && bytes[2]! <= 4;

/** @param kind 1 the client's, 2 the server's */
function helloOf(bytes: Buffer, kind: 1 | 2): Hello | undefined {
  const message = handshake(bytes);
  if (!message || message[0] !== kind || message.length < 39) return undefined;
  const end = Math.min(message.length, 4 + message.readUIntBE(1, 3));
  const version = message.readUInt16BE(4);
  let at = 39 + message[38]!;
  const ciphers: number[] = [];
  if (kind === 1) {
    if (at + 2 > end) return undefined;
    const length = message.readUInt16BE(at);
    if (at + 2 + length + 1 > end) return undefined;
    for (let i = 0; i + 1 < length; i += 2) ciphers.push(message.readUInt16BE(at + 2 + i));
    at += 2 + length;
    at += 1 + message[at]!;
  } else {
    if (at + 3 > end) return undefined;
    ciphers.push(message.readUInt16BE(at));
    at += 3;
  }
  return { version, ciphers, extensions: extensionsAt(message.subarray(0, end), at) };
}

/** The first handshake message, put together from its records. */
function handshake(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === 22; ) {
    const length = bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts);
}

function extensionsAt(message: Buffer, start: number): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = start + 2; at + 4 <= message.length && found.size < maxExtensions; ) {
    const length = message.readUInt16BE(at + 2);
    if (at + 4 + length > message.length) break;
    found.set(message.readUInt16BE(at), message.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

function nameOf(data: Buffer | undefined): string | undefined {
  if (!data || data.length < 5 || data[2] !== 0) return undefined;
  const name = data.toString("latin1", 5, 5 + data.readUInt16BE(3)).toLowerCase();
  return /^[\w.-]{1,255}$/.test(name) ? name : undefined;
}

const firstProtocol = (data: Buffer | undefined): string | undefined =>
  !data || data.length < 3 ? undefined : data.toString("latin1", 3, 3 + data[2]!);

function protocolOf(data: Buffer | undefined): string | undefined {
  const name = firstProtocol(data);
  return name !== undefined && /^[\w./-]{1,32}$/.test(name) ? name : undefined;
}

/** A list of numbers of two bytes, behind its own length. */
function numbersAt(data: Buffer | undefined, start: 1 | 2): readonly number[] {
  const numbers: number[] = [];
  for (let i = start; data && i + 1 < data.length; i += 2) numbers.push(data.readUInt16BE(i));
  return numbers;
}

/** Salesforce's fingerprint: version, ciphers, extensions, curves, point formats. */
function ja3Of({ version, ciphers, extensions }: Hello): string {
  const formats = extensions.get(extension.formats);
  const curves = numbersAt(extensions.get(extension.curves), 2);
  const list = (all: readonly number[]) => all.filter((n) => !grease(n)).join("-");
  const text = [version, list(ciphers), list([...extensions.keys()]), list(curves), formats ? [...formats.subarray(1)].join("-") : ""];
  return hash("md5", text.join(","));
}
