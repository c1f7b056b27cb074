/** Reads a tar archive, packed by gzip or plain, within bounds. Regular files only: links lead nowhere, so they are left out. */
import { gunzipSync } from "node:zlib";
import { broken, type Entry, maxEntries, maxFileBytes, tooLarge } from "./entry.ts";

const block = 512;
/** SigmaHQ's whole repository unpacks to some 60 MB; gzip packs nothing a thousandfold that is not made to. */
const maxUnpacked = 1 << 30;
/** Long names and extended headers. */
const maxName = 65_536;

/** @throws BadInputError `bad_encoding`, `too_large` */
export function tarEntries(archive: Buffer, where: string): Entry[] {
  const data = archive[0] === 0x1f && archive[1] === 0x8b ? gunzip(archive, where) : archive;
  const entries: Entry[] = [];
  let longName: string | undefined;
  for (let at = 0; at + block <= data.length; ) {
    const header = data.subarray(at, at + block);
    if (header.every((byte) => byte === 0)) break;
    const bytes = octal(header, 124, 12);
    if (bytes === undefined || !checksumHolds(header)) throw broken(where, `not a tar archive, or damaged at byte ${at}`);
    const body = at + block;
    if (body + bytes > data.length) throw broken(where, `cut off in ${text(header, 0, 100)}`);
    at = body + Math.ceil(bytes / block) * block;
    const type = String.fromCharCode(header[156]!);
    if (type === "L" || type === "x") {
      if (bytes > maxName) throw tooLarge(where, `a name of ${bytes} bytes`);
      const given = data.subarray(body, body + bytes);
      longName = type === "L" ? text(given, 0, bytes) : (paxPath(given) ?? longName);
      continue;
    }
    const prefix = text(header, 257, 5) === "ustar" ? text(header, 345, 155) : "";
    const path = longName ?? (prefix === "" ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`);
    if (type !== "g") longName = undefined;
    if (type !== "0" && type !== "\0") continue;
    if (entries.length >= maxEntries) throw tooLarge(where, `more than ${maxEntries} files`);
    const read = () => {
      if (bytes > maxFileBytes) throw tooLarge(`${where}: ${path}`, `${bytes} bytes; at most ${maxFileBytes}`);
      return data.subarray(body, body + bytes);
    };
    entries.push({ path: path.replace(/^\.\//, ""), bytes, read });
  }
  return entries;
}

function gunzip(archive: Buffer, where: string): Buffer {
  try {
    return gunzipSync(archive, { maxOutputLength: maxUnpacked });
  } catch (e) {
    if ((e as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(where, `unpacks to more than ${maxUnpacked} bytes`);
    throw broken(where, `does not unpack: ${(e as Error).message}`);
  }
}

function text(bytes: Buffer, from: number, length: number): string {
  const field = bytes.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? field.length : end);
}

function octal(bytes: Buffer, from: number, length: number): number | undefined {
  const digits = text(bytes, from, length).trim();
  return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
}

/** The sum of the header's bytes, its own field taken as blanks. */
function checksumHolds(header: Buffer): boolean {
  let sum = 0;
  for (let i = 0; i < block; i++) sum += i >= 148 && i < 156 ? 0x20 : header[i]!;
  return octal(header, 148, 8) === sum;
}

/** Records `LENGTH key=value\n`; of these only the path matters. */
function paxPath(bytes: Buffer): string | undefined {
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString("latin1", at, blank));
    if (blank < 0 || !Number.isInteger(length) || length <= 0) return undefined;
    const record = bytes.toString("utf8", blank + 1, at + length - 1);
    if (record.startsWith("path=")) return record.slice(5);
    at += length;
  }
  return undefined;
}
