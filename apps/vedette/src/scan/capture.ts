/** Reads packet captures as the records of Zeek's logs that their packets amount to. Knows no rule, and judges nothing. */
import { closeSync, createReadStream, openSync, readSync, statSync } from "node:fs";
import { Capture, type CaptureCounts, isCapture, type Row } from "@vedette/pcap";

/** Whether a file is a capture, by its first bytes; a pipe is not looked into. */
export function isCaptureFile(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const head = Buffer.alloc(4);
  const file = openSync(path, "r");
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  return isCapture(head.subarray(0, length));
}

const chunkBytes = 1_048_576;

/**
 * Hands over the rows of a capture as connections end; waits for `take` before it reads on.
 * @param warn what was wrong with the file, and what of it was not looked at
 */
export async function readCapture(
  path: string,
  take: (rows: readonly Row[]) => void | Promise<void>,
  warn: (code: string, message: string) => void,
): Promise<CaptureCounts> {
  let rows: Row[] = [];
  const capture = new Capture((row) => rows.push(row));
  const hand = async () => {
    if (rows.length === 0) return;
    const ready = rows;
    rows = [];
    await take(ready);
  };
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    capture.read(chunk as Buffer);
    await hand();
  }
  const flaw = capture.end();
  await hand();
  if (flaw) warn(flaw.code, `expected ${flaw.expected}; what came before it was read`);
  const { skipped, cutShort, packets } = capture.counts;
  const left = Object.entries(skipped).map(([why, n]) => `${why} ${n}`);
  if (left.length > 0) warn("packets_skipped", `of ${packets} packets some tell of no connection: ${left.join(", ")}`);
  if (cutShort > 0) warn("connections_cut", `${cutShort} connections were told before they ended: too many were open at once`);
  return capture.counts;
}
