/** The failures that any route may answer, as the OpenAPI document lists them. What becomes which of them is said in problems.ts. */
import { STATUS_CODES } from "node:http";

export const statusText = (status: string): string => STATUS_CODES[status] ?? "Answer";

const retryAfter = { "Retry-After": { description: "Seconds after which to try again.", schema: { type: "integer", minimum: 1 } } };

interface Failure {
  readonly description: string;
  readonly code: string;
  readonly detail: string;
  readonly headers?: object;
}

const failures: { readonly [status: string]: Failure } = {
  400: {
    description: "The request is not what the route takes; `detail` and `errors` name the field.",
    code: "bad_request",
    detail: "querystring/limit: Too small: expected number to be >=1",
  },
  401: {
    description: "No token or session, or none that holds.",
    code: "unauthorised",
    detail: "a token or session is needed",
    headers: { "WWW-Authenticate": { description: "Bearer.", schema: { type: "string" } } },
  },
  403: {
    description: "Whoever asks may not do this; or the request comes from another site, or names another host.",
    code: "forbidden",
    detail: "a source's token may only deliver records",
  },
  404: { description: "There is none with this id.", code: "not_found", detail: "there is no such alert" },
  409: { description: "Something stands in the way.", code: "conflict", detail: "the alert is closed; reopen it first" },
  412: { description: "A condition of the request does not hold.", code: "conflict", detail: "it was changed meanwhile" },
  413: { description: "The body is too long.", code: "too_large", detail: "Request body is too large" },
  415: { description: "The body is of a type that is not taken here.", code: "bad_request", detail: "Unsupported Media Type: text/html" },
  422: {
    description: "The Idempotency-Key was used before, with another body.",
    code: "conflict",
    detail: "this Idempotency-Key came with another request before",
  },
  429: { description: "Too many requests.", code: "backpressure", detail: "too many requests; try again later", headers: retryAfter },
  500: {
    description: "A fault of the server; its log says more.",
    code: "store_unavailable",
    detail: "The server failed to answer; its log says why.",
  },
  503: {
    description: "Something it needs is not there at the moment.",
    code: "log_full",
    detail: "the log has no room; nothing was taken",
    headers: retryAfter,
  },
  504: { description: "The search took too long and was stopped.", code: "query_timeout", detail: "the query took longer than 10 s" },
};

/** `components.responses` by status. */
export const failureResponses: { readonly [status: string]: object } = Object.fromEntries(
  Object.entries(failures).map(([status, { description, code, detail, headers }]) => [
    status,
    {
      description,
      ...(headers && { headers }),
      content: {
        "application/problem+json": {
          schema: { $ref: "#/components/schemas/Problem" },
          example: { type: "about:blank", title: statusText(status), status: Number(status), detail, code },
        },
      },
    },
  ]),
);
