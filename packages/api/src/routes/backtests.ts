/** Backtests over the live store: what one would come to, start, progress, result, cancel. What is tested and how is the runner's. */
import { callerOf } from "@vedette/access";
import type { Backtest, BacktestReport, BacktestRequest, Viewer } from "@vedette/model";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { BacktestPort } from "../ports.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** Rules of a request: SigmaHQ whole is 8 MB. */
const bodyLimit = 16 * 1_048_576;
const time = z.string().describe("RFC 3339, UTC, microseconds.");
const body = z.strictObject({
  rules: z
    .array(z.strictObject({ file: z.string().min(1).max(1_000), text: z.string().max(1_048_576) }))
    .max(20_000)
    .default([])
    .describe("Rule files, as text."),
  ids: z.array(z.string().min(1).max(200)).max(1_000).default([]).describe("Running rules by id, or detectors by name."),
  ...schemas.range,
});
const estimate = z.object({
  stored: z.number().describe("Events stored in the range."),
  candidates: z.number().describe("Events that have to be looked at."),
  seconds: z.number(),
  rules: z.number(),
  refused: z.array(z.string()).readonly(),
});
const progress = z.object({
  id: z.string(),
  state: z.enum(["waiting", "running", "done", "cancelled", "failed"]),
  from: time,
  to: time,
  rules: z.number(),
  read: z.number(),
  stored: z.number(),
  error: z.string().optional(),
});
const rule = z.object({
  id: z.string(),
  title: z.string(),
  level: z.string(),
  kind: z.enum(["sigma", "detector"]),
  matched: z.number(),
  alerts: z.number().describe("Findings of one entity on one day are one."),
  at_least: z.literal(true).optional(),
  alerts_per_day: z.number(),
  days: z.array(z.object({ day: z.string(), matched: z.number(), alerts: z.number() })).readonly(),
  first: time.optional(),
  last: time.optional(),
  entities: z.array(z.object({ type: z.string(), id: z.string(), count: z.number() })).readonly(),
  samples: z.array(z.string()).readonly().describe("Ids of a few events."),
  cost: z.object({ evaluated: z.number(), timed: z.number(), estimated_ms: z.number(), longest_ms: z.number() }),
});
const report = z.object({
  span_days: z.number(),
  stored: z.number(),
  candidates: z.number(),
  seconds: z.number(),
  cpu_s: z.number(),
  rules: z.array(rule).readonly(),
  refused: z.array(z.string()).readonly(),
});
const full = progress.extend({ report: report.optional() });

function row({ from, to, report: _, ...rest }: Backtest) {
  return { ...rest, from: formatTime(from), to: formatTime(to) };
}
function inFull(one: Backtest) {
  return { ...row(one), ...(one.report && { report: reportRow(one.report) }) };
}
function reportRow({ from: _from, to: _to, rules, ...rest }: BacktestReport) {
  return {
    ...rest,
    rules: rules.map(({ first, last, ...one }) => ({
      ...one,
      ...(first !== undefined && { first: formatTime(first) }),
      ...(last !== undefined && { last: formatTime(last) }),
    })),
  };
}

type Asks = Pick<FastifyRequest, "principal" | "view">;

export function backtestRoutes(app: App, { options, clock, bounded }: RouteContext): void {
  const port = (): BacktestPort => {
    if (options.backtests === undefined) throw new ApiProblem(404, "not_found", "this server runs no backtests");
    return options.backtests;
  };
  const found = (one: Backtest | undefined): Backtest => {
    if (one === undefined) throw new ApiProblem(404, "not_found", "there is no such backtest; the last 32 are remembered");
    return one;
  };
  const viewerOf = ({ principal, view }: Asks): Viewer | undefined =>
    view && { by: principal?.kind === "user" ? principal.id : callerOf(principal), view };
  const requestOf = (request: Asks & { readonly body: z.output<typeof body> }): BacktestRequest => {
    const { rules, ids, from, to } = request.body;
    const viewer = viewerOf(request);
    const range = { from: from ?? 0, to: to ?? clock.now() };
    if (range.to <= range.from) throw new ApiProblem(400, "bad_request", "to: must be after from");
    return { rules, ids, range, ...(viewer && { viewer }) };
  };
  const tags = ["rules"];
  const params = z.object({ id: schemas.id });
  const lost = { 404: schemas.problem };

  app.route({
    method: "POST",
    url: "/backtests/estimate",
    config: { permission: "backtests:run", confined: true, audit: false },
    bodyLimit,
    schema: {
      summary: "What a backtest would come to: events and seconds. Starts nothing.",
      tags,
      body,
      response: { 200: estimate, ...failures, ...lost, 504: schemas.problem },
    },
    handler: (request, reply) => bounded(reply, (signal) => port().estimate(requestOf(request), signal)),
  });
  app.route({
    method: "POST",
    url: "/backtests",
    config: { permission: "backtests:run", confined: true, audit: { action: "backtest_started", shows: ["ids"] } },
    bodyLimit,
    schema: {
      summary: "Judge stored events by rules, beside production; changes nothing.",
      tags,
      body,
      response: { 202: progress, ...failures, ...lost, 409: schemas.problem },
    },
    handler: async (request, reply) => reply.code(202).send(row(await port().start(requestOf(request)))),
  });
  app.route({
    method: "GET",
    url: "/backtests",
    config: { permission: "backtests:run", confined: true },
    schema: {
      summary: "Backtests since the start of the server, the last 32.",
      tags,
      response: { 200: z.object({ backtests: z.array(progress).readonly() }), ...failures, ...lost },
    },
    handler: async (request) => ({ backtests: port().list(viewerOf(request)).map(row) }),
  });
  app.route({
    method: "GET",
    url: "/backtests/:id",
    config: { permission: "backtests:run", confined: true },
    schema: { summary: "Progress; the result once it is done.", tags, params, response: { 200: full, ...failures, ...lost } },
    handler: async (request) => inFull(found(port().get(request.params.id, viewerOf(request)))),
  });
  app.route({
    method: "DELETE",
    url: "/backtests/:id",
    config: { permission: "backtests:run", confined: true, audit: { action: "backtest_cancelled", id: "vedette.audit.backtest" } },
    schema: { summary: "Cancel.", tags, params, response: { 200: progress, ...failures, ...lost } },
    handler: async (request) => row(found(port().cancel(request.params.id, viewerOf(request)))),
  });
}
