/** Reads comma-separated values with a header line (RFC 4180), each row with its line. Knows no column. */

export interface CsvRow {
  /** Where the row begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows in order, blank lines and lines that begin with # left out; linear in the text. An open quote runs to the end. */
export function* csvRows(text: string): Generator<CsvRow> {
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const begun = line;
    const cells: string[] = [];
    if (text[at] === "#") {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end + 1;
      line++;
      continue;
    }
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        let from = at + 1;
        for (;;) {
          const quote = text.indexOf('"', from);
          if (quote < 0) {
            cell += text.slice(from);
            at = text.length;
            break;
          }
          cell += text.slice(from, quote);
          if (text[quote + 1] !== '"') {
            at = quote + 1;
            break;
          }
          cell += '"';
          from = quote + 2;
        }
        line += cell.split("\n").length - 1;
      }
      let end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n") end++;
      cells.push((cell + text.slice(at, end)).trim());
      at = end + 1;
      if (text[end] !== ",") break;
    }
    line++;
    if (cells.length > 1 || cells[0] !== "") yield { line: begun, cells };
  }
}
