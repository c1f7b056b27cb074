/**
 * Requests to OpenSearch over HTTP: bounded answers, a deadline, the next node where one does not answer, and trouble told in words that name
 * the setting. Knows no event.
 */
import { request as overTcp, Agent as TcpAgent } from "node:http";
import { request as overTls, Agent as TlsAgent } from "node:https";
import { UnavailableError } from "@vedette/kit";

export interface Cluster {
  /** Nodes of one cluster; any of them is asked. */
  readonly urls: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** Certificate authorities to trust instead of the system's, PEM. */
  readonly ca?: string;
  /** This program's own, where nodes ask for one; PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** How long one request may take. */
  readonly timeout_ms: number;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A page of ten thousand events of some KB; more is an answer nobody asked for. */
const maxAnswer = 256 * 1024 ** 2;
/** Connections kept open to a node. */
const maxSockets = 8;
/** Versions whose index templates and searches this is written for. */
const versions: readonly number[] = [2, 3];

export const unavailable = (reason: string, cause?: unknown): UnavailableError =>
  new UnavailableError("store_unavailable", reason, cause === undefined ? undefined : { cause });

/** OpenSearch's words for what is wrong, in one line. */
export function reasonOf(body: unknown): string {
  const error = (body as { error?: unknown } | null)?.error;
  if (typeof error === "string") return error.slice(0, 300);
  const { type, reason, root_cause, caused_by } = (error ?? {}) as {
    type?: string;
    reason?: string;
    root_cause?: readonly { type?: string; reason?: string }[];
    caused_by?: { type?: string; reason?: string };
  };
  const parts = [`${type ?? ""}: ${reason ?? ""}`, root_cause?.[0]?.reason, caused_by?.reason];
  return [...new Set(parts.filter((part) => part !== undefined && part !== ": "))].join("; ").replace(/\s+/g, " ").slice(0, 400);
}

/** What a refusal means for whoever runs this installation; undefined where it is about the request itself. */
export function trouble(status: number, body: unknown, user: string | undefined): string | undefined {
  const reason = reasonOf(body);
  const blocked = /cluster_block_exception|index_create_block|read-only|read_only/.test(reason);
  if (status === 401)
    return `OpenSearch does not take ${user === undefined ? "requests without a user" : `the password of ${user}`}: check opensearch.username and opensearch.password`;
  if (blocked)
    return `OpenSearch takes no more events (${reason}): free disk space on its nodes; below the flood stage watermark it lifts the block itself`;
  if (status === 403)
    return `OpenSearch does not allow ${user ?? "anonymous"} to do this (${reason}): see "Rights" in docs/guide/events-on-opensearch.md`;
  if (status === 429) return `OpenSearch is too busy (${reason || "HTTP 429"})`;
  if (/maximum shards open|maximum normal shards/.test(reason))
    return `OpenSearch has no room for another index (${reason}): raise opensearch.bucket_hours or cluster.max_shards_per_node`;
  if (status >= 500) return `OpenSearch failed (HTTP ${status}${reason === "" ? "" : `: ${reason}`})`;
  return undefined;
}

/** Why no answer came. */
function connectionTrouble(url: string, error: NodeJS.ErrnoException, timeout_ms: number): string {
  if (error.name === "TimeoutError" || error.message === "timeout")
    return `OpenSearch at ${url} gave no answer within ${timeout_ms / 1_000} s (opensearch.timeout_s)`;
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(error.code ?? ""))
    return `OpenSearch at ${url} has a certificate that is not trusted (${error.code}): set opensearch.ca_file`;
  if (error.code === "EPROTO" || error.code === "ERR_SSL_WRONG_VERSION_NUMBER" || error.code === "HPE_INVALID_CONSTANT")
    return `what answers at ${url} does not speak ${url.startsWith("https") ? "TLS" : "plain HTTP"} (${error.code}): check http or https in opensearch.url`;
  return `OpenSearch at ${url} does not answer (${error.code ?? error.message}): check opensearch.url`;
}

