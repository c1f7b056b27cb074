/** Speaks to a running server over its HTTP API: finds it, and says in the command line's words what went wrong. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Client, type Failure, serverEvents } from "@vedette/client";
import { systemClock, UnavailableError, VedetteError } from "@vedette/kit";

export interface ServerOptions {
  readonly url?: string;
  readonly dataDir?: string;
}

const prefix = process.env["API_V1_STR"] ?? "/api/v1";

/** A server's API, and what the command line asks of it besides. */
export class Server extends Client {
  readonly url: string;
  readonly #headers: { readonly [name: string]: string };

  constructor(url: string, token: string | undefined) {
    const headers: { readonly [name: string]: string } = token === undefined ? {} : { authorization: `Bearer ${token}` };
    super({ baseUrl: `${url}${prefix}`, headers, thrown: (failure) => errorOf(url, failure) });
    this.url = url;
    this.#headers = headers;
  }

  /** Bytes to a path outside the API; waits while the server has no room for them. */
  async send<T>(path: string, body: Uint8Array, headers: { readonly [name: string]: string }): Promise<T> {
    for (;;) {
      const init = { method: "POST", headers: { ...this.#headers, ...headers }, body: new Uint8Array(body) };
      const answer = await fetch(`${this.url}${path}`, init).catch((cause: unknown) => {
        throw errorOf(this.url, { status: 0, code: "unreachable", detail: "", cause });
      });
      const text = await answer.text();
      if (answer.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
      if (answer.status !== 429 && answer.status !== 503)
        throw errorOf(this.url, { status: answer.status, code: "error", detail: detailOf(text) ?? `POST ${path}: ${answer.status}` });
      await systemClock.sleep(Math.min(30, Number(answer.headers.get("retry-after")) || 1) * 1_000);
    }
  }

  /** A page outside the API. */
  async text(path: string): Promise<string> {
    const answer = await fetch(`${this.url}${path}`, { headers: this.#headers }).catch((cause: unknown) => {
      throw errorOf(this.url, { status: 0, code: "unreachable", detail: "", cause });
    });
    const text = await answer.text();
    if (!answer.ok)
      throw errorOf(this.url, { status: answer.status, code: "error", detail: detailOf(text) ?? `GET ${path}: ${answer.status}` });
    return text;
  }

  /** Server-sent events until the server ends them. */
  async *follow(events: boolean) {
    const { body } = await this.open("/stream", events ? { query: { events: "1" } } : {});
    yield* serverEvents(body!);
  }
}

/** @throws UnavailableError when no server answers or no token is found, at the first call. */
export function connect(options: ServerOptions): Server {
  const directory = options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data";
  const url = (options.url ?? process.env["VEDETTE_URL"] ?? lockUrl(directory) ?? "http://127.0.0.1:8080").replace(/\/$/, "");
  const tokenFile = join(directory, "admin.token");
  return new Server(url, process.env["VEDETTE_TOKEN"] ?? (existsSync(tokenFile) ? readFileSync(tokenFile, "utf8").trim() : undefined));
}

function errorOf(url: string, { status, detail, cause }: Failure): VedetteError {
  if (status === 0) {
    const { cause: deeper, message } = cause as Error & { cause?: { code?: string; message?: string } };
    const reason = deeper?.code ?? deeper?.message ?? message;
    return new UnavailableError("store_unavailable", `no server at ${url} (${reason}); start one with "vedette up", or name it with --url`);
  }
  if (status === 401)
    return new VedetteError(
      "unauthorised",
      true,
      `${url} wants a token: set VEDETTE_TOKEN, or --data-dir to the folder that holds admin.token`,
    );
  return new VedetteError(status === 404 ? "not_found" : "bad_request", status < 500, inWordsOfOptions(detail));
}

/** The server names parts of a request; here they are options and arguments of the same names. */
const inWordsOfOptions = (detail: string): string =>
  detail.replace(/^querystring\/(\w+): /, "--$1: ").replace(/^(?:body|params)\/([\w/]+): /, "$1: ");

function detailOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { detail?: string }).detail;
  } catch {
    return undefined;
  }
}

function lockUrl(directory: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(directory, "LOCK"), "utf8")) as { url?: string }).url;
  } catch {
    return undefined;
  }
}
