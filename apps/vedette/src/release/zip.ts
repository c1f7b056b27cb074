/** Reads the directory of a ZIP archive and unpacks single files of it, within bounds. Knows stored and deflated files; no encryption, no ZIP64. */
import { crc32, inflateRawSync } from "node:zlib";
import { broken, type Entry, maxEntries, maxFileBytes, tooLarge } from "./entry.ts";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;
const localSignature = 0x04034b50;
/** The end record, and the longest comment after it. */
const endSize = 22;
const maxComment = 65_535;

/** @throws BadInputError `bad_encoding`, `too_large` */
export function zipEntries(archive: Buffer, where: string): Entry[] {
  let end = archive.length - endSize;
  const first = Math.max(0, end - maxComment);
  while (end >= first && archive.readUInt32LE(end) !== endSignature) end--;
  if (end < first) throw broken(where, "not a ZIP archive, or cut off: its directory is missing");
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  if (count === 0xffff || at === 0xffffffff) throw broken(where, "a ZIP64 archive; pack fewer files, or use tar.gz");
  if (count > maxEntries) throw tooLarge(where, `${count} files; at most ${maxEntries}`);
  const entries: Entry[] = [];
  for (let n = 0; n < count; n++) {
    if (at + 46 > archive.length || archive.readUInt32LE(at) !== entrySignature)
      throw broken(where, `its directory is damaged at entry ${n + 1}`);
    const flags = archive.readUInt16LE(at + 8);
    const method = archive.readUInt16LE(at + 10);
    const crc = archive.readUInt32LE(at + 16);
    const packed = archive.readUInt32LE(at + 20);
    const bytes = archive.readUInt32LE(at + 24);
    const nameLength = archive.readUInt16LE(at + 28);
    const local = archive.readUInt32LE(at + 42);
    const path = archive.toString("utf8", at + 46, at + 46 + nameLength);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
    if (path.endsWith("/")) continue;
    entries.push({ path, bytes, read: () => unpack(archive, { local, packed, bytes, method, crc, flags }, `${where}: ${path}`) });
  }
  return entries;
}

interface Packed {
  readonly local: number;
  readonly packed: number;
  readonly bytes: number;
  readonly method: number;
  readonly crc: number;
  readonly flags: number;
}

function unpack(archive: Buffer, { local, packed, bytes, method, crc, flags }: Packed, where: string): Buffer {
  if (flags & 1) throw broken(where, "is encrypted");
  if (bytes > maxFileBytes) throw tooLarge(where, `${bytes} bytes; at most ${maxFileBytes}`);
  if (local + 30 > archive.length || archive.readUInt32LE(local) !== localSignature) throw broken(where, "is not where the directory says");
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const data = archive.subarray(start, start + packed);
  let found: Buffer;
  try {
    // what unpacks to more than the directory says is cut short here, whatever its ratio
    if (method === 8) found = inflateRawSync(data, { maxOutputLength: Math.max(1, bytes) });
    else if (method === 0) found = data;
    else throw broken(where, `is packed by method ${method}; expected stored or deflated`);
  } catch (e) {
    if ((e as { code?: string }).code === "bad_encoding") throw e;
    throw broken(where, `does not unpack: ${(e as Error).message}`);
  }
  if (found.length !== bytes || crc32(found) !== crc) throw broken(where, "is damaged: its length or checksum is not the directory's");
  return found;
}
