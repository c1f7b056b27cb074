/** Listing alerts and working on them. What a person may do is decided in transitions.ts. */

import { callerOf } from "@vedette/access";
import type { Alert, Micros } from "@vedette/model";
import type { AlertFilter } from "@vedette/store";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { alertInFull, alertRow } from "../present.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { acknowledge, addNote, close, reopen, type Transition } from "../transitions.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** Triage may fold a finding in while a person decides; a few tries always suffice. */
const tries = 5;
/** Closed alerts of a rule that say how often it was right: enough for a judgement, few enough to be read with each alert. */
const remembered = 50;
const byId = z.object({ id: schemas.id });
const optionalNote = z.strictObject({ note: schemas.note.optional() }).nullish();
const changed = { 200: schemas.alert, ...failures, 404: schemas.problem, 409: schemas.problem };
const notFound = () => new ApiProblem(404, "not_found", "there is no such alert");

export function alertRoutes(app: App, context: RouteContext): void {
  const { options, tenant } = context;
  const { alerts } = options.store;

  app.route({
    method: "GET",
    url: "/alerts",
    config: { permission: "alerts:read", confined: true },
    schema: {
      summary: "Alerts, newest first.",
      tags: ["alerts"],
      querystring: z.strictObject({
        state: schemas.wordList(schemas.alertState, "open, acknowledged, closed").optional(),
        severity: schemas.wordList(schemas.severity, "informational, low, medium, high, critical").optional(),
        q: z.string().max(500).optional().describe("Text in title, summary or entities."),
        rule: schemas.id.optional(),
        entity: z.string().min(1).max(1_000).optional().describe("Id of an entity, such as an address or a user."),
        shadow: z.literal("true").optional().describe("Findings of rules on trial instead of alerts."),
        historical: z.literal("true").optional().describe("What historical loads gave, instead of what live events did."),
        ...schemas.range,
        limit: schemas.limit(50),
        cursor: schemas.cursor,
      }),
      response: { 200: schemas.alertPage, ...failures },
    },
    handler: async ({ view, query: { state, severity, q, rule, entity, shadow, historical, from, to, limit, cursor } }) => {
      const filter: AlertFilter = {
        tenant,
        ...(state !== undefined && { states: state }),
        ...(severity !== undefined && { severities: severity }),
        ...(q !== undefined && { text: q }),
        ...(rule !== undefined && { rule }),
        ...(entity !== undefined && { entity }),
        ...(shadow !== undefined && { shadow: true }),
        ...(historical !== undefined && { historical: true }),
        ...(view && { view }),
        ...((from !== undefined || to !== undefined) && { range: { from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER } }),
      };
      const page = await alerts.list(filter, limit, cursor);
      return { alerts: page.alerts.map(alertRow), ...(page.cursor !== undefined && { cursor: page.cursor }), total: page.total };
    },
  });

  app.route({
    method: "GET",
    url: "/alerts/:id",
    config: { permission: "alerts:read", confined: true },
    schema: {
      summary: "One alert with its evidence and history.",
      tags: ["alerts"],
      params: byId,
      response: { 200: schemas.alert, ...failures, 404: schemas.problem },
    },
    handler: async ({ params, view }) => {
      const alert = await alerts.get(tenant, params.id, view);
      if (alert === undefined) throw notFound();
      return alertInFull(alert);
    },
  });
  app.route({
    method: "GET",
    url: "/alerts/:id/guidance",
    config: { permission: "alerts:read", confined: true },
    schema: {
      summary: "What the alert's rule says of it and what to do, and how often the rule was right.",
      tags: ["alerts"],
      params: byId,
      response: { 200: schemas.guidance, ...failures, 404: schemas.problem },
    },
    handler: async ({ params, view }) => {
      const alert = await alerts.get(tenant, params.id, view);
      if (alert === undefined) throw notFound();
      const closed = await alerts.list({ tenant, rule: alert.rule.id, states: ["closed"], ...(view && { view }) }, remembered);
      const verdicts = { true_positive: 0, benign: 0, false_positive: 0 };
      for (const { verdict, demo } of closed.alerts) if (verdict !== undefined && demo === alert.demo) verdicts[verdict]++;
      return { ...(await options.runtime.desk.guidance(alert.rule.id)), verdicts };
    },
  });
  transitionRoutes(app, context);
}

type Changing = Pick<FastifyRequest, "view"> & { readonly params: { readonly id: string } };

function transitionRoutes(app: App, { options, tenant, clock, hub, status }: RouteContext): void {
  const { alerts } = options.store;
  async function change({ params: { id }, view }: Changing, step: (alert: Alert, at: Micros) => Transition) {
    if (view !== undefined && (await alerts.get(tenant, id, view)) === undefined) throw notFound();
    for (let i = 0; i < tries; i++) {
      const alert = await alerts.get(tenant, id);
      if (alert === undefined) throw notFound();
      const result = step(alert, clock.now());
      if (!result.ok) throw new ApiProblem(409, result.code, result.message);
      if (!(await alerts.replace(result.alert, alert.updated))) continue;
      hub.alert(result.alert);
      status.alertsChanged();
      // as it may be seen: the change itself was made on the whole
      const seen = view === undefined ? result.alert : await alerts.get(tenant, id, view);
      if (seen === undefined) throw notFound();
      return alertInFull(seen);
    }
    throw new ApiProblem(409, "conflict", "the alert keeps changing; try again");
  }

  app.route({
    method: "POST",
    url: "/alerts/:id/acknowledge",
    config: {
      permission: "alerts:write",
      confined: true,
      audit: { action: "alert_acknowledged", id: "vedette.audit.alert", shows: ["note"] },
    },
    schema: { summary: "Take an open alert.", tags: ["alerts"], params: byId, body: optionalNote, response: changed },
    handler: (request) => change(request, (alert, at) => acknowledge(alert, callerOf(request.principal), at, request.body?.note)),
  });
  app.route({
    method: "POST",
    url: "/alerts/:id/close",
    config: {
      permission: "alerts:write",
      confined: true,
      audit: { action: "alert_closed", id: "vedette.audit.alert", shows: ["verdict", "note"] },
    },
    schema: {
      summary: "Close an alert with a verdict.",
      tags: ["alerts"],
      params: byId,
      body: z.strictObject({ verdict: schemas.verdict, note: schemas.note.optional() }),
      response: changed,
    },
    handler: (request) => {
      const { verdict, note } = request.body;
      return change(request, (alert, at) => close(alert, callerOf(request.principal), at, verdict, note));
    },
  });
  app.route({
    method: "POST",
    url: "/alerts/:id/reopen",
    config: { permission: "alerts:write", confined: true, audit: { action: "alert_reopened", id: "vedette.audit.alert", shows: ["note"] } },
    schema: { summary: "Open a closed alert again.", tags: ["alerts"], params: byId, body: optionalNote, response: changed },
    handler: (request) => change(request, (alert, at) => reopen(alert, callerOf(request.principal), at, request.body?.note)),
  });
  app.route({
    method: "POST",
    url: "/alerts/:id/notes",
    config: { permission: "alerts:write", confined: true, audit: { action: "alert_noted", id: "vedette.audit.alert", shows: ["note"] } },
    schema: {
      summary: "Add a note.",
      tags: ["alerts"],
      params: byId,
      body: z.strictObject({ note: schemas.note }),
      response: changed,
    },
    handler: (request) => change(request, (alert, at) => addNote(alert, callerOf(request.principal), at, request.body.note)),
  });
}
