/** The `stdin` source: what is piped into the process, until it ends. Knows nothing of formats. */
import { PassThrough } from "node:stream";
import { defineSource, type SourceContext, z } from "@vedette/kit";
import { maxBatchBytes } from "../batch.ts";
import { deliver } from "../deliver.ts";
import { DocumentCutter, shapeOf } from "../documents.ts";
import { type Cutter, encodingOf, LineCutter } from "../lines.ts";
import { nonce } from "../nonce.ts";
import { readStream, settling } from "../stream_reader.ts";

const config = z.strictObject({
  max_line_bytes: z
    .int()
    .min(256)
    .max(16 * 1024 * 1024)
    .default(256 * 1024)
    .describe("Longest line in bytes; of a longer one the first 64 KiB and its SHA-256 go to the dead letters."),
});

export default defineSource({
  name: "stdin",
  summary: "Reads standard input until it ends.",
  description:
    "Lines, NDJSON or a JSON document, as the start of the input shows. There is nothing to resume: what is piped in again is read as new.",
  stability: "beta",
  config,
  examples: [{ title: "Lines or NDJSON from a pipe", config: {} }],
  run: (context) => readPipe(process.stdin, context),
});

/** The source on any stream. */
export async function readPipe(input: NodeJS.ReadableStream, context: SourceContext<z.output<typeof config>>): Promise<void> {
  const { clock, intake, signal } = context;
  const token = nonce(clock);
  const maxBytes = context.config.max_line_bytes;
  let chosen: Cutter | undefined;
  const cutter = (bytes: Buffer, final: boolean): Cutter | undefined => {
    if (chosen instanceof DocumentCutter && chosen.failed) chosen = new LineCutter({ token, maxBytes });
    if (chosen !== undefined) return chosen;
    const { encoding } = encodingOf(bytes);
    const shape = encoding === "bytes" ? shapeOf(bytes, final, maxBytes) : "lines";
    if (shape === "lines") chosen = new LineCutter({ token, maxBytes, encoding });
    else if (shape === "document") chosen = new DocumentCutter({ token, maxBytes: Math.max(maxBytes, 1_048_576) });
    return chosen;
  };
  // Gathers what comes while the last batch is made durable, so that a fast writer gives large batches.
  const gathered = input.pipe(new PassThrough({ highWaterMark: maxBatchBytes }));
  const stop = () => gathered.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    await readStream(
      settling(pieces(gathered), () => chosen, clock),
      { cutter, deliver: (batch) => deliver(batch, { stream: "stdin" }, { intake, clock, signal }) },
    );
  } finally {
    signal.removeEventListener("abort", stop);
    input.unpipe(gathered);
  }
}

/** Everything that is buffered at once, rather than piece by piece. */
async function* pieces(stream: PassThrough): AsyncGenerator<Buffer> {
  let wake: () => void = () => {};
  let ended = false;
  stream.on("readable", () => wake());
  stream.on("end", () => {
    ended = true;
    wake();
  });
  while (!ended) {
    const waiting = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const piece = stream.read() as Buffer | null;
    if (piece !== null) yield piece;
    else if (!ended) await waiting;
  }
}
