/** One row of separated values (RFC 4180): quotes around a value, doubled within. Knows no column. */

/** Wider rows are refused; the widest logs we know have about 120 columns. */
const maxColumns = 1_024;

/** The row's values; undefined where a quote does not end or the row is too wide. Linear. */
export function splitCsv(line: string, separator: string): string[] | undefined {
  const values: string[] = [];
  const size = separator.length;
  let at = 0;
  while (values.length < maxColumns) {
    if (line.charCodeAt(at) === 0x22) {
      const end = closing(line, at + 1);
      if (end < 0) return undefined;
      const value = line.slice(at + 1, end);
      values.push(value.includes('"') ? value.replaceAll('""', '"') : value);
      if (end + 1 >= line.length) return values;
      if (!line.startsWith(separator, end + 1)) return undefined;
      at = end + 1 + size;
    } else {
      const next = line.indexOf(separator, at);
      values.push(line.slice(at, next < 0 ? undefined : next));
      if (next < 0) return values;
      at = next + size;
    }
  }
  return undefined;
}

/** The quote that ends a value, or -1. */
function closing(line: string, from: number): number {
  for (let at = line.indexOf('"', from); at >= 0; at = line.indexOf('"', at + 2)) {
    if (line.charCodeAt(at + 1) !== 0x22) return at;
  }
  return -1;
}
