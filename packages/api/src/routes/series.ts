/** Series of metrics: which there are, what they came to per step of time, and what became of each source's samples. */
import type { Micros } from "@vedette/model";
import type { RollUp } from "@vedette/store";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { ApiProblem } from "../problems.ts";
import { reachOf, readFilter } from "../read_query.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { rangeOf } from "./events.ts";

const answers = { ...failures, 504: schemas.problem };
const second: Micros = 1_000_000;
/** Of one series; what Prometheus allows. */
const maxPoints = 11_000;
/** Points of all series of an answer. */
const maxAnswer = 200_000;
/** Widths people read well; a range is shown in some two hundred steps. */
const steps_s = [10, 30, 60, 300, 900, 3_600, 10_800, 86_400];

const functions = {
  avg: ({ sum, count }: RollUp) => sum / count,
  min: ({ min }: RollUp) => min,
  max: ({ max }: RollUp) => max,
  sum: ({ sum }: RollUp) => sum,
  count: ({ count }: RollUp) => count,
  last: ({ last }: RollUp) => last,
  increase: ({ increase }: RollUp) => increase,
  rate: ({ increase }: RollUp, step: Micros) => increase / (step / second),
} as const;
const functionNames = Object.keys(functions) as (keyof typeof functions)[];

const filter = {
  q: schemas.queryText.describe("Filter over metric.name, metric.kind, labels.NAME, host.name, service.name and vedette.source."),
  ...schemas.range,
  limit: schemas.limit(100),
};
const seriesLine = {
  source: z.string(),
  name: z.string(),
  kind: z.enum(["gauge", "counter", "delta", "measurement"]),
  labels: z.record(z.string(), z.string()),
};
const more = z.boolean().describe("More series fit than were asked for.");

export function seriesRoutes(app: App, context: RouteContext): void {
  const { options, tenant, clock, bounded } = context;
  const { series } = options.store;
  type Query = { readonly q: string; readonly from?: Micros; readonly to?: Micros; readonly limit: number };
  const asked = (request: Pick<FastifyRequest, "principal" | "view"> & { readonly query: Query }) => {
    const { q, from, to, limit } = request.query;
    const where = readFilter(q);
    const now = clock.now();
    const range = rangeOf({ from: from ?? Math.min(now, to ?? now) - 3_600 * second, to }, now);
    return { ...reachOf(request, tenant, where), where, range, limit };
  };

  app.route({
    method: "GET",
    url: "/metrics/series",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "Series that match a filter and had a sample in the range (the past hour), by name.",
      tags: ["metrics"],
      querystring: z.strictObject(filter),
      response: { 200: z.object({ series: z.array(z.object(seriesLine)).readonly(), more }), ...answers },
    },
    handler: async (request, reply) => bounded(reply, (signal) => series.list(asked(request), signal)),
  });

  app.route({
    method: "GET",
    url: "/metrics/query",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "What series came to per step of time.",
      tags: ["metrics"],
      querystring: z.strictObject({
        ...filter,
        step_s: z.coerce
          .number()
          .int()
          .min(10)
          .max(86_400)
          .multipleOf(10)
          .optional()
          .describe("Width of a step; some 200 steps where not given."),
        function: z
          .enum(functionNames as [keyof typeof functions])
          .default("avg")
          .describe("What of a step's samples is shown."),
      }),
      response: {
        200: z.object({
          step_s: z.number(),
          function: z.string(),
          series: z.array(z.object({ ...seriesLine, points: z.array(z.tuple([z.string(), z.number()])).readonly() })).readonly(),
          more,
        }),
        ...answers,
      },
    },
    handler: async (request, reply) => {
      const { query } = request;
      const question = asked(request);
      const width_s = (question.range.to - question.range.from) / second;
      const step_s = query.step_s ?? steps_s.find((one) => width_s / one <= 250) ?? steps_s.at(-1)!;
      const points = Math.ceil(width_s / step_s);
      if (points > maxPoints)
        throw new ApiProblem(400, "bad_request", `step_s: the range has ${points} steps, at most ${maxPoints} are answered`);
      const step = step_s * second;
      const limit = Math.max(1, Math.min(question.limit, Math.floor(maxAnswer / points)));
      const found = await bounded(reply, (signal) => series.range({ ...question, limit, step }, signal));
      const value = functions[query.function];
      return {
        step_s,
        function: query.function,
        series: found.series.map(({ rows, ...line }) => ({
          ...line,
          points: rows.map((row): [string, number] => [formatTime(row.start), value(row, step)]),
        })),
        more: found.more,
      };
    },
  });

  app.route({
    method: "GET",
    url: "/metrics/sources",
    config: { permission: "sources:read" },
    schema: {
      summary: "What became of each source's samples, and how many series it has of how many it may have.",
      tags: ["metrics"],
      response: {
        200: z.object({
          sources: z
            .array(
              z.object({
                source: z.string(),
                series: z.number(),
                limit: z.number(),
                kept: z.number(),
                repeated: z.number().describe("Sent again, or out of order."),
                refused: z.number().describe("Of series beyond the limit."),
                refused_beside: z.number().describe("Of these, samples of spans."),
                refused_series: z.array(z.string()).readonly().describe("The first few of them."),
              }),
            )
            .readonly(),
        }),
        ...answers,
      },
    },
    handler: async (_, reply) => ({ sources: await bounded(reply, () => series.sources(tenant)) }),
  });
}
