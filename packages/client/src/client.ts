/** Calls the HTTP API: a path and what it takes in, its answer out, or a failure thrown. Which paths there are the types know. */
import type { Answered, Arguments, Asked, Extra, Method, Operation, PathOf } from "./types.ts";

/** What became of a call that did not succeed. */
export interface Failure {
  /** HTTP's, or 0 where no answer came. */
  readonly status: number;
  /** As docs/errors.md lists them, or `unreachable`. */
  readonly code: string;
  readonly detail: string;
  readonly cause?: unknown;
}

/** A problem document (RFC 9457), or the network's own failure with status 0. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  constructor({ status, code, detail, cause }: Failure) {
    super(detail, { cause });
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

export interface ClientOptions {
  /** Where the API is, its prefix included: `http://127.0.0.1:8080/api/v1`. */
  readonly baseUrl: string;
  readonly headers?: { readonly [name: string]: string };
  readonly credentials?: "same-origin" | "include" | "omit";
  /** Makes what is thrown of a failure; an `ApiError` where not given. */
  readonly thrown?: (failure: Failure) => unknown;
}

type Values = { readonly [name: string]: string | number | boolean | undefined };
interface Loose extends Extra {
  readonly path?: Values;
  readonly query?: Values;
  readonly body?: unknown;
}

/** A route's path with its parameters put in; undefined where one cannot stand in a path: `.` and `..` would climb out of it. */
function pathOf(path: string, values: Values = {}): string | undefined {
  let good = true;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name]);
    good &&= value !== "" && value !== "." && value !== "..";
    return encodeURIComponent(value);
  });
  return good ? filled : undefined;
}

/** A query string with its question mark; what is undefined or empty is left out. */
export function queryOf(values: Values = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") search.set(name, String(value));
  return search.size === 0 ? "" : `?${search}`;
}

async function failureOf(answer: Response): Promise<Failure> {
  const { status, statusText } = answer;
  const text = await answer.text().catch(() => "");
  try {
    const { title, detail, code } = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    return { status, code: code ?? "error", detail: detail ?? title ?? `The server answered ${status}.` };
  } catch {
    return { status, code: "error", detail: `The server answered ${status} ${statusText}.`.replace(" .", ".") };
  }
}

export class Client {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  get<P extends PathOf<"get">>(path: P, ...asked: Arguments<Asked<Operation<"get", P>>>): Promise<Answered<Operation<"get", P>>> {
    return this.#answer("get", path, asked[0]);
  }
  post<P extends PathOf<"post">>(path: P, ...asked: Arguments<Asked<Operation<"post", P>>>): Promise<Answered<Operation<"post", P>>> {
    return this.#answer("post", path, asked[0]);
  }
  put<P extends PathOf<"put">>(path: P, ...asked: Arguments<Asked<Operation<"put", P>>>): Promise<Answered<Operation<"put", P>>> {
    return this.#answer("put", path, asked[0]);
  }
  patch<P extends PathOf<"patch">>(path: P, ...asked: Arguments<Asked<Operation<"patch", P>>>): Promise<Answered<Operation<"patch", P>>> {
    return this.#answer("patch", path, asked[0]);
  }
  delete<P extends PathOf<"delete">>(
    path: P,
    ...asked: Arguments<Asked<Operation<"delete", P>>>
  ): Promise<Answered<Operation<"delete", P>>> {
    return this.#answer("delete", path, asked[0]);
  }

  /** The answer as it comes, for streams. Throws as the others do. */
  open<P extends PathOf<"get">>(path: P, ...asked: Arguments<Asked<Operation<"get", P>>>): Promise<Response> {
    return this.#ask("get", path, asked[0] as Loose | undefined);
  }

  async #answer<A>(method: Method, path: string, asked: unknown): Promise<A> {
    const text = await (await this.#ask(method, path, asked as Loose | undefined)).text();
    return (text === "" ? undefined : JSON.parse(text)) as A;
  }

  async #ask(method: Method, path: string, { path: values, query, body, headers, signal }: Loose = {}): Promise<Response> {
    const { baseUrl, credentials, thrown = (failure) => new ApiError(failure) } = this.#options;
    const filled = pathOf(path, values);
    if (filled === undefined) throw thrown({ status: 404, code: "not_found", detail: "there is none with this id" });
    // bytes, text and files go as they are, under the type that the caller names
    const raw = typeof body === "string" || body instanceof Uint8Array || body instanceof Blob;
    let answer: Response;
    try {
      answer = await fetch(`${baseUrl}${filled}${queryOf(query)}`, {
        method: method.toUpperCase(),
        headers: {
          accept: "application/json",
          ...(body !== undefined && !raw && { "content-type": "application/json" }),
          ...this.#options.headers,
          ...headers,
        },
        ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) }),
        ...(credentials && { credentials }),
        ...(signal && { signal }),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw thrown({ status: 0, code: "unreachable", detail: "The server does not answer. Is Vedette running?", cause });
    }
    if (!answer.ok) throw thrown(await failureOf(answer));
    return answer;
  }
}
