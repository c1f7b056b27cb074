/** A tar archive of a few files in memory (POSIX ustar). Reads and writes no disk. */

const block = 512;

/** @param names up to 100 bytes each */
export function tar(files: ReadonlyMap<string, Uint8Array>, folder: string, at_s: number): Buffer {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of files)
    parts.push(header(`${folder}/${name}`, bytes.length, at_s), bytes, new Uint8Array((block - (bytes.length % block)) % block));
  // two empty blocks end it
  parts.push(new Uint8Array(2 * block));
  return Buffer.concat(parts);
}

function header(name: string, size: number, at_s: number): Buffer {
  if (Buffer.byteLength(name) > 100) throw new RangeError(`a name of at most 100 bytes was expected: ${name}`);
  const bytes = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) => bytes.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  bytes.write(name, 0, "utf8");
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(at_s, 136, 12);
  // the sum is taken with blanks in its own place
  bytes.fill(" ", 148, 156);
  bytes.write("0", 156, "latin1");
  bytes.write("ustar\x0000", 257, "latin1");
  const sum = bytes.reduce((a, b) => a + b, 0);
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
