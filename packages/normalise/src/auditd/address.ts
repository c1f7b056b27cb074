/** Reads a socket's address as audit's SOCKADDR has it: a `struct sockaddr` in hex. Knows no event. */
import { isSixth } from "../linux/peer.ts";

export interface SocketAddress {
  readonly ip?: string;
  readonly port?: number;
  /** Of a socket in the file system. */
  readonly path?: string;
}

/** AF_UNIX, AF_INET, AF_INET6 (include/linux/socket.h), in the byte order of the machines that log. */
export function socketAddress(hex: string): SocketAddress | undefined {
  if (hex.length < 6 || hex.length > 512 || !/^[0-9A-Fa-f]+$/.test(hex)) return undefined;
  const bytes = Buffer.from(hex, "hex");
  const family = bytes.readUInt16LE(0);
  if (family === 1) return unixPath(bytes);
  if (bytes.length < 8) return undefined;
  const port = bytes.readUInt16BE(2);
  if (family === 2) return { ip: bytes.subarray(4, 8).join("."), port };
  if (family !== 10 || bytes.length < 24) return undefined;
  if (bytes.readBigUInt64BE(8) === 0n && bytes.readUInt32BE(16) === 0xffff) return { ip: bytes.subarray(20, 24).join("."), port };
  return { ip: sixth(bytes.subarray(8, 24)), port };
}

function unixPath(bytes: Buffer): SocketAddress | undefined {
  const end = bytes.indexOf(0, 2);
  const path = bytes.toString("utf8", 2, end < 0 ? bytes.length : end);
  return path.startsWith("/") ? { path } : undefined;
}

/** As RFC 5952 writes it: the longest run of zeros, of two and more, left out. */
function sixth(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && groups[at + length] === "0") length++;
    if (length > best.length) best = { at, length };
  }
  const text = best.at < 0 ? groups.join(":") : `${groups.slice(0, best.at).join(":")}::${groups.slice(best.at + best.length).join(":")}`;
  return isSixth(text) ? text : groups.join(":");
}
