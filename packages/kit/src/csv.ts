/** Cells of CSV (RFC 4180) for spreadsheets, which run what begins like a formula. Knows no column. */
import { visible } from "./visible.ts";

/** A spreadsheet must not run what a log says: cells that start like a formula are quoted as text. */
export function csvCell(text: string): string {
  // leading blanks do not keep a spreadsheet from it; control characters would reach a terminal that shows the file
  const guarded = visible(/^[\t\r]|^[\s\0]*[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text);
  return /[",]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}
