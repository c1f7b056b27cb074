/** Sixteen bytes as the text of an IPv6 address. */

/** RFC 5952, as Zeek writes addresses: the longest run of zero groups becomes `::`. */
export function groups(bytes: Buffer): string {
  const all = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && all[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  const text = (some: readonly number[]) => some.map((g) => g.toString(16)).join(":");
  return best.start < 0 ? text(all) : `${text(all.slice(0, best.start))}::${text(all.slice(best.start + best.length))}`;
}
