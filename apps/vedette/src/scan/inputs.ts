/** Which files a scan reads: folders are walked, and what cannot be read is named with the reason. Knows no log format. */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@vedette/kit";
import { isCapture } from "@vedette/pcap";

export interface Skipped {
  readonly path: string;
  readonly reason: string;
  /** It may hold records, and nobody could look: permission, disk. What is known to hold no lines is none of these. */
  readonly unread?: boolean;
}

export interface Inputs {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly skipped: readonly Skipped[];
}

/** The bytes by which kinds of file are known that hold no lines. */
const kinds: readonly { readonly magic: string; readonly at?: number; readonly is: string }[] = [
  { magic: "fd377a585a00", is: "xz-compressed; unpack it (xz -d), or compress it as .gz or .zst" },
  { magic: "425a68", is: "bzip2-compressed; unpack it (bzip2 -d), or compress it as .gz or .zst" },
  { magic: "504b0304", is: "a zip archive; unpack it" },
  { magic: "504b0506", is: "an empty zip archive" },
  { magic: "377abcaf271c", is: "a 7z archive; unpack it" },
  { magic: "04224d18", is: "lz4-compressed; unpack it, or compress it as .gz or .zst" },
  { magic: "456c6646696c6500", is: "a binary Windows event log; export it as JSON lines (evtx_dump -o jsonl)" },
  { magic: "50415231", is: "a Parquet file; export it as JSON lines" },
  { magic: "7f454c46", is: "a program" },
  { magic: "4d5a", is: "a program" },
  { magic: "4c504b5348485248", is: "a systemd journal; export it (journalctl -o json --file …)" },
  { magic: "53514c69746520666f726d6174", is: "an SQLite database" },
  { magic: "7573746172", at: 257, is: "a tar archive; unpack it" },
];
const headBytes = 4_096;
/** Deeper trees are links in a circle or an attack. */
const maxDepth = 32;

/** @throws ConfigError for a path that was named and is not there. */
export function findInputs(paths: readonly string[]): Inputs {
  const files: { path: string; bytes: number }[] = [];
  const skipped: Skipped[] = [];
  const visit = (path: string, depth: number, named: boolean): void => {
    let stat: ReturnType<typeof statSync>;
    try {
      stat = statSync(path);
      if (stat.isDirectory()) {
        if (depth > maxDepth) return void skipped.push({ path, reason: `more than ${maxDepth} folders deep` });
        for (const name of readdirSync(path).sort()) visit(join(path, name), depth + 1, false);
        return;
      }
    } catch (e) {
      const missing = (e as NodeJS.ErrnoException).code === "ENOENT";
      if (named && missing) throw new ConfigError("config_invalid", `${path}: no such file or folder`);
      return void skipped.push(missing ? { path, reason: "a link that leads nowhere" } : { path, reason: refusalOf(e), unread: true });
    }
    // a pipe that was named (process substitution) is read like a file; one found in a folder would block
    if (!stat.isFile() && !(named && stat.isFIFO())) return void skipped.push({ path, reason: "not a file" });
    const found = stat.isFile() ? headOf(path) : undefined;
    if (found !== undefined && "unread" in found) return void skipped.push({ path, ...found });
    const reason = found && noLines(path, found);
    if (reason === undefined) files.push({ path, bytes: stat.size });
    else skipped.push({ path, reason });
  };
  for (const path of paths) visit(path, 0, true);
  return { files, skipped };
}

/** Why a file holds no lines, or cannot be looked into; undefined where it can be read. */
export function unfit(path: string): string | undefined {
  const head = headOf(path);
  return "unread" in head ? head.reason : noLines(path, head);
}

const refusalOf = (e: unknown): string => {
  const { code, message } = e as NodeJS.ErrnoException;
  return code === "EACCES" ? "you may not read it" : message;
};

function headOf(path: string): Buffer | { readonly reason: string; readonly unread: true } {
  const head = Buffer.alloc(headBytes);
  try {
    const file = openSync(path, "r");
    try {
      return head.subarray(0, readSync(file, head, 0, headBytes, 0));
    } finally {
      closeSync(file);
    }
  } catch (e) {
    return { reason: refusalOf(e), unread: true };
  }
}

/** Why a file that begins so cannot be read as lines or as a capture; undefined when it can. */
function noLines(path: string, head: Buffer): string | undefined {
  const { length } = head;
  if (length === 0) return "empty";
  if (/\.(gz|zst)$/.test(path) || isCapture(head)) return undefined;
  const mark = length >= 2 ? head.readUInt16BE(0) : 0;
  if (mark === 0x1f8b) return "gzip-compressed; give it a name that ends in .gz";
  if (length >= 4 && head.readUInt32LE(0) === 0xfd2fb528) return "zstd-compressed; give it a name that ends in .zst";
  const hex = head.toString("hex");
  const kind = kinds.find(({ magic, at = 0 }) => hex.startsWith(magic, at * 2));
  if (kind) return kind.is;
  // UTF-16 has a mark and many zero bytes; any other text has none
  const marked = mark === 0xfffe || mark === 0xfeff;
  return !marked && head.includes(0) ? "binary content" : undefined;
}
