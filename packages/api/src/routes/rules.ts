/** Looking at the rules and changing which are on. What may be done, and what stands in its way, is the rules' own to decide. */

import { callerOf } from "@vedette/access";
import { masked } from "@vedette/condition";
import type { RuleLine } from "@vedette/model";
import { z } from "zod";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

/** A whole release: SigmaHQ is 8 MB of text. */
const releaseBodyLimit = 192 * 1_048_576;
const byId = z.object({ id: schemas.id });
const reason = z.string().trim().min(1).max(1_000).describe("Why; kept in the history.");
const owner = z.string().trim().min(1).max(200).optional().describe("Who looks after it.");
const review = z.iso.date().optional().describe("Day by which somebody should look at it again.");
const consent = {
  without_refused: z.boolean().optional().describe("Put the rest in force where rules are refused."),
  force: z.boolean().optional().describe("Past the gate: whatever it would raise or cost."),
  yes: z.boolean().optional().describe("Although fewer rules or techniques are covered."),
};
const wish = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("reload") }),
  z.strictObject({
    kind: z.literal("apply"),
    release: z.string().regex(/^[0-9a-f]{8,64}$/, "expected the release's hash, or its first 8 digits or more"),
    state: schemas.decidedState,
    owner,
    review,
  }),
  z.strictObject({ kind: z.literal("remove"), pack: z.string().max(32) }),
]);
/** Rules as they come in. */
const release = {
  pack: z.string().max(32),
  origin: z.string().max(1_000),
  licence: z.string().max(65_536).optional(),
  rules: z.array(z.strictObject({ file: z.string().max(400), text: z.string() })).max(50_000),
};
const changed = { 200: schemas.applied, ...failures, 404: schemas.problem, 409: schemas.problem };

const timed = <T extends { readonly at: number }>(one: T) => ({ ...one, at: formatTime(one.at) });

export function ruleRoutes(app: App, context: RouteContext): void {
  const { runtime } = context.options;
  app.route({
    method: "GET",
    url: "/rules",
    config: { permission: "rules:read", confined: true },
    schema: {
      summary: "Rules with state, counts and who decided; the refused ones with the reason.",
      tags: ["rules"],
      querystring: z.strictObject({
        state: schemas.wordList(schemas.ruleState, "enabled, shadow, quarantined, refused").optional(),
        proposed: z.literal("true").optional().describe("Only rules in shadow whose promotion is proposed."),
      }),
      response: { 200: schemas.rules, ...failures },
    },
    handler: async ({ view, query: { state, proposed } }) => {
      const { rules, hash, version } = runtime.rules();
      const isProposed = (one: RuleLine) => view === undefined && one.missing?.length === 0;
      const shown = rules.filter(
        (one) => (state === undefined || state.includes(one.state)) && (proposed === undefined || isProposed(one)),
      );
      return { rules: shown.map((one) => (view === undefined ? ruleRow(one) : seenRule(one))), hash, version };
    },
  });
  app.route({
    method: "GET",
    url: "/rules/:id",
    config: { permission: "rules:read", confined: true },
    schema: {
      summary: "One rule with every decision on it.",
      tags: ["rules"],
      params: byId,
      response: { 200: schemas.ruleInFull, ...failures, 404: schemas.problem },
    },
    handler: async ({ params, view }) => {
      const rule = runtime.desk.rule(params.id);
      const history = rule.history.map(timed);
      if (view === undefined) return { ...ruleRow(rule), history };
      return { ...seenRule(rule), history: history.map((one) => ({ ...one, reason: masked })) };
    },
  });
  decisionRoutes(app, context);
  setRoutes(app, context);
}

/** With its time as the API writes it. */
export function ruleRow<T extends RuleLine>(rule: T) {
  const { decision, ...rest } = rule;
  return { ...rest, ...(decision === undefined ? {} : { decision: timed(decision) }) };
}

/** What a rule is and who decided on it; not what was counted of events, nor words that may quote them. */
function seenRule<T extends RuleLine>(rule: T) {
  const { seen: _, matched: _m, capped: _c, skipped: _s, cost_ms: _t, unknown_fields: _u, missing: _p, reason, decision, ...rest } = rule;
  return {
    ...rest,
    ...(reason === undefined ? {} : { reason: rule.state === "refused" ? reason : masked }),
    ...(decision === undefined ? {} : { decision: { ...timed(decision), reason: masked } }),
  };
}

function decisionRoutes(app: App, { options }: RouteContext): void {
  const { desk } = options.runtime;
  app.route({
    method: "POST",
    url: "/rules/:id/state",
    config: {
      permission: "rules:write",
      audit: { action: "rule_decided", id: "rule.id", shows: ["state", "reason", "owner", "review", "force"] },
    },
    schema: {
      summary: "Decide on one rule: on trial (shadow), enabled or quarantined.",
      tags: ["rules"],
      params: byId,
      body: z.strictObject({ state: schemas.decidedState, reason, owner, review, force: consent.force }),
      response: changed,
    },
    handler: (request) => {
      const { state, force, ...who } = request.body;
      return desk.decide(request.params.id, state, { ...given(who), by: callerOf(request.principal) }, { force: force ?? false });
    },
  });
  app.route({
    method: "POST",
    url: "/rules/:id/promote",
    config: { permission: "rules:write", audit: { action: "rule_promoted", id: "rule.id", shows: ["reason", "owner", "review", "force"] } },
    schema: {
      summary: "Enable a rule that was on trial, unless something is missing.",
      tags: ["rules"],
      params: byId,
      body: z.strictObject({ reason, owner, review, force: consent.force }),
      response: changed,
    },
    handler: (request) => {
      const { force, ...who } = request.body;
      return desk.promote(request.params.id, { ...given(who), by: callerOf(request.principal) }, { force: force ?? false });
    },
  });
}

