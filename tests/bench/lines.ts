/** A large file line by line. Knows no format. */
import { closeSync, openSync, readSync } from "node:fs";

/** A file's lines as bytes, a mebibyte at a time; each is good until the next is asked for. */
export function* linesOf(file: string): Generator<Buffer> {
  const fd = openSync(file, "r");
  const chunk = Buffer.allocUnsafe(4 << 20);
  let rest = 0;
  for (;;) {
    const read = readSync(fd, chunk, rest, chunk.length - rest, null);
    if (read === 0) break;
    const end = rest + read;
    let from = 0;
    for (let at = chunk.indexOf(10, from); at >= 0 && at < end; at = chunk.indexOf(10, from)) {
      yield chunk.subarray(from, at);
      from = at + 1;
    }
    chunk.copyWithin(0, from, end);
    rest = end - from;
  }
  closeSync(fd);
}