export class Client {
  readonly #cluster: Cluster;
  readonly #urls: readonly URL[];
  readonly #agents: { readonly tcp: TcpAgent; readonly tls: TlsAgent };
  readonly #authorization: string | undefined;
  #at = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#urls = cluster.urls.map((url) => new URL(url));
    const options = { keepAlive: true, maxSockets };
    this.#agents = {
      tcp: new TcpAgent(options),
      tls: new TlsAgent({
        ...options,
        ...(cluster.ca && { ca: cluster.ca }),
        ...(cluster.cert && { cert: cluster.cert }),
        ...(cluster.key && { key: cluster.key }),
        minVersion: "TLSv1.2",
      }),
    };
    const { username, password } = cluster;
    if (username !== undefined) this.#authorization = `Basic ${Buffer.from(`${username}:${password ?? ""}`).toString("base64")}`;
  }

  get user(): string | undefined {
    return this.#cluster.username;
  }

  /** @throws UnavailableError where no node answers; AbortError when `signal` aborts */
  async ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Answer> {
    const text = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const ndjson = typeof body === "string";
    let last: unknown;
    for (let tried = 0; tried < this.#urls.length; tried++) {
      signal?.throwIfAborted();
      const url = this.#urls[this.#at] as URL;
      try {
        return await this.#send(url, method, path, text, ndjson, signal);
      } catch (error) {
        signal?.throwIfAborted();
        last = unavailable(connectionTrouble(url.origin, error as NodeJS.ErrnoException, this.#cluster.timeout_ms), error);
        this.#at = (this.#at + 1) % this.#urls.length;
      }
    }
    throw last;
  }

  /** As `ask`, and what is not a success is an error. @throws UnavailableError, also for what OpenSearch says of the request itself */
  async get<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    const answer = await this.ask(method, path, body, signal);
    if (answer.status >= 200 && answer.status < 300) return answer.body as T;
    throw unavailable(
      trouble(answer.status, answer.body, this.user) ??
        `OpenSearch refused ${method} ${path.split("?")[0]}: HTTP ${answer.status}, ${reasonOf(answer.body)}`,
    );
  }

  /** @throws UnavailableError unless what answers is an OpenSearch of a version this speaks */
  async checkVersion(): Promise<string> {
    const { version } = await this.get<{ version?: { number?: string; distribution?: string } }>("GET", "/");
    const number = version?.number ?? "of no version";
    const is = version?.distribution ?? (version === undefined ? "something else" : "elasticsearch");
    if (is !== "opensearch" || !versions.includes(Number(number.split(".")[0])))
      throw unavailable(
        `expected OpenSearch ${versions.join(" or ")} at ${this.#urls[this.#at]?.origin} (opensearch.url), found ${is} ${number}`,
      );
    return number;
  }

  #send(
    base: URL,
    method: string,
    path: string,
    text: string | undefined,
    ndjson: boolean,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const url = new URL(base);
    const [pathname, query] = path.split("?");
    url.pathname = `${url.pathname.replace(/\/$/, "")}${pathname}`;
    url.search = query ?? "";
    const tls = url.protocol === "https:";
    const timeout = AbortSignal.timeout(this.#cluster.timeout_ms);
    const deadline = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    const bytes = text === undefined ? undefined : Buffer.from(text);
    const headers: { [name: string]: string } = { "user-agent": "vedette", "accept-encoding": "identity" };
    if (bytes) {
      headers["content-length"] = String(bytes.length);
      headers["content-type"] = ndjson ? "application/x-ndjson" : "application/json";
    }
    if (this.#authorization !== undefined) headers["authorization"] = this.#authorization;
    return new Promise((resolve, reject) => {
      const sent = (tls ? overTls : overTcp)(
        url,
        { method, headers, agent: tls ? this.#agents.tls : this.#agents.tcp, signal: deadline },
        (response) => {
          const parts: Buffer[] = [];
          let size = 0;
          response.on("data", (part: Buffer) => {
            size += part.length;
            if (size > maxAnswer) response.destroy(new Error(`an answer of more than ${maxAnswer} bytes`));
            else parts.push(part);
          });
          response.on("error", reject);
          response.on("close", () => {
            if (!response.complete) return reject(new Error("the answer broke off"));
            resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(parts)) });
          });
        },
      );
      sent.on("error", (error) => reject(timeout.aborted && !signal?.aborted ? new Error("timeout") : error));
      sent.end(bytes);
    });
  }

  close(): void {
    this.#agents.tcp.destroy();
    this.#agents.tls.destroy();
  }
}

/** What is no JSON (a proxy's page, a break) is told as an error of that text. */
function parsed(bytes: Buffer): unknown {
  const text = bytes.toString("utf8");
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return { error: text.slice(0, 200) };
  }
}
