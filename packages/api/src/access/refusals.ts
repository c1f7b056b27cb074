/** The last senders that were refused over HTTP: why, how often, and what to do. Knows no protocol. */
import type { Micros } from "@vedette/model";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServerOptions } from "../ports.ts";

export interface Refusal {
  readonly first: Micros;
  readonly last: Micros;
  readonly count: number;
  readonly peer: string;
  /** The endpoint; undefined where the request reached none. */
  readonly endpoint?: string;
  /** The source that the sender's token belongs to. */
  readonly source?: string;
  readonly cause: Cause;
  readonly status?: number;
  /** What the sender was told, or did. */
  readonly message: string;
  readonly fix: string;
}

/** Why a sender fails, with what to do. */
const fixes = {
  no_token: "give the sender a token: vedette source token NAME; where it goes tells vedette source config NAME --for CLIENT",
  wrong_token: "the sender's token is unknown or was taken back: make another with vedette source token NAME",
  not_allowed: "a source's token may only deliver records; look with the administrator's token",
  wrong_name: "call the server by a loopback name such as 127.0.0.1, or through a proxy that does",
  unknown_path: "correct the address or path in the sender's configuration: vedette source config NAME --for CLIENT",
  wrong_content_type: "set the sender to the content type that the message names",
  wrong_encoding: "set the sender's compression to gzip or none",
  too_large: "send smaller batches, or raise endpoints.ENDPOINT.max_body_bytes",
  bad_request: "the body is not what the protocol says; the message tells what was expected, the dead letters hold what came",
  slowed:
    "nothing is lost: the sender sends again later; if it lasts, see vedette doctor for the disk and the lag, or raise the source's quota",
  server_fault: "see the server's own output",
  wrong_version: "set endpoints.elasticsearch.version to the sender's version, or allow_older_versions: true at the sender",
  tls_to_plain: "the sender speaks TLS to a port without it: write http:// in its configuration, or put a TLS proxy in front",
  plain_to_tls: "the sender speaks without TLS to a port with it: write https:// in its configuration",
  tls_failed: "the sender does not trust the certificate, or speaks no TLS version in common: give it the certificate's authority",
  not_http: "something that is not HTTP was sent to the HTTP port: syslog, forward and NetFlow have ports of their own under sources",
} as const;
export type Cause = keyof typeof fixes;

/** Kept at most; the oldest go first. A cluster's senders fail in few ways at a time. */
const maxRefusals = 200;
const maxMessage = 300;

export class Refusals {
  readonly #now: () => Micros;
  readonly #kept = new Map<string, Refusal>();

  constructor(now: () => Micros) {
    this.#now = now;
  }
  add(
    one: Pick<Refusal, "peer" | "cause" | "message"> & {
      endpoint?: string | undefined;
      source?: string | undefined;
      status?: number | undefined;
    },
  ): void {
    const { peer, cause, endpoint, source, status } = one;
    const key = [peer, cause, endpoint, source, status].join("\0");
    const before = this.#kept.get(key);
    const last = this.#now();
    this.#kept.delete(key);
    this.#kept.set(key, {
      first: before?.first ?? last,
      last,
      count: (before?.count ?? 0) + 1,
      peer,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(source === undefined ? {} : { source }),
      cause,
      ...(status === undefined ? {} : { status }),
      message: plain(one.message),
      fix: fixes[cause].replace("ENDPOINT", endpoint ?? "NAME").replaceAll("NAME", source ?? "NAME"),
    });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxRefusals) break;
      this.#kept.delete(oldest);
    }
  }
  /** Newest first. */
  list(): readonly Refusal[] {
    return [...this.#kept.values()].reverse();
  }
}

/** One line, without what a terminal would act upon. */
const plain = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}]+/gu, " ")
    .trim()
    .slice(0, maxMessage);

/** What an answer says of why: the member that protocols put it in, or the text itself. */
function said(payload: unknown): string {
  const text = typeof payload === "string" ? payload.slice(0, 4_096) : Buffer.isBuffer(payload) ? payload.toString("utf8", 0, 4_096) : "";
  try {
    const {
      detail,
      message,
      text: hec,
      error,
    } = JSON.parse(text) as { detail?: unknown; message?: unknown; text?: unknown; error?: { reason?: unknown } };
    for (const one of [detail, message, hec, error?.reason]) if (typeof one === "string") return one;
  } catch {
    // not JSON, or cut off
  }
  return text;
}

