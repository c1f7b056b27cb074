/** Turns every failure into an RFC 9457 problem document; what it does not know becomes a bare 500. */
import { STATUS_CODES } from "node:http";
import { type ErrorCode, jsonText, VedetteError } from "@vedette/kit";
import type { FastifyReply } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";

/** An answer that is a problem; `members` become extension members of the document. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: ErrorCode;
  readonly members: { readonly [name: string]: unknown };
  constructor(status: number, code: ErrorCode, detail: string, members: { readonly [name: string]: unknown } = {}) {
    super(detail);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.members = members;
  }
}

const statuses: { readonly [code in ErrorCode]?: number } = {
  query_invalid: 400,
  bad_request: 400,
  bad_encoding: 400,
  too_large: 413,
  unauthorised: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  backpressure: 429,
  log_full: 503,
  log_closed: 503,
  store_unavailable: 503,
  source_unavailable: 503,
  kafka_unavailable: 503,
  // to be mended here: who sends is not to throw away what was refused
  kafka_refused: 503,
  cluster_unavailable: 503,
  query_timeout: 504,
};

/** Seconds after which a refused sender may try again: group commits take milliseconds, a full disk takes a person. */
const retryAfter: { readonly [code in ErrorCode]?: number } = {
  backpressure: 1,
  log_full: 30,
  log_closed: 5,
  store_unavailable: 5,
  kafka_unavailable: 5,
  kafka_refused: 30,
  cluster_unavailable: 5,
};

/** Bounded, since a problem may quote what the client sent. */
const maxDetail = 1_000;

function issues(error: { readonly validation: readonly { readonly instancePath: string; readonly message?: string }[] }) {
  return error.validation.slice(0, 20).map((one) => ({ path: one.instancePath, message: (one.message ?? "").slice(0, 200) }));
}

/** What an error says to the client; undefined code means that it is ours and not the client's. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  if (error instanceof VedetteError) {
    const status = statuses[error.code] ?? (error.permanent ? 400 : 503);
    return new ApiProblem(status, error.code, error.message);
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const errors = issues(error as never);
    const where = (error as { validationContext?: string }).validationContext ?? "request";
    return new ApiProblem(400, "bad_request", errors.map((one) => `${where}${one.path}: ${one.message}`).join("; "), { errors });
  }
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown };
  if (typeof statusCode === "number" && statusCode >= 400 && statusCode < 500)
    return new ApiProblem(statusCode, statusCode === 413 ? "too_large" : statusCode === 404 ? "not_found" : "bad_request", String(message));
  return new ApiProblem(500, "store_unavailable", "The server failed to answer; its log says why.");
}

/** The headers that go with a problem, however its body is worded. */
export function setProblemHeaders(reply: FastifyReply, { status, code }: ApiProblem): void {
  const after = retryAfter[code];
  if (after !== undefined && !reply.hasHeader("retry-after")) reply.header("retry-after", String(after));
  if (status === 401) reply.header("www-authenticate", 'Bearer realm="vedette"');
}

/** Makes the answer a problem; the document is still to be sent. */
export function turnInto(reply: FastifyReply, problem: ApiProblem): object {
  const { status, code, members } = problem;
  setProblemHeaders(reply, problem);
  reply.code(status).header("content-type", "application/problem+json");
  return {
    type: "about:blank",
    title: STATUS_CODES[status] ?? "Error",
    status,
    detail: problem.message.slice(0, maxDetail),
    code,
    ...members,
  };
}

export function sendProblem(reply: FastifyReply, problem: ApiProblem): FastifyReply {
  return reply.serializer(jsonText).send(turnInto(reply, problem));
}
