/** Speaks to a running server over its HTTP API; knows only the contract. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock, UnavailableError, VedetteError } from "@vedette/kit";

export interface ServerOptions {
  readonly url?: string;
  readonly dataDir?: string;
}

export interface Client {
  readonly url: string;
  get<T>(path: string, query?: { readonly [name: string]: string | undefined }): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  put<T>(path: string, text: string, type: string): Promise<T>;
  delete<T>(path: string): Promise<T>;
  /** Bytes to a path outside the API; waits while the server has no room for them. */
  send<T>(path: string, body: Uint8Array, headers: { readonly [name: string]: string }): Promise<T>;
  stream(path: string, signal?: AbortSignal): AsyncIterable<{ readonly event: string; readonly data: string }>;
}

const prefix = process.env["API_V1_STR"] ?? "/api/v1";

/** @throws UnavailableError when no server answers or no token is found. */
export function connect(options: ServerOptions): Client {
  const directory = options.dataDir ?? process.env["VEDETTE_DATA"] ?? "./data";
  const url = (options.url ?? process.env["VEDETTE_URL"] ?? lockUrl(directory) ?? "http://127.0.0.1:8080").replace(/\/$/, "");
  const tokenFile = join(directory, "admin.token");
  const token = process.env["VEDETTE_TOKEN"] ?? (existsSync(tokenFile) ? readFileSync(tokenFile, "utf8").trim() : undefined);
  const ask = async (method: string, path: string, init: RequestInit): Promise<Response> => {
    let response: Response;
    try {
      const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...init.headers };
      response = await fetch(`${url}${path}`, { ...init, method, headers });
      while (path.startsWith("/ingest/") && (response.status === 429 || response.status === 503)) {
        await systemClock.sleep(Math.min(30, Number(response.headers.get("retry-after")) || 1) * 1_000);
        response = await fetch(`${url}${path}`, { ...init, method, headers });
      }
    } catch (e) {
      const cause = (e as { cause?: { code?: string } }).cause?.code ?? (e as Error).message;
      throw new UnavailableError("store_unavailable", `no server at ${url} (${cause}); start one with "vedette up", or name it with --url`);
    }
    if (response.ok) return response;
    const problem = (await response.json().catch(() => ({}))) as { detail?: string; title?: string };
    if (response.status === 401)
      throw new VedetteError(
        "unauthorised",
        true,
        `${url} wants a token: set VEDETTE_TOKEN, or --data-dir to the folder that holds admin.token`,
      );
    throw new VedetteError(
      response.status === 404 ? "not_found" : "bad_request",
      response.status < 500,
      problem.detail ?? problem.title ?? `${method} ${path}: ${response.status}`,
    );
  };
  const call = (method: string, path: string, body?: unknown, signal?: AbortSignal, type = "application/json"): Promise<Response> =>
    ask(method, `${prefix}${path}`, {
      ...(body === undefined ? {} : { headers: { "content-type": type } }),
      ...(body === undefined ? {} : { body: type === "application/json" ? JSON.stringify(body) : (body as string) }),
      ...(signal ? { signal } : {}),
    });
  const result = async <T>(response: Promise<Response>): Promise<T> => {
    const text = await (await response).text();
    return (text === "" ? undefined : JSON.parse(text)) as T;
  };
  return {
    url,
    get: (path, query = {}) => {
      const search = new URLSearchParams(Object.entries(query).flatMap(([k, v]): [string, string][] => (v === undefined ? [] : [[k, v]])));
      return result(call("GET", search.size > 0 ? `${path}?${search}` : path));
    },
    post: (path, body = {}) => result(call("POST", path, body)),
    put: (path, text, type) => result(call("PUT", path, text, undefined, type)),
    delete: (path) => result(call("DELETE", path)),
    send: (path, body, headers) => result(ask("POST", path, { body: new Uint8Array(body), headers })),
    async *stream(path, signal) {
      const response = await call("GET", path, undefined, signal);
      let rest = "";
      const decoder = new TextDecoder();
      for await (const chunk of response.body!) {
        rest += decoder.decode(chunk as Uint8Array, { stream: true });
        for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
          const block = rest.slice(0, end);
          rest = rest.slice(end + 2);
          const event = /^event: ?(.*)$/m.exec(block)?.[1];
          const data = block
            .split("\n")
            .flatMap((l) => (l.startsWith("data:") ? [l.slice(5).trimStart()] : []))
            .join("\n");
          if (event !== undefined) yield { event, data };
        }
      }
    },
  };
}

function lockUrl(directory: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(directory, "LOCK"), "utf8")) as { url?: string }).url;
  } catch {
    return undefined;
  }
}
