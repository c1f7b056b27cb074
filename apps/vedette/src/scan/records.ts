/** Reads files as production does, through the `file` and `stdin` sources: compression, encodings, headers and documents across lines; captures as Zeek would. Knows no rule. */
import { fileSource, stdinSource } from "@vedette/ingest";
import { type FormatSpec, type Intake, systemClock } from "@vedette/kit";
import type { RawRecord } from "@vedette/model";
import { detectFormat } from "@vedette/normalise";
import { textOf } from "@vedette/pipeline";
import { isCaptureFile, readCapture } from "./capture.ts";

/** Some records of one file, in order. */
export interface Piece {
  readonly file: string;
  /** Records of the file before these. */
  readonly first: number;
  readonly format: string;
  readonly preamble: string | undefined;
  readonly records: readonly RawRecord[];
}

export interface ReadOptions {
  readonly formats: ReadonlyMap<string, FormatSpec>;
  /** The format of every file; told from the first records when absent. */
  readonly format?: string | undefined;
  readonly warn: (file: string, code: string, message: string) => void;
}

/** Hands over every record of a file, or of standard input for `-`. */
export async function readRecords(path: string, options: ReadOptions, take: (piece: Piece) => void | Promise<void>): Promise<number> {
  let first = 0;
  let known: string | undefined = options.format;
  const hand = async (records: readonly RawRecord[], preamble: string | undefined) => {
    if (records.length === 0) return;
    const sample = () => records.slice(0, 32).map((r) => textOf(Buffer.from(r.body)));
    const format = known ?? detectFormat(options.formats, sample(), preamble, path);
    if (format !== "text") known = format;
    await take({ file: path, first, format, preamble, records });
    first += records.length;
  };
  if (path === "-") await readStdin(path, options, hand);
  else if (isCaptureFile(path)) {
    known = "zeek";
    let row = 0;
    const records = (rows: readonly object[]) => rows.map((r) => ({ position: String(row++), body: Buffer.from(JSON.stringify(r)) }));
    await readCapture(
      path,
      (rows) => hand(records(rows), undefined),
      (code, message) => options.warn(path, code, message),
    );
  } else await readFile(path, options, hand);
  return first;
}

type Hand = (records: readonly RawRecord[], preamble: string | undefined) => Promise<void>;

/** What a source needs of us: nothing is kept, nothing was read before. */
const contextOf = (path: string, options: ReadOptions, hand: Hand) => ({
  name: path,
  intake: {
    accept: async (records, o) => {
      await hand(records, o?.preamble);
      return { duplicates: [] };
    },
  } satisfies Intake,
  positions: new Map(),
  clock: systemClock,
  warn: (code: string, message: string) => options.warn(path, code, message),
  signal: new AbortController().signal,
});

async function readFile(path: string, options: ReadOptions, hand: Hand): Promise<void> {
  // a name is a name, whatever characters it has
  const config = fileSource.config.parse({ paths: [path.replace(/[*?[{}(]/g, "[$&]")], follow: false });
  await fileSource.run({ ...contextOf(path, options, hand), config });
}

const readStdin = (path: string, options: ReadOptions, hand: Hand): Promise<void> =>
  stdinSource.run({ ...contextOf(path, options, hand), config: stdinSource.config.parse({}) });
