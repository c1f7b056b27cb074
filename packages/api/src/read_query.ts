/** Query text to what the store takes, or a problem that says where the text is wrong. */
import { mayFully, whyNot } from "@vedette/access";
import { type Condition, parseQuery, type Query, shownWhere, unseenFields, type View } from "@vedette/condition";
import { auditTenant, canaryTenant } from "@vedette/kit";
import type { TimeRange } from "@vedette/store";
import type { FastifyRequest } from "fastify";
import { ApiProblem } from "./problems.ts";
import { parseTime } from "./time.ts";

/** @throws ApiProblem 400 `query_invalid` with `position`, `length` and, where there is one, `suggestion`. */
export function readQuery(text: string): Query {
  const result = parseQuery(text);
  if (result.ok) return result.query;
  const { message, position, length, suggestion } = result;
  throw new ApiProblem(400, "query_invalid", `q, at ${position}: ${message}`, {
    position,
    length,
    ...(suggestion !== undefined && { suggestion }),
  });
}

/** A time an event may not reach or must reach, taken out of the filter. */
function timeBound(condition: Condition): Partial<TimeRange> | undefined {
  if (!("field" in condition) || condition.field !== "@timestamp") return undefined;
  if (condition.op === "exists") return {};
  if (condition.op !== "lt" && condition.op !== "lte" && condition.op !== "gt" && condition.op !== "gte") return undefined;
  const time = parseTime(String(condition.value));
  if (time === undefined)
    throw new ApiProblem(400, "query_invalid", "q: @timestamp is compared with an RFC 3339 time such as 2026-11-21T06:30:00Z");
  // ranges are half-open and times whole microseconds
  if (condition.op === "gte" || condition.op === "gt") return { from: condition.op === "gt" ? time + 1 : time };
  return { to: condition.op === "lte" ? time + 1 : time };
}

/** Moves comparisons with `@timestamp` from the filter into the time range, where the store finds them: an event's time is no field. */
export function narrow(where: Condition, range: TimeRange): { readonly where: Condition; readonly range: TimeRange } {
  const terms = where.op === "and" ? where.of : [where];
  const bounds = terms.map(timeBound);
  const rest = terms.filter((_, i) => bounds[i] === undefined);
  if (rest.some((one) => fieldsOf(one).includes("@timestamp")))
    throw new ApiProblem(400, "query_invalid", "q: @timestamp takes < <= > >= and is joined with `and` to the rest");
  if (rest.length === terms.length) return { where, range };
  const from = Math.max(range.from, ...bounds.map((one) => one?.from ?? 0));
  // an empty range is an answer, not a mistake
  const to = Math.max(from, Math.min(range.to, ...bounds.map((one) => one?.to ?? range.to)));
  return { where: rest.length === 1 ? rest[0]! : { op: "and", of: rest }, range: { from, to } };
}

/** A filter without pipes. */
export function readFilter(text: string): Condition {
  const query = readQuery(text);
  if (query.stats !== undefined || query.sort !== undefined || query.head !== undefined || query.fields !== undefined)
    throw new ApiProblem(400, "query_invalid", "q: pipes are for /query; here it takes a filter only");
  return query.where;
}

/** Every field a condition names. */
export function fieldsOf(condition: Condition): string[] {
  switch (condition.op) {
    case "and":
    case "or":
      return condition.of.flatMap(fieldsOf);
    case "not":
      return fieldsOf(condition.of);
    case "keyword":
      return [];
    case "fieldref":
      return [condition.field, condition.other];
    default:
      return [condition.field];
  }
}

/** Whose events a request's question is about, and what of them who asks may see. */
export function reachOf(
  { principal, view }: Pick<FastifyRequest, "principal" | "view">,
  tenant: string,
  where: Condition,
): { readonly tenant: string; readonly view?: View } {
  return { tenant: tenantFor(tenant, where, principal), ...(view && { view }) };
}

/**
 * Canaries and Vedette's own audit events are found only by who asks for them: by `vedette.canary`, by `event.dataset:vedette.audit` or a
 * `vedette.audit.…`. @throws ApiProblem 403 where who asks may not read the audit trail
 */
export function tenantFor(tenant: string, where: Condition, principal: FastifyRequest["principal"]): string {
  const fields = fieldsOf(where);
  if (fields.includes("vedette.canary")) return canaryTenant(tenant);
  if (!fields.some((one) => one.startsWith("vedette.audit.")) && !asksFor(where, "event.dataset", "vedette.audit")) return tenant;
  if (!readsAudit(principal, tenant))
    throw new ApiProblem(
      403,
      "forbidden",
      `the audit trail's events need audit:read: ${principal && whyNot(principal, "audit:read", tenant)}`,
    );
  return auditTenant(tenant);
}

/** Whether the audit trail's events are there for who asks. */
export const readsAudit = (principal: FastifyRequest["principal"], tenant: string): boolean =>
  principal !== undefined && mayFully(principal, "audit:read", tenant);

/** What an answer says of the fields that it was asked by and that who asks may not see everywhere. */
export function maskedIn(
  view: View | undefined,
  where: Condition,
  others: readonly string[] = [],
): { readonly masked?: readonly string[] } {
  if (view === undefined) return {};
  const hidden = others.filter((field) => field !== "@timestamp" && !shownEverywhere(view, field));
  const masked = [...new Set([...unseenFields(where, view), ...hidden])];
  return masked.length > 0 ? { masked } : {};
}

function shownEverywhere(view: View, field: string): boolean {
  const shown = shownWhere(view, field);
  return shown.op === "and" && shown.of.length === 0;
}

/** Whether a condition names a field with this value, and does not only rule it out. */
function asksFor(where: Condition, field: string, value: string): boolean {
  switch (where.op) {
    case "and":
    case "or":
      return where.of.some((one) => asksFor(one, field, value));
    case "eq":
      return where.field === field && where.value === value;
    default:
      return false;
  }
}
