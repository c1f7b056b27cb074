/**
 * Requests to a configured receiver: bounded answers, a deadline, no redirects, and no address that only this machine's cloud or link can
 * mean. Knows no protocol above HTTP.
 */

import { readFile } from "node:fs/promises";
import { type IncomingMessage, Agent as TcpAgent } from "node:http";
import { Agent as TlsAgent } from "node:https";
import { gzipSync } from "node:zlib";
import { addressIn, ConfigError, type Delivery, type MayReach, outsideRequest, whereabouts, z } from "@vedette/kit";

/** What every sink over HTTP can be told. */
export const httpConfig = {
  url: z.url({ protocol: /^https?$/ }).describe("Where the receiver is."),
  ca_file: z.string().min(1).optional().describe("PEM file of certificate authorities to trust instead of the system's."),
  timeout_s: z.number().positive().max(600).default(30).describe("How long one request may take, in seconds."),
  gzip: z.boolean().default(true).describe("Whether bodies are compressed."),
  allow_link_local: z
    .boolean()
    .default(false)
    .describe("Allow link-local addresses and clouds' metadata services as receivers: else a URL must not lead there, by no name either."),
  allow_private: z
    .boolean()
    .default(false)
    .describe("Allow that the URL's name leads to a private address; an address in the URL itself, or localhost, needs no leave."),
};
export type HttpConfig = z.output<z.ZodObject<typeof httpConfig>>;

/** An answer longer than this is cut: what counts stands at its beginning. The bulk protocol's answers grow with the batch. */
const maxAnswer = 8 * 1024 ** 2;

/** Whoever writes an address, or `localhost`, says where; what a name leads to is its owner's to change. */
const reachOf = ({ url, allow_private, allow_link_local }: HttpConfig): MayReach => {
  const { hostname } = new URL(url);
  const said = addressIn(new URL(url)) !== undefined || hostname === "localhost" || hostname.endsWith(".localhost");
  return (address) => {
    const place = whereabouts(address);
    if (place === "link") return allow_link_local;
    return place === "public" || said || allow_private;
  };
};

export interface Answer {
  readonly status: number;
  readonly headers: { readonly [name: string]: string | string[] | undefined };
  readonly body: string;
}

type Headers = { readonly [name: string]: string };

/** What is beyond the bound is read on, so that the connection can be used again, up to a bound of its own. */
function answerOf(response: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    response.on("data", (part: Buffer) => {
      if (size < maxAnswer) parts.push(part);
      size += part.length;
      if (size > 4 * maxAnswer) response.destroy();
    });
    response.on("error", reject);
    response.on("close", () =>
      response.complete || size > maxAnswer
        ? resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString("utf8") })
        : reject(new Error("the answer broke off")),
    );
  });
}

export class HttpClient {
  readonly #url: URL;
  readonly #config: HttpConfig;
  readonly #agent: TcpAgent | TlsAgent;
  readonly #may: MayReach;

  private constructor(config: HttpConfig, ca: Buffer | undefined) {
    this.#config = config;
    this.#url = new URL(config.url);
    const options = { keepAlive: true, maxSockets: 1 };
    this.#agent =
      this.#url.protocol === "https:" ? new TlsAgent({ ...options, ...(ca && { ca }), minVersion: "TLSv1.2" }) : new TcpAgent(options);
    this.#may = reachOf(config);
  }

  /** @throws ConfigError for a certificate file that cannot be read, or an address that is not allowed */
  static async open(name: string, config: HttpConfig): Promise<HttpClient> {
    const address = addressIn(new URL(config.url));
    if (address !== undefined && !reachOf(config)(address))
      throw new ConfigError(
        "config_invalid",
        `sinks.${name}: url: ${address} is a link-local or metadata address; allow_link_local: true allows it`,
      );
    return new HttpClient(config, config.ca_file === undefined ? undefined : await fileOf(name, "ca_file", config.ca_file));
  }

  /** Compresses where configured. @throws Error where no answer came */
  post(path: string, body: string | Buffer, headers: Headers, signal: AbortSignal): Promise<Answer> {
    const plain = typeof body === "string" ? Buffer.from(body) : body;
    const bytes = this.#config.gzip ? gzipSync(plain, { level: 1 }) : plain;
    return this.#request(path, "POST", bytes, { ...headers, ...(this.#config.gzip && { "content-encoding": "gzip" }) }, signal);
  }

  async #request(path: string, method: string, body: Buffer, headers: Headers, signal: AbortSignal): Promise<Answer> {
    const url = new URL(this.#url);
    if (path !== "") url.pathname = `${url.pathname.replace(/\/$/, "")}${path.split("?")[0]}`;
    const query = path.split("?")[1];
    if (query !== undefined) url.search = query;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(this.#config.timeout_s * 1_000))]);
    try {
      const response = await outsideRequest(url, {
        may: this.#may,
        method,
        agent: this.#agent,
        signal: deadline,
        headers: { "content-length": String(body.length), "user-agent": "vedette", ...headers },
        body,
      });
      return await answerOf(response);
    } catch (error) {
      throw signal.aborted || !deadline.aborted ? error : new Error(`no answer within ${this.#config.timeout_s} s`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A receiver's words in one short line. */
export const brief = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, 300);

/** What the status alone says; undefined for success, whose body may tell more. */
export function judged({ status, headers, body }: Answer): Exclude<Delivery, { outcome: "answered" }> | undefined {
  if (status >= 200 && status < 300) return undefined;
  const reason = `HTTP ${status}${body === "" ? "" : `: ${brief(body)}`}`;
  // what it says of these very records; anything else is between it and our settings, and passes or is mended
  if (status === 400 || status === 413 || status === 422) return { outcome: "refused", reason };
  const after = Number(headers["retry-after"]);
  return { outcome: "unavailable", reason, ...(Number.isFinite(after) && after > 0 && { retryAfter_ms: after * 1_000 }) };
}

/** Runs one attempt; trouble on the way is an outcome. */
export async function attempt(post: () => Promise<Answer>, taken: (answer: Answer) => Delivery): Promise<Delivery> {
  let answer: Answer;
  try {
    answer = await post();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { outcome: "unavailable", reason: code !== undefined && !message.includes(code) ? `${code}: ${message}` : message };
  }
  return judged(answer) ?? taken(answer);
}

/** @throws ConfigError */
export async function fileOf(sink: string, key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new ConfigError("config_invalid", `sinks.${sink}: ${key}: ${(error as Error).message}`, { cause: error });
  }
}

/** The first line of a file. @throws ConfigError where there is none */
export async function secretOf(sink: string, key: string, path: string): Promise<string> {
  const secret = (await fileOf(sink, key, path)).toString("utf8").split("\n", 1)[0]!.trim();
  if (secret === "") throw new ConfigError("config_invalid", `sinks.${sink}: ${key}: ${path} has nothing in its first line`);
  return secret;
}
