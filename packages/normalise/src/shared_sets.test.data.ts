/** Reads the third-party data sets beside the repository, for tests only; they are absent in most checkouts. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, inflateRawSync } from "node:zlib";

const shared = process.env["VEDETTE_SHARED"] ?? fileURLToPath(new URL("../../../../shared", import.meta.url));

/** A set's folder, or undefined where the checkout has none (then tests skip). */
export function sharedSet(name: string): string | undefined {
  const path = join(shared, "data", name);
  return existsSync(path) ? path : undefined;
}

/** The values of a gzipped JSON Lines file. */
export function readJsonLines(path: string): unknown[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

/** The files in a ZIP archive (stored or deflated, no ZIP64), by APPNOTE 4.3; folders and macOS resource forks are left out. */
export function* unzip(path: string): Generator<{ readonly name: string; readonly text: string }> {
  const zip = readFileSync(path);
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const body = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    const stored = zip.readUInt16LE(at + 10) === 0;
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (name.endsWith("/") || name.startsWith("__MACOSX")) continue;
    yield { name, text: (stored ? body : inflateRawSync(body)).toString("utf8") };
  }
}
