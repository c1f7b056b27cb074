/** Asks a server over HTTP within bounds of time and bytes. Knows nothing of what it answers. */
import { BadInputError, UnavailableError, z } from "@vedette/kit";
import { bodyCaps, readBody } from "../body.ts";
import { secretOf } from "../secret.ts";

export const targetUrl = z.string().refine((text) => URL.canParse(text) && /^https?:\/\//.test(text), "expected http://… or https://…");

/** Settings that everything polled has. */
export const pollMembers = {
  interval_s: z.number().min(1).max(86_400).default(15).describe("How often it is asked, in seconds."),
  timeout_s: z.number().min(0.1).max(600).default(10).describe("How long an answer may take, in seconds."),
  max_body_bytes: z
    .int()
    .min(1_024)
    .max(1024 ** 3)
    .default(64 * 1024 ** 2)
    .describe("Largest answer in bytes, after decompression."),
  token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
};

export interface Ask {
  readonly timeout_s: number;
  readonly max_body_bytes: number;
  readonly token_file?: string | undefined;
}
export interface Answered {
  readonly body: Buffer;
  readonly type: string;
}

/** The body of an answer of 200. @throws UnavailableError `source_unavailable`, BadInputError `too_large` or `bad_encoding` */
export async function ask(
  url: string,
  { timeout_s, max_body_bytes, token_file }: Ask,
  accept: string,
  signal: AbortSignal,
): Promise<Answered> {
  const token = token_file === undefined ? undefined : await secretOf(token_file, "token_file");
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout_s * 1_000)]);
  try {
    const headers = { accept, "user-agent": "vedette", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
    // a redirect would carry the token where nobody named it
    const response = await fetch(url, { headers, signal: limit, redirect: "error" });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new UnavailableError("source_unavailable", `${url} answered ${response.status}`);
    }
    // fetch has decompressed it
    const pieces = response.body as AsyncIterable<Uint8Array> | null;
    const body = await readBody({ headers: {}, body: pieces ?? nothing() }, { ...bodyCaps, bytes: max_body_bytes });
    return { body, type: response.headers.get("content-type") ?? "" };
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof BadInputError) throw error;
    const cause = (error as { cause?: { code?: string } }).cause?.code ?? (error as Error).message;
    throw new UnavailableError(
      "source_unavailable",
      `${url}: ${limit.aborted && !signal.aborted ? `no answer within ${timeout_s} s` : cause}`,
      {
        cause: error,
      },
    );
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
