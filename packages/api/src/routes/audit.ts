/** Reading the audit trail, and its newest signed head. Nothing of it can be changed here. */
import type { AuditRecord } from "@vedette/audit";
import type { Micros } from "@vedette/model";
import { z } from "zod";
import type { AuditPort } from "../ports.ts";
import { ApiProblem } from "../problems.ts";
import * as schemas from "../schemas.ts";
import { formatTime } from "../time.ts";
import { type App, failures, type RouteContext } from "./context.ts";

const record = z.object({
  n: z.number().describe("Number in the chain, from 0."),
  time: z.string(),
  hash: z.string().describe("SHA-256 of the record's header, base64url."),
  fields: z.record(z.string(), z.unknown()).optional().describe("What was done, in ECS; absent where it was erased."),
  erased: z.object({ by: z.string(), reason: z.string(), time: z.string() }).optional(),
});
const head = z.object({
  chain: z.string(),
  n: z.number(),
  hash: z.string(),
  time: z.number().describe("Microseconds since 1970."),
  since: z.string().optional(),
  key: z.string(),
  signature: z.string(),
});

const querystring = z.strictObject({
  limit: schemas.limit(50),
  cursor: schemas.cursor,
  user: z.string().min(1).max(200).optional().describe("Who."),
  action: z
    .string()
    .regex(/^[a-z0-9_]{1,80}\*?$/, "expected an action such as login, or its beginning with * after it")
    .optional()
    .describe("What was done; * at the end for all that begin so."),
  outcome: z.enum(["success", "failure", "unknown"]).optional().describe("unknown: asked for, and let in."),
  ...schemas.range,
});
type Filter = Omit<z.output<typeof querystring>, "limit" | "cursor">;

/** Records read at once where they are filtered, and looked at for one page: a filter that fits few is answered in parts. */
const filtered = 500;
const maxLooked = 20_000;
/** Clocks are set back by less than this, or somebody looks. */
const hour: Micros = 3_600_000_000;

/** A place in the trail: before number `n`, or after it. */
interface Place {
  readonly to: "older" | "newer";
  readonly n: number;
}
const writeCursor = ({ to, n }: Place): string => Buffer.from(`${to} ${n}`).toString("base64url");
function readCursor(cursor: string): Place {
  const [, to, n] = /^(older|newer) (-?\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (to === undefined) throw new ApiProblem(400, "bad_request", "cursor: not one that a list returned");
  return { to: to as Place["to"], n: Number(n) };
}

function fits({ time, fields }: AuditRecord, { user, action, outcome, from, to }: Filter): boolean {
  if ((from !== undefined && time < from) || (to !== undefined && time >= to)) return false;
  const is = (name: string, wanted: string | undefined) => {
    const value = String(fields?.[name] ?? "");
    return wanted === undefined || (wanted.endsWith("*") ? value.startsWith(wanted.slice(0, -1)) : value === wanted);
  };
  return is("event.action", action) && is("event.outcome", outcome) && (user === undefined || fields?.["user.name"] === user);
}

interface Page {
  /** Newest first. */
  readonly records: readonly AuditRecord[];
  /** Before this number nothing was looked at; after that neither. */
  readonly older: number;
  readonly newer: number;
}

async function olderThan(audit: AuditPort, before: number, filter: Filter, limit: number): Promise<Page> {
  const step = Object.keys(filter).length === 0 ? limit : filtered;
  const records: AuditRecord[] = [];
  let [newer, older] = [before - 1, before];
  for (let looked = 0; looked < maxLooked && older > 0; looked += step) {
    const found = await audit.newest(step, Number.isFinite(older) ? older : undefined);
    if (!Number.isFinite(newer)) newer = found[0]?.n ?? -1;
    if (found.length === 0) return { records, older: 0, newer };
    for (const one of found) {
      older = one.n;
      if (filter.from !== undefined && one.time < filter.from - hour) return { records, older: 0, newer };
      if (fits(one, filter)) records.push(one);
      if (records.length === limit) return { records, older, newer };
    }
  }
  return { records, older, newer };
}

async function newerThan(audit: AuditPort, after: number, filter: Filter, limit: number): Promise<Page> {
  const step = Object.keys(filter).length === 0 ? limit : filtered;
  const records: AuditRecord[] = [];
  let newer = after;
  for (let looked = 0; looked < maxLooked; looked += step) {
    const found = await audit.since(newer + 1, step);
    if (found.length === 0) break;
    for (const one of found) {
      newer = one.n;
      if (fits(one, filter)) records.push(one);
      if (records.length === limit) break;
    }
    if (records.length === limit) break;
  }
  return { records: records.reverse(), older: after + 1, newer };
}

export function auditRoutes(app: App, { options: { audit } }: RouteContext): void {
  if (audit === undefined) return;
  app.route({
    method: "GET",
    url: "/audit",
    config: { permission: "audit:read", audit: { action: "audit_read" } },
    schema: {
      summary: "The audit trail, newest first: sign-ins, refusals, changes, sensitive reads.",
      tags: ["audit"],
      querystring,
      response: {
        200: z.object({
          records: z.array(record),
          cursor: z.string().optional().describe("To what is older; absent at the beginning of the trail."),
          newer: z.string().describe("To what came after these, now or later."),
        }),
        ...failures,
      },
    },
    handler: async (request) => {
      const { cursor, limit, ...filter } = request.query;
      const place = cursor === undefined ? undefined : readCursor(cursor);
      const page = await (place?.to === "newer"
        ? newerThan(audit, place.n, filter, limit)
        : olderThan(audit, place?.n ?? Number.POSITIVE_INFINITY, filter, limit));
      request.auditFields = { ...request.auditFields, "vedette.audit.rows": page.records.length };
      const records = page.records.map(({ n, time, hash, fields, erased }) => ({
        n,
        time: formatTime(time),
        hash,
        ...(fields && { fields }),
        ...(erased && { erased: { ...erased, time: formatTime(erased.time) } }),
      }));
      const older = page.older > 0 ? { cursor: writeCursor({ to: "older", n: page.older }) } : {};
      return { records, ...older, newer: writeCursor({ to: "newer", n: page.newer }) };
    },
  });
  app.route({
    method: "GET",
    url: "/audit/head",
    config: { permission: "audit:read" },
    schema: {
      summary: "The newest head of the audit trail, signed now: kept elsewhere, it shows later what was cut off or rewritten.",
      tags: ["audit"],
      response: { 200: head, ...failures },
    },
    handler: async () => audit.head(),
  });
}