function causeOf(status: number, message: string, request: FastifyRequest): Cause {
  const presented = request.headers.authorization !== undefined;
  if (status === 401) return presented ? "wrong_token" : "no_token";
  if (status === 403) return request.principal?.kind === "source" ? "not_allowed" : "wrong_name";
  if (status === 404 || status === 405) return "unknown_path";
  if (status === 413) return "too_large";
  if (status === 415) return "wrong_content_type";
  if (status === 429 && request.principal === undefined) return "wrong_token";
  if (status === 429 || status === 503) return "slowed";
  if (status >= 500) return "server_fault";
  return /content-encoding|is not valid (?:gzip|deflate|zstd|br|snappy)/i.test(message) ? "wrong_encoding" : "bad_request";
}

/** Beats do not send to a server older than themselves, and do not say so to it. */
function olderThan(version: string, agent: string | undefined): string | undefined {
  const beat = /^(?:Elastic-)?([A-Za-z]{1,32}beat)\/(\d{1,3})\.(\d{1,3})\.\d/.exec(agent ?? "");
  const [major, minor] = version.split(".").map(Number);
  if (beat === null || major === undefined || minor === undefined) return undefined;
  const newer = Number(beat[2]) > major || (Number(beat[2]) === major && Number(beat[3]) > minor);
  return newer ? `${beat[1]} ${beat[2]}.${beat[3]} does not send to Elasticsearch ${version}, which this server calls itself` : undefined;
}

/** Notes every refusal of a sender: on routes that ingest, on paths that are none, and before there is a request. */
export function watchRefusals(app: FastifyInstance, { endpoints }: ServerOptions, refusals: Refusals): void {
  const endpointOf = (request: FastifyRequest): string | undefined => {
    const { url } = request.routeOptions;
    for (const [name, { spec }] of endpoints)
      if (spec.routes.some((route) => route.path === url && route.method === request.method)) return name;
    return undefined;
  };
  app.addHook("onSend", async (request, reply, payload) => {
    const endpoint = endpointOf(request);
    // a page that is not there is nobody's failure to send
    if (endpoint === undefined && !(request.is404 && (request.method === "POST" || request.method === "PUT"))) return payload;
    const source = request.principal?.kind === "source" ? request.principal.source : undefined;
    const about = { peer: request.ip, endpoint, source };
    const { statusCode: status } = reply;
    const { version } = (endpoints.get("elasticsearch")?.config ?? {}) as { readonly version?: unknown };
    const older =
      endpoint === "elasticsearch" && typeof version === "string" ? olderThan(version, request.headers["user-agent"]) : undefined;
    if (older !== undefined) refusals.add({ ...about, cause: "wrong_version", message: older });
    // senders ask whether something is there: no is an answer
    if (status < 400 || request.method === "HEAD" || (status === 404 && request.method === "GET")) return payload;
    const message = said(payload);
    const path = `${request.method} ${(request.raw.url ?? "").split("?", 1)[0]!.slice(0, 100)}`;
    refusals.add({ ...about, status, cause: causeOf(status, message, request), message: `${path}: ${message}` });
    return payload;
  });
  // before the server itself, which closes the connection and forgets whose it was
  app.server.prependListener("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    const peer = (socket as { remoteAddress?: string }).remoteAddress ?? "?";
    const first = error.rawPacket;
    if (first === undefined || first.length === 0 || error.code === "ECONNRESET") return;
    const tls = first[0] === 0x16 && first[1] === 0x03;
    refusals.add({
      peer,
      cause: tls ? "tls_to_plain" : "not_http",
      message: tls ? "TLS on a port without it" : first.toString("latin1", 0, 60),
    });
  });
  app.server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const peer = (socket as { remoteAddress?: string }).remoteAddress ?? "?";
    refusals.add({ peer, cause: error.code === "ERR_SSL_HTTP_REQUEST" ? "plain_to_tls" : "tls_failed", message: error.message });
  });
}
