/** The `journald` endpoint: what `systemd-journal-upload` sends. What an entry means is the format's business. */
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import {
  BadInputError,
  defineEndpoint,
  type EndpointContext,
  type EndpointRequest,
  type EndpointResponse,
  UnavailableError,
  z,
} from "@vedette/kit";
import { senderFault } from "../body.ts";
import { deliver } from "../deliver.ts";
import { recordBytes, sourceName } from "../endpoint_config.ts";
import { JournalCutter } from "../journal/export.ts";
import { nonce } from "../nonce.ts";
import { readStream } from "../stream_reader.ts";

const config = z.strictObject({
  source: sourceName("journald", "the entries"),
  max_record_bytes: recordBytes("entry in bytes"),
});
type Options = z.output<typeof config>;

const mediaType = "application/vnd.fdo.journal";

export default defineEndpoint({
  name: "journald",
  summary: "Takes the systemd journal from systemd-journal-upload.",
  description:
    "`POST /upload` takes entries of the journal's export format as they come, however many, and answers 202 when all are durable; systemd-journal-upload then notes its cursor. While too much is waiting the request is not read. " +
    "An entry is known by its cursor, so what is sent again after a lost answer gives no event twice within 24 hours.",
  stability: "beta",
  config,
  routes: [{ method: "POST", path: "/upload" }],
  examples: [
    {
      title: "One entry",
      config: {},
      request: `POST /upload\nContent-Type: ${mediaType}\n\n__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1714557601000000\nMESSAGE=hello\n\n`,
      status: 202,
    },
    { title: "Another type", config: {}, request: "POST /upload\nContent-Type: application/json\n\n{}", status: 415 },
    {
      title: "Not the export format",
      config: {},
      request: `POST /upload\nContent-Type: ${mediaType}\n\n{"MESSAGE":"hello"}\n`,
      status: 400,
    },
  ],
  async handle(request, options, context) {
    try {
      return await take(request, options, context);
    } catch (error) {
      return answer(400, senderFault(error).message);
    }
  },
  refuse: ({ status, message }) => answer(status, message),
});

/** The client shows the text in its own log. */
const answer = (status: number, text: string): EndpointResponse => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: `${text}\n`,
});

/** How long a request is held while nothing can be taken; then it fails and is sent again. */
const patience_ms = 60_000;

async function take(request: EndpointRequest, options: Options, context: EndpointContext): Promise<EndpointResponse> {
  const [type = ""] = (request.headers["content-type"] ?? "").toLowerCase().split(";", 1);
  if (type.trim() !== mediaType) return answer(415, `Content-Type must be ${mediaType}, as systemd-journal-upload sends it.`);
  const intake = context.intake(options.source);
  const cutter = new JournalCutter({ token: nonce(context.clock), maxBytes: options.max_record_bytes, peer: request.peer });
  await readStream(plain(request), {
    cutter: () => cutter,
    deliver: async (batch) => {
      const signal = AbortSignal.timeout(patience_ms);
      const durable = await deliver(batch, { stream: "upload" }, { intake, clock: context.clock, signal });
      if (!durable) throw new UnavailableError("backpressure", "too much is waiting to be made durable; try again");
      return true;
    },
  });
  return cutter.failed ? answer(400, "What came is not the journal's export format.") : answer(202, "OK.");
}

/** The bytes as they were before compression. */
async function* plain({ headers, body }: EndpointRequest): AsyncGenerator<Uint8Array> {
  const encoding = (headers["content-encoding"] ?? "").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return yield* body;
  if (encoding !== "gzip" && encoding !== "zstd") {
    throw new BadInputError("bad_encoding", `Content-Encoding "${encoding.slice(0, 40)}" is not one of gzip, zstd.`);
  }
  const unpacker = encoding === "gzip" ? createGunzip() : createZstdDecompress();
  const packed = Readable.from(body);
  packed.on("error", (error) => unpacker.destroy(error));
  try {
    yield* packed.pipe(unpacker) as AsyncIterable<Uint8Array>;
  } catch (error) {
    if (error instanceof Error && "errno" in error)
      throw new BadInputError("bad_encoding", `The body is not valid ${encoding}.`, { cause: error });
    throw error;
  } finally {
    packed.destroy();
  }
}
