/** Asks a server over HTTP within bounds of time and bytes. Knows nothing of what it answers. */
import { Agent as TcpAgent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { BadInputError, outsideRequest, UnavailableError, whereabouts, z } from "@vedette/kit";
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
  allow_link_local: z
    .boolean()
    .default(false)
    .describe("Allow link-local addresses and clouds' metadata services to be asked: else a URL must not lead there, by no name either."),
  token_file: z.string().min(1).optional().describe("File whose first line is sent as `Authorization: Bearer …`."),
};

export interface Ask {
  readonly timeout_s: number;
  readonly max_body_bytes: number;
  readonly allow_link_local?: boolean | undefined;
  readonly token_file?: string | undefined;
}
export interface Answered {
  readonly body: Buffer;
  readonly type: string;
}

/** Nodes are asked again and again: what is open is used again. */
const agents = { tcp: new TcpAgent({ keepAlive: true }), tls: new TlsAgent({ keepAlive: true }) };

/** The body of an answer of 200. @throws UnavailableError `source_unavailable`, BadInputError `too_large` or `bad_encoding` */
export async function ask(
  url: string,
  { timeout_s, max_body_bytes, allow_link_local = false, token_file }: Ask,
  accept: string,
  signal: AbortSignal,
): Promise<Answered> {
  const token = token_file === undefined ? undefined : await secretOf(token_file, "token_file");
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeout_s * 1_000)]);
  try {
    const auth = token === undefined ? {} : { authorization: `Bearer ${token}` };
    // a redirect would carry the token where nobody named it: it is an answer like any other that is not 200
    const response = await outsideRequest(new URL(url), {
      may: (address) => allow_link_local || whereabouts(address) !== "link",
      headers: { accept, "accept-encoding": "gzip", "user-agent": "vedette", ...auth },
      agent: url.startsWith("https:") ? agents.tls : agents.tcp,
      signal: limit,
    });
    if (response.statusCode !== 200) {
      response.destroy();
      throw new UnavailableError("source_unavailable", `${url} answered ${response.statusCode}`);
    }
    const encoding = response.headers["content-encoding"];
    const body = await readBody(
      { headers: encoding === undefined ? {} : { "content-encoding": encoding }, body: response },
      { ...bodyCaps, wireBytes: Math.max(bodyCaps.wireBytes, max_body_bytes), bytes: max_body_bytes },
    );
    return { body, type: response.headers["content-type"] ?? "" };
  } catch (error) {
    if (error instanceof UnavailableError || error instanceof BadInputError) throw error;
    const cause = (error as { code?: string }).code ?? (error as Error).message;
    throw new UnavailableError(
      "source_unavailable",
      `${url}: ${limit.aborted && !signal.aborted ? `no answer within ${timeout_s} s` : cause}`,
      {
        cause: error,
      },
    );
  }
}
