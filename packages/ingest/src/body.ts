/** Takes a request's body within bounds: bytes on the wire, bytes after decompression, and their ratio. Knows nothing of what is in it. */
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from "node:zlib";
import { BadInputError, type EndpointRequest, type EndpointResponse, UnavailableError, VedetteError } from "@vedette/kit";

/** Reference 2.1: senders' bulks are below 100 MiB; compressed ones below a tenth of it. */
export const bodyCaps = {
  wireBytes: 16 * 1024 * 1024,
  bytes: 100 * 1024 * 1024,
  ratio: 100,
  /** Bodies up to here may expand as they like: an all-alike megabyte is no bomb. */
  ratioFreeBytes: 1024 * 1024,
};
export type BodyCaps = typeof bodyCaps;

type Inflate = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Buffer>;
const decoders: { readonly [encoding: string]: Inflate } = {
  gzip: promisify(gunzip) as Inflate,
  "x-gzip": promisify(gunzip) as Inflate,
  // "deflate" is the zlib format by RFC 9110; some senders send raw deflate all the same.
  deflate: (bytes, options) => promisify((isZlib(bytes) ? inflate : inflateRaw) as typeof inflate)(bytes, options) as Promise<Buffer>,
  zstd: promisify(zstdDecompress) as Inflate,
  br: promisify(brotliDecompress) as Inflate,
};
const isZlib = (bytes: Uint8Array) => bytes.length >= 2 && (bytes[0]! & 0x0f) === 8 && (bytes[0]! * 256 + bytes[1]!) % 31 === 0;

/**
 * The whole body, decompressed by `Content-Encoding`.
 * @throws BadInputError `too_large` (over a cap) or `bad_encoding` (unknown or damaged).
 */
export async function readBody(request: Pick<EndpointRequest, "headers" | "body">, caps: BodyCaps = bodyCaps): Promise<Buffer> {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding === "" || encoding === "identity") return await gather(request.body, caps.bytes);
  const decoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (decoder === undefined)
    throw new BadInputError(
      "bad_encoding",
      `Content-Encoding "${encoding.slice(0, 40)}" is not one of ${Object.keys(decoders).join(", ")}.`,
    );
  const wire = await gather(request.body, caps.wireBytes);
  if (wire.length === 0) return wire;
  const maxOutputLength = Math.min(caps.bytes, Math.max(caps.ratioFreeBytes, wire.length * caps.ratio));
  try {
    return await decoder(wire, { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new BadInputError(
        "too_large",
        `The body expands to more than ${maxOutputLength} bytes (cap ${caps.bytes}, ratio ${caps.ratio}).`,
        { cause: error },
      );
    }
    throw new BadInputError("bad_encoding", `The body is not valid ${encoding}.`, { cause: error });
  }
}

/**
 * What is over the cap is read on and thrown away, up to as much again: a sender that is refused while it still writes, on a connection it
 * wants to use again, would wait for ever.
 */
async function gather(body: AsyncIterable<Uint8Array>, cap: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length <= cap) pieces.push(piece);
    else pieces.length = 0;
    if (length > 2 * cap) break;
  }
  if (length > cap) throw new BadInputError("too_large", `The body is over ${cap} bytes.`);
  return Buffer.concat(pieces, length);
}

/** RFC 9457. */
export function problem(status: number, code: string, detail: string): EndpointResponse {
  const title = titles[status] ?? "Error";
  return {
    status,
    headers: { "content-type": "application/problem+json" },
    body: JSON.stringify({ type: `about:blank`, title, status, detail, code }),
  };
}
const titles: { readonly [status: number]: string } = {
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
};

/** 413 or 400 as the error says; anything else is thrown on. */
export function problemOf(error: unknown): EndpointResponse {
  if (!(error instanceof BadInputError)) throw error;
  return problem(error.code === "too_large" ? 413 : 400, error.code, error.message);
}

/** The error where the sender is at fault; our own troubles are thrown on, for the server to word as back-pressure. */
export function senderFault(error: unknown): VedetteError {
  if (!(error instanceof VedetteError) || error instanceof UnavailableError) throw error;
  return error;
}
