/** `vedette source import FILE…`: reads files once, as the file source does, and hands them to a running server. Knows no format. */
import { fileSource } from "@vedette/ingest";
import { contentHash, type Intake, systemClock, VedetteError } from "@vedette/kit";
import { connect, type ServerOptions } from "../client.ts";
import { counted, safe } from "../output.ts";
import { unfit } from "../scan/inputs.ts";

interface Options extends ServerOptions {
  readonly as: string;
  readonly historical?: boolean;
}

interface Reply {
  readonly accepted: number;
  readonly dead: number;
  readonly duplicates: number;
}

/** Resolves when everything is durable. A repetition within 24 hours is told apart by file and place, and not taken twice. */
export async function importFiles(paths: readonly string[], options: Options): Promise<void> {
  const source = options.historical ? `historical.${options.as}` : options.as;
  const server = connect(options);
  const sum = { accepted: 0, dead: 0, duplicates: 0 };
  let [found, files] = ["", 0];
  let skip: string | undefined;
  const intake: Intake = {
    async accept(records, { stream = "", position = "", preamble } = {}) {
      if (records.length === 0) return { duplicates: [] };
      if (stream !== found) {
        found = stream;
        skip = unfit(stream);
        if (skip === undefined) files++;
        process.stderr.write(skip === undefined ? `${safe(stream)}…\n` : `${safe(stream)}: skipped: ${skip}\n`);
      }
      if (skip !== undefined) return { duplicates: [] };
      const lines = [...(preamble === undefined ? [] : [Buffer.from(preamble)]), ...records.map(({ body }) => body)];
      const body = Buffer.concat(lines.flatMap((line) => [line, newline]));
      const key = contentHash(JSON.stringify([stream, position]));
      const reply = await server.send<Reply>(`/ingest/${source}`, body, { "idempotency-key": key });
      for (const name of ["accepted", "dead", "duplicates"] as const) sum[name] += reply[name];
      return { duplicates: [] };
    },
  };
  await fileSource.run({
    name: source,
    config: fileSource.config.parse({ paths, follow: false }),
    intake,
    positions: new Map(),
    clock: systemClock,
    warn: (code, message) => process.stderr.write(`warning ${code}: ${safe(message)}\n`),
    signal: new AbortController().signal,
  });
  if (files === 0) throw new VedetteError("not_found", true, `no file with anything to read: ${paths.join(", ")}`);
  const again = sum.duplicates > 0 ? `, ${sum.duplicates} of them were there already` : "";
  const apart = options.historical ? "; what they give is listed by: vedette alerts --historical" : "";
  process.stderr.write(
    `${counted(sum.accepted + sum.duplicates, "record")} of ${counted(files, "file")} as source ${source}${again}; ${counted(sum.dead, "dead letter")}${apart}\n`,
  );
}

const newline = Buffer.from("\n");