/** Absent keys out: what is not said is not `undefined`. */
function given<T extends { readonly reason: string; readonly owner?: string | undefined; readonly review?: string | undefined }>(who: T) {
  const { reason: why, owner: who_looks, review: day } = who;
  return { reason: why, ...(who_looks === undefined ? {} : { owner: who_looks }), ...(day === undefined ? {} : { review: day }) };
}

function setRoutes(app: App, { options }: RouteContext): void {
  const { desk } = options.runtime;
  app.route({
    method: "GET",
    url: "/rule-versions",
    config: { permission: "rules:read", confined: true },
    schema: {
      summary: "Every version of the running rules, newest first.",
      tags: ["rules"],
      response: { 200: z.object({ versions: z.array(schemas.ruleVersion).readonly() }), ...failures },
    },
    handler: async ({ view }) => {
      const versions = desk.versions().map(timed);
      return { versions: view === undefined ? versions : versions.map((one) => ({ ...one, reason: masked })) };
    },
  });
  app.route({
    method: "GET",
    url: "/rule-releases",
    config: { permission: "rules:read", confined: true },
    schema: {
      summary: "Rules that were brought in, in force or not, newest first.",
      tags: ["rules"],
      response: { 200: z.object({ releases: z.array(schemas.release).readonly() }), ...failures },
    },
    handler: async () => ({ releases: (await desk.releases()).map(timed) }),
  });
  app.route({
    method: "POST",
    url: "/rule-releases",
    config: { permission: "rules:write", audit: { action: "rule_release_kept", shows: ["pack", "origin"] } },
    bodyLimit: releaseBodyLimit,
    schema: {
      summary: "Bring rules in. They are kept by their content; nothing is in force until they are applied.",
      tags: ["rules"],
      body: z.strictObject(release),
      response: { 200: z.object({ release: schemas.release, plan: schemas.plan }), ...failures, 413: schemas.problem },
    },
    handler: async ({ body: { licence, ...rest } }) => {
      const kept = await desk.keep({ ...rest, ...(licence === undefined ? {} : { licence }) });
      return { release: timed(kept.release), plan: kept.plan };
    },
  });
  app.route({
    method: "POST",
    url: "/rules/diff",
    config: { permission: "rules:write", audit: false },
    bodyLimit: releaseBodyLimit,
    schema: {
      summary: "What a pack's rules would change if they were applied. They are not kept.",
      tags: ["rules"],
      body: z.strictObject({ ...release, state: schemas.decidedState }),
      response: { 200: schemas.plan, ...failures, 413: schemas.problem },
    },
    handler: ({ body: { licence: _, state, ...rest } }) => desk.look(rest, state),
  });
  app.route({
    method: "POST",
    url: "/rules/plan",
    config: { permission: "rules:write", audit: false },
    schema: {
      summary: "What a change of the rules would do: differences, refusals, coverage, and what the gate makes of it.",
      tags: ["rules"],
      body: wish,
      response: { 200: schemas.plan, ...failures, 404: schemas.problem },
    },
    handler: ({ body }) => desk.plan(exact(body)),
  });
  app.route({
    method: "POST",
    url: "/rules/apply",
    config: { permission: "rules:write", audit: { action: "rules_applied", shows: ["wish", "reason", "without_refused", "force", "yes"] } },
    schema: {
      summary: "Change the rules, unless something stands in the way.",
      tags: ["rules"],
      body: z.strictObject({ wish, reason, ...consent }),
      response: changed,
    },
    handler: (request) => {
      const { wish: wanted, reason: why, without_refused = false, force = false, yes = false } = request.body;
      return desk.apply(exact(wanted), { by: callerOf(request.principal), reason: why }, { without_refused, force, yes });
    },
  });
  app.route({
    method: "POST",
    url: "/rules/rollback",
    config: { permission: "rules:write", audit: { action: "rules_rolled_back", shows: ["to", "reason"] } },
    schema: {
      summary: "Go back to an earlier version; what the rules left behind had found is taken back.",
      tags: ["rules"],
      body: z.strictObject({ to: z.int().min(1).optional().describe("The one before, if absent."), reason }),
      response: { 200: z.object({ version: z.number(), to: z.number(), rules: z.number() }), ...failures, 404: schemas.problem },
    },
    handler: (request) => desk.rollback(request.body.to, { by: callerOf(request.principal), reason: request.body.reason }),
  });
}

function exact(wanted: z.output<typeof wish>) {
  if (wanted.kind !== "apply") return wanted;
  const { owner: who, review: day, ...rest } = wanted;
  return { ...rest, ...(who === undefined ? {} : { owner: who }), ...(day === undefined ? {} : { review: day }) };
}
