/** What the routes share: options with their defaults filled in, and the parts made once per server. */
import type { Clock, Counters } from "@vedette/kit";
import type { FastifyBaseLogger, FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from "fastify";
import type { ZodTypeProvider } from "fastify-type-provider-zod";
import type { Refusals } from "../access/refusals.ts";
import type { Bounded } from "../deadline.ts";
import type { Hub } from "../hub.ts";
import type { KnownFields } from "../known_fields.ts";
import type { ServerOptions } from "../ports.ts";
import * as schemas from "../schemas.ts";
import type { StatusReport } from "../status.ts";

export interface RouteContext {
  readonly options: ServerOptions;
  readonly clock: Clock;
  readonly tenant: string;
  readonly bounded: Bounded;
  readonly hub: Hub;
  readonly status: StatusReport;
  readonly fields: KnownFields;
  readonly counters: Counters;
  readonly refusals: Refusals;
}

/** Fastify with handlers typed by zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** The answers that any API route may give instead of its own. */
export const failures = { 400: schemas.problem, 401: schemas.problem, 403: schemas.problem, 503: schemas.problem } as const;
