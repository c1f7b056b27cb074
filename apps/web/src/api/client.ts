/** Talks JSON to the API: parameters in, data or an ApiError out. It knows no route by name and keeps no data. */

const prefix = "/api/v1";

/** A problem document (RFC 9457), or the network's own failure with status 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export type Params = { readonly [name: string]: string | number | undefined };

const unauthorised = new Set<() => void>();

/** Calls back on every 401; returns the way to stop. */
export function onUnauthorised(listener: () => void): () => void {
  unauthorised.add(listener);
  return () => unauthorised.delete(listener);
}

/** Path and query of an API route; parameters that are undefined or empty are left out. */
export function apiPath(path: string, params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  const query = search.toString();
  return `${prefix}${path}${query === "" ? "" : `?${query}`}`;
}

export interface RequestOptions {
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly params?: Params;
  /** JSON; a Blob is sent as it is, by its own type. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Sends one request; throws ApiError for every answer that is not 2xx, and tells the listeners of `onUnauthorised` about a 401. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const init: RequestInit = { method: options.method ?? "GET", headers: { accept: "application/json" }, credentials: "same-origin" };
  if (options.signal !== undefined) init.signal = options.signal;
  if (options.body !== undefined) {
    const raw = options.body instanceof Blob ? options.body : undefined;
    init.body = raw ?? JSON.stringify(options.body);
    init.headers = { accept: "application/json", "content-type": raw?.type ?? "application/json" };
  }
  let answer: Response;
  try {
    answer = await fetch(apiPath(path, options.params), init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "unreachable", "The server does not answer. Is Vedette running?");
  }
  if (!answer.ok) {
    const error = await problem(answer);
    if (error.status === 401) for (const listener of unauthorised) listener();
    throw error;
  }
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

async function problem(answer: Response): Promise<ApiError> {
  const text = await answer.text().catch(() => "");
  try {
    const { title, detail, code } = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    return new ApiError(answer.status, code ?? "error", detail ?? title ?? `The server answered ${answer.status}.`);
  } catch {
    return new ApiError(answer.status, "error", `The server answered ${answer.status} ${answer.statusText}.`);
  }
}
