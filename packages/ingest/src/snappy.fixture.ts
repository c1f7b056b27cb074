/** Writes snappy's block format with literals alone, for tests. */
export function snappy(text: Uint8Array | string): Buffer {
  const bytes = Buffer.from(text as string);
  const length: number[] = [];
  for (let left = bytes.length; left > 0 || length.length === 0; left = Math.floor(left / 128))
    length.push((left % 128) + (left >= 128 ? 128 : 0));
  const parts: Buffer[] = [Buffer.from(length)];
  for (let at = 0; at < bytes.length; at += 65_536) {
    const part = bytes.subarray(at, at + 65_536);
    parts.push(Buffer.from([61 * 4, (part.length - 1) & 0xff, (part.length - 1) >>> 8]), part);
  }
  return Buffer.concat(parts);
}
