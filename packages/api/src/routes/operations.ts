/** The state of the program itself: sources, rules, losses, dead letters, status, the demo. */
import { masked, rowsOf, type View } from "@vedette/condition";
import { z } from "zod";
import { ledgerRow, qualityReport, sinkRow, sourceRow } from "../present.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";
import { ruleRow } from "./rules.ts";
import { seenStatus } from "./seen_status.ts";

/** Cursors of dead letters are opaque like all others. */
const writeCursor = (next: number) => Buffer.from(String(next)).toString("base64url");
function readCursor(cursor: string): number {
  const next = Buffer.from(cursor, "base64url").toString();
  if (!/^\d{1,15}$/.test(next)) throw new ApiProblem(400, "bad_request", "cursor: not one that a list returned");
  return Number(next);
}

/** Masks hide what repeats values, and a dead letter is nothing else. */
const withheld = { expected: masked, bytes: Buffer.from(masked).toString("base64") };
function seesEveryRow(view: View | undefined): boolean {
  if (view === undefined) return true;
  const rows = rowsOf(view);
  return rows.op === "and" && rows.of.length === 0;
}

export function operationRoutes(app: App, context: RouteContext): void {
  const { runtime } = context.options;
  app.route({
    method: "GET",
    url: "/sources",
    config: { permission: "sources:read" },
    schema: { summary: "Sources and what became of their records.", tags: ["state"], response: { 200: schemas.sources, ...failures } },
    handler: async () => ({ sources: (await runtime.sourceStates()).map(sourceRow) }),
  });
  app.route({
    method: "GET",
    url: "/sources/quality",
    config: { permission: "sources:read" },
    schema: {
      summary: "How well data comes in: silence, clocks, lines that do not parse, fields that drift.",
      tags: ["state"],
      response: { 200: schemas.quality, ...failures },
    },
    handler: async () => qualityReport(runtime.quality()),
  });
  app.route({
    method: "GET",
    url: "/sinks",
    config: { permission: "system:read" },
    schema: { summary: "Ways out, and what became of what each read.", tags: ["state"], response: { 200: schemas.sinks, ...failures } },
    handler: async () => ({ sinks: (await runtime.sinkStates()).map(sinkRow) }),
  });
  app.route({
    method: "GET",
    url: "/ledger",
    config: { permission: "system:read" },
    schema: {
      summary: "The loss ledger: in + split = stored + dead + dropped + pending.",
      tags: ["state"],
      response: { 200: schemas.ledger, ...failures },
    },
    handler: async () => ({
      sources: (await runtime.ledger()).map((line) => ({ ...ledgerRow(line), balance: line.balance })),
      rules: runtime.rules().rules.map(ruleRow),
      detectors: runtime.detectors(),
    }),
  });
  app.route({
    method: "GET",
    url: "/dead",
    config: { permission: "events:read", confined: true },
    schema: {
      summary: "Inputs that no stage could take, newest first.",
      description: "They have no fields: whoever sees some rows only is told of none, and whoever sees masked fields sees no bytes.",
      tags: ["state"],
      querystring: z.strictObject({ limit: schemas.limit(100), cursor: schemas.cursor }),
      response: { 200: schemas.dead, ...failures },
    },
    handler: async ({ view, query: { limit, cursor } }) => {
      const before = cursor === undefined ? undefined : readCursor(cursor);
      if (!seesEveryRow(view)) return { letters: [] };
      const { letters, next } = await runtime.deadLetters(limit, before);
      return {
        letters: letters.map((one) => ({ ...one, ...(view && withheld), received: formatTime(one.received) })),
        ...(next !== undefined && { cursor: writeCursor(next) }),
      };
    },
  });
  app.route({
    method: "GET",
    url: "/status",
    config: { permission: "system:read", confined: true },
    schema: { summary: "The figures of the front page.", tags: ["state"], response: { 200: schemas.status, ...failures } },
    handler: async ({ view }) => (view === undefined ? context.status.get() : seenStatus(context, view)),
  });
  demoRoutes(app, context);
}

function demoRoutes(app: App, { options, status }: RouteContext): void {
  const { runtime } = options;
  app.route({
    method: "POST",
    url: "/demo",
    config: { permission: "system:write", audit: { action: "demo_started" } },
    schema: {
      summary: "Replay the bundled scenario; everything it makes is marked as demo.",
      tags: ["demo"],
      body: z.strictObject({}).nullish(),
      response: { 202: z.object({ running: z.literal(true) }), ...failures },
    },
    handler: async (_, reply) => {
      // it runs for minutes; how it ends is the runtime's to report
      void runtime.startDemo().catch(() => undefined);
      status.demoChanged();
      return reply.code(202).send({ running: true });
    },
  });
  app.route({
    method: "DELETE",
    url: "/demo",
    config: { permission: "system:write", audit: { action: "demo_cleared" } },
    schema: {
      summary: "Remove everything marked as demo.",
      tags: ["demo"],
      response: { 200: z.object({ events: z.number(), alerts: z.number() }), ...failures },
    },
    handler: async () => {
      const removed = await runtime.clearDemo();
      status.demoChanged();
      status.alertsChanged();
      return removed;
    },
  });
}
