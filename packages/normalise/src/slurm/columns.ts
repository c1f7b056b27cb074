/** How sacct's lines are cut into columns: by bars, by another delimiter, or by the widths of its plain print. Knows no column's meaning. */

/** Of a header: its names as sacct's, spelt small, and how the lines below it are cut. */
export interface Columns {
  readonly names: readonly string[];
  /** Undefined where a line has fewer columns than names. */
  readonly cut: (line: string) => readonly string[] | undefined;
}
export type Row = { readonly [name: string]: string };

const maxColumns = 256;
/** What `--delimiter` is usually given, and the spaces between columns of what is printed for people. */
const header = /^jobid(?:raw)?([|,;^~\t]| {1,24}\S)/i;
export const isHeader = (line: string): boolean => header.test(line.slice(0, 64));
/** Below the header of what is printed for people. */
export const isRule = (line: string): boolean => /^-{2,64}(?: -{1,256}){1,256} ?$/.test(line.slice(0, 4_096));

const nameOf = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/%-?\d+$/, "");

/** Names with commas or bars between them, of lines with bars. */
export const barColumns = (text: string): Columns => delimited(text.split(/[,|]/, maxColumns), "|");

/** What the last header of a stream says of its lines. */
export function headedColumns(preamble: string | undefined): Columns | undefined {
  const line = preamble?.split("\n").findLast(isHeader);
  if (line === undefined) return undefined;
  const between = header.exec(line)![1]!;
  return between.startsWith(" ") ? printed(line) : delimited(line.split(between, maxColumns), between);
}

function delimited(told: readonly string[], delimiter: string): Columns {
  const names = told.map(nameOf).filter((name) => name !== "");
  return {
    names,
    cut: (line) => {
      const columns = line.split(delimiter);
      // `--parsable` ends each line with the delimiter, `--parsable2` does not
      if (columns.length === names.length + 1 && columns.at(-1) === "") columns.pop();
      if (columns.length < names.length) return undefined;
      // a job's name is the user's, and may hold the delimiter: it comes last, and takes what is left
      return [...columns.slice(0, names.length - 1), columns.slice(names.length - 1).join(delimiter)];
    },
  };
}

/** sacct's print for people: the first column stands left in its width, the others right in theirs, so that a header ends where its values do. */
function printed(line: string): Columns {
  const words = [...line.matchAll(/\S+/g)].slice(0, maxColumns);
  const ends = words.map((word) => word.index + word[0].length);
  return {
    names: words.map((word) => nameOf(word[0])),
    cut: (text) => {
      const first = /^\S+/.exec(text)?.[0];
      if (first === undefined) return undefined;
      return [first, ...ends.slice(1).map((end, i) => text.slice(i === 0 ? first.length : ends[i]!, end).trim())];
    },
  };
}

/** A line's columns by their names. */
export function rowOf({ names, cut }: Columns, line: string): Row | undefined {
  const columns = cut(line);
  return columns === undefined ? undefined : Object.fromEntries(names.map((name, i) => [name, columns[i]!]));
}
