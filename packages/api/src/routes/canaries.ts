/** Whether rules are proved able to fire, and proving them now. How it is done is the prover's. */
import type { ProofLine } from "@vedette/model";
import { z } from "zod";
import type { ProverPort } from "../ports.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const state = z.enum(["proved", "silent", "unproved", "waiting"]);
const line = z.object({
  id: z.string(),
  title: z.string(),
  state,
  how: z.enum(["wire", "event", "synthesised"]).optional().describe("Its case as a raw line, as an event, or an event made up."),
  at: z.string().optional().describe("RFC 3339: when it was last proved or found silent."),
  lost: z.string().optional().describe("The stage where its canary was lost."),
  reason: z.string().optional(),
});
const report = z.object({
  enabled: z.boolean(),
  every_s: z.number(),
  counts: z.object({ proved: z.number(), silent: z.number(), unproved: z.number(), waiting: z.number() }),
  last: z.string().optional().describe("The newest proof of any rule."),
  forged: z.number().describe("Batches in the log whose mark was not ours."),
  rules: z.array(line).readonly(),
});

const row = ({ at, ...rest }: ProofLine) => ({ ...rest, ...(at !== undefined && { at: formatTime(at) }) });

export function canaryRoutes(app: App, { options }: RouteContext): void {
  const port = (): ProverPort => {
    if (options.prover === undefined) throw new ApiProblem(404, "not_found", "this server proves no rules");
    return options.prover;
  };
  app.route({
    method: "GET",
    url: "/canaries",
    config: { permission: "rules:read", confined: true },
    schema: {
      summary: "Rules proved able to fire, silent ones, and those that cannot be proved with the reason.",
      tags: ["rules"],
      querystring: z.strictObject({ state: schemas.wordList(state, "proved, silent, unproved, waiting").optional() }),
      response: { 200: report, ...failures, 404: schemas.problem },
    },
    handler: async ({ query }) => {
      const { last, rules, ...rest } = port().report();
      const shown = rules.filter((one) => query.state === undefined || query.state.includes(one.state));
      return { ...rest, ...(last !== undefined && { last: formatTime(last) }), rules: shown.map(row) };
    },
  });
  app.route({
    method: "POST",
    url: "/canaries",
    config: { permission: "rules:write", audit: { action: "canaries_sent", shows: ["ids"] } },
    schema: {
      summary: "Send canaries of these rules, or of all, now.",
      tags: ["rules"],
      body: z.strictObject({ ids: z.array(schemas.id).max(10_000).optional() }).nullish(),
      response: { 202: z.object({ rules: z.number() }), ...failures, 404: schemas.problem },
    },
    handler: async ({ body }, reply) => {
      const ids = body?.ids;
      const known = port().report().rules;
      const unknown = ids?.find((id) => !known.some((rule) => rule.id === id));
      if (unknown !== undefined) throw new ApiProblem(404, "not_found", `no rule in force has the id ${unknown}`);
      // what comes of it stands in the report
      void port()
        .prove(ids)
        .catch(() => undefined);
      return reply.code(202).send({ rules: ids?.length ?? known.length });
    },
  });
}
