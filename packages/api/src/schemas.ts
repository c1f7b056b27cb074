/** The shapes of requests and answers, for validation and for the OpenAPI document, where an `id` makes a component. Knows no handler. */
import { z } from "zod";
import { parseTime } from "./time.ts";
import { maxNote } from "./transitions.ts";

const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const fields = z
  .record(z.string(), z.union([scalar, list(scalar)]).optional())
  .describe("ECS fields, flat: dotted names to values or arrays of values.");
const time = z.string().describe("RFC 3339, UTC, microseconds.");
export const severity = z.enum(["informational", "low", "medium", "high", "critical"]).meta({ id: "Severity", examples: ["high"] });
export const alertState = z.enum(["open", "acknowledged", "closed"]).meta({ id: "AlertState" });
export const verdict = z.enum(["true_positive", "benign", "false_positive"]).meta({ id: "Verdict" });
const counts = z.record(z.string(), z.number()).readonly();

/** A time in a query string, read to microseconds. */
const timeParameter = z
  .string()
  .max(40)
  .transform((text, context) => {
    const found = parseTime(text);
    if (found !== undefined) return found;
    context.addIssue({ code: "custom", message: "expected an RFC 3339 time such as 2026-11-21T06:30:00Z" });
    return z.NEVER;
  })
  .describe("RFC 3339 time.");
/** Comma-separated words of a set. */
export const wordList = <T extends string>(word: z.ZodType<T>, what: string) =>
  z
    .string()
    .max(200)
    .transform((text, context): T[] => {
      const found = text.split(",").map((one) => word.safeParse(one.trim()));
      const bad = found.find((one) => !one.success);
      if (bad !== undefined) context.addIssue({ code: "custom", message: `${what}, separated by commas` });
      return found.flatMap((one) => (one.success ? [one.data] : []));
    })
    .describe(`${what}, separated by commas.`);
export const limit = (standard: number, most = 1_000) =>
  z.coerce.number().int().min(1).max(most).default(standard).describe("How many at most.");
export const cursor = z.string().min(1).max(512).optional().describe("Opaque; from the page before.");
export const queryText = z.string().max(16_384).default("").describe("Query language: a filter, then pipes.");
export const note = z.string().trim().min(1).max(maxNote).describe("What people should know of it.");
export const id = z.string().min(1).max(200).describe("As a list gives it.");
/** Half-open range of event time; the whole store where not given. */
export const range = { from: timeParameter.optional(), to: timeParameter.optional() };

const problemDocument = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
  })
  .meta({ id: "Problem", description: "Problem document, RFC 9457; some carry further members that say where the trouble is." });
/** The answer of every failure. */
export const problem = { description: "Problem.", content: { "application/problem+json": { schema: problemDocument } } } as const;

const entity = z.object({ type: z.string(), id: z.string() }).meta({ id: "Entity" });
const alertRowShape = z.object({
  id: z.string(),
  severity,
  title: z.string(),
  summary: z.string(),
  rule: z.object({ id: z.string(), title: z.string() }),
  entities: list(entity),
  attack: list(z.string()),
  count: z.number().describe("Findings."),
  events: z.number().describe("Events behind the findings."),
  first_seen: time,
  last_seen: time,
  created: time,
  updated: time,
  state: alertState,
  verdict: verdict.optional(),
  demo: z.boolean(),
  late: z.boolean().optional().describe("Raised or changed by events that came later than the lateness."),
  shadow: z.boolean().optional().describe("Of a rule on trial: no alert."),
  historical: z.boolean().optional().describe("Of a historical load: calls nobody."),
  retracted: time.optional().describe("When all its findings had been taken back, by a rollback or by an event that came later."),
});
export const alertRow = alertRowShape.meta({ id: "AlertRow", description: "An alert without evidence and history." });
const evidence = z
  .object({
    id: z.string(),
    time,
    source: z.string(),
    matches: list(z.object({ clause: z.string(), field: z.string(), value: z.string() })),
    fields,
    original: z.string(),
  })
  .meta({ id: "Evidence" });
const change = z
  .object({ at: time, by: z.string(), what: z.string(), note: z.string().optional(), verdict: verdict.optional() })
  .meta({ id: "AlertChange" });
export const alert = alertRowShape.extend({ evidence: list(evidence), history: list(change) }).meta({ id: "Alert" });
export const guidance = z
  .object({
    description: z.string().describe("What the rule or detector finds; empty when it is there no longer."),
    status: z.string().describe("How far it is trusted: Sigma's status, of a detector its stability."),
    response: list(z.string()).describe("What to look at first, and what to do when it is true."),
    falsepositives: list(z.string()).describe("Harmless things that look the same."),
    references: list(z.string()),
    verdicts: z
      .object({ true_positive: z.number(), benign: z.number(), false_positive: z.number() })
      .describe("How its newest fifty closed alerts ended."),
  })
  .meta({ id: "Guidance", description: "What the rule tells whoever reads the alert, and how often it was right." });
export const alertPage = z.object({ alerts: list(alertRow), cursor: z.string().optional(), total: z.number() }).meta({ id: "AlertPage" });

export const event = z
  .object({
    id: z.string(),
    time,
    received: time,
    source: z.string(),
    class: z.string(),
    host: z.string(),
    fields,
    original: z.string(),
  })
  .meta({ id: "Event" });
/** Says that a question was answered as if these had no value. */
const masked = list(z.string())
  .optional()
  .describe("Fields of the question that who asks may not see, or not in every row: to it they have no value.");
const restoring = z
  .object({ partitions: z.number(), events: z.number(), oldest: time, newest: time })
  .describe("Stored events whose files a restore has yet to bring: no question finds them.");
export const eventPage = z
  .object({ events: list(event), cursor: z.string().optional(), masked, restoring: restoring.optional() })
  .meta({ id: "EventPage" });
export const histogram = z
  .object({
    width_ms: z.number(),
    from: time,
    to: time,
    total: z.number(),
    buckets: list(z.object({ start: time, count: z.number() })),
    masked,
  })
  .meta({ id: "Histogram" });
export const top = z
  .object({
    field: z.string(),
    total: z.number().describe("Events that have the field."),
    values: list(z.object({ value: z.string(), count: z.number() })),
    masked,
  })
  .meta({ id: "Top" });
export const table = z
  .object({ columns: list(z.string()), rows: list(list(z.union([scalar, list(scalar)]))), masked })
  .meta({ id: "Table" });
const badQuery = z
  .object({
    ok: z.literal(false),
    message: z.string(),
    position: z.number().describe("Of the trouble, from 0."),
    length: z.number().describe("Characters in trouble; 0 at the end of the text."),
    suggestion: z.string().optional().describe("What to write at `position` instead."),
  })
  .meta({ id: "BadQuery" });
export const check = z
  .union([z.object({ ok: z.literal(true), warning: z.string().optional(), suggestion: z.string().optional() }), badQuery])
  .meta({ id: "QueryCheck" });

const line = { in: z.number(), stored: z.number(), dead: z.number(), dropped: counts, pending: z.number(), split: z.number().optional() };
const source = z
  .object({
    name: z.string(),
    type: z.string(),
    state: z.enum(["running", "idle", "failed", "stopped"]),
    ...line,
    last_received: time.optional(),
    rate: z.number().describe("Events a second, mean over 10 s."),
    warnings: list(z.object({ at: time, code: z.string(), message: z.string(), count: z.int().describe("How often it was said.") })),
  })
  .meta({ id: "Source" });
export const sources = z.object({ sources: list(source) });
export const ruleState = z.enum(["enabled", "shadow", "quarantined", "refused"]).meta({ id: "RuleState" });
export const decidedState = z.enum(["enabled", "shadow", "quarantined"]).meta({ id: "DecidedState" });
const decision = { by: z.string(), at: time, reason: z.string(), owner: z.string().optional(), review: z.string().optional() };
const ruleShape = z.object({
  id: z.string(),
  title: z.string(),
  level: z.string(),
  status: z.string(),
  author: z.string(),
  state: ruleState,
  file: z.string(),
  pack: z.string().optional(),
  reason: z.string().optional(),
  attack: list(z.string()),
  seen: z.number().optional().describe("This and what else was counted of events: absent for whoever sees a part of them only."),
  matched: z.number().optional(),
  capped: z.number().optional().describe("Matches of which no finding was written: the rule told enough already."),
  skipped: counts.optional(),
  cost_ms: z.number().optional().describe("What its evaluations took since the start."),
  decision: z
    .object({ ...decision, changed: z.boolean().describe("Its content is not what was decided on.") })
    .optional()
    .describe("Absent: on because the configuration names it."),
  unknown_fields: list(z.string()).optional().describe("Fields that no event is known to carry: what it waits for may never come."),
  missing: list(z.string()).optional().describe("In shadow: what is missing before a promotion is proposed."),
});
const rule = ruleShape.meta({ id: "Rule" });
export const rules = z.object({ rules: list(rule), hash: z.string(), version: z.number() });
export const ruleInFull = ruleShape
  .extend({
    description: z.string(),
    falsepositives: list(z.string()),
    references: list(z.string()),
    response: list(z.string()).describe("What whoever reads its alert looks at first, and does when it is true."),
    hash: z.string(),
    history: list(z.object({ version: z.number(), what: z.string(), state: z.string(), ...decision })),
  })
  .meta({ id: "RuleInFull" });
export const ruleVersion = z
  .object({
    number: z.number(),
    at: time,
    program: z.string(),
    rules: z.number().describe("Files."),
    what: z.string(),
    by: z.string(),
    reason: z.string(),
    subject: z.string().optional(),
    to: z.number().optional(),
    current: z.boolean(),
  })
  .meta({ id: "RuleVersion" });
export const release = z
  .object({
    hash: z.string(),
    pack: z.string(),
    origin: z.string(),
    at: time,
    licence: z.string().optional(),
    files: z.number(),
  })
  .meta({ id: "RuleRelease" });
export const plan = z
  .object({
    program: z.string(),
    differences: list(
      z.object({
        id: z.string(),
        title: z.string(),
        level: z.string(),
        file: z.string(),
        what: z.enum(["added", "changed", "rewritten", "removed"]),
        state: decidedState,
        details: list(z.string()),
      }),
    ),
    refused: list(z.string()),
    notes: list(z.string()),
    coverage: z.object({
      enabled: z.tuple([z.number(), z.number()]).readonly(),
      gained: list(z.string()),
      lost: list(z.string()),
      rules_lost: list(z.string()),
    }),
    gate: z.object({
      events: z.number(),
      span_s: z.number(),
      estimates: list(
        z.object({
          id: z.string(),
          title: z.string(),
          file: z.string(),
          matched: z.number(),
          alerts_per_day: z.number().describe("Findings of one entity on one day are one alert."),
          at_least: z.literal(true).optional(),
          cost_us: z.number().describe("Of one core, for each event that comes in."),
          held: z.string().optional(),
        }),
      ),
    }),
  })
  .meta({ id: "RulePlan", description: "What a change of the rules would do." });
export const applied = z
  .object({
    version: z.number(),
    blocked: list(z.string()).describe("What stands in the way; empty when the change was made."),
    plan,
  })
  .meta({ id: "Applied" });
const detectorLine = z.object({
  name: z.string(),
  keys: z.number().describe("In memory; others may wait in the checkpoint store."),
  observations: z.number(),
  late: z.number().describe("Came later than the lateness."),
  caught_up: z.number().describe("Of the late, folded in after all."),
  skipped: z.number().describe("Of the late, not folded in: no room, or more of the past needed than is read."),
  repeated: z.number(),
  capped: z.number().describe("Keys of single events beyond the bound, left out."),
  crowded: z.number().describe("Settled before their time: one key had too many open."),
  spilled: z.number().describe("Keys moved from memory to the checkpoint store."),
});
export const quality = z
  .object({
    at: time.optional().describe("The last tick it rests on."),
    sources: list(
      z.object({
        name: z.string(),
        state: z.enum(["ok", "silent", "maintenance", "learning"]),
        last: time,
        silence_allowed_s: z.number().optional(),
        formats: list(z.object({ format: z.string(), records: z.number(), flaws: z.number(), failing: z.boolean() })),
        unknown_fields: list(z.object({ field: z.string(), sampled: z.number() })),
        drift: list(z.object({ kind: z.string(), appeared: list(z.string()), vanished: list(z.string()), at: time })),
      }),
    ),
    hosts: z.object({
      known: z.number(),
      unwatched: z.number(),
      silent: list(z.object({ name: z.string(), last: time.optional() })),
      clocks: list(z.object({ host: z.string(), source: z.string(), lead_s: z.number() })),
    }),
  })
  .meta({ id: "Quality" });
export const sinks = z.object({
  sinks: list(
    z.object({
      name: z.string(),
      type: z.string(),
      select: z.enum(["alerts", "findings", "events"]),
      format: z.enum(["ecs", "ocsf"]),
      state: z.enum(["idle", "sending", "waiting", "failed", "stopped"]),
      read: z.number().describe("read = sent + refused + skipped"),
      sent: z.number(),
      refused: z.record(z.string(), z.number()).describe("By reason; each is kept as a dead letter."),
      skipped: z.number().describe("Not asked for."),
      missed: z.number().describe("Batches that the log dropped before they were sent."),
      pending: z.number().describe("Batches, or changes of alerts, that it has not gone through."),
      lag_ms: z.number().describe("How long the oldest of what is under way has waited."),
      problem: z.string().optional(),
      answer: z.string().optional().describe("What the receiver said last."),
      last_sent: time.optional(),
    }),
  ),
});
export const ledger = z.object({
  sources: list(z.object({ name: z.string(), ...line, balance: z.number() })),
  rules: list(rule),
  detectors: list(detectorLine),
});
const deadLetter = z
  .object({
    source: z.string(),
    position: z.string(),
    received: time,
    stage: z.string(),
    code: z.string(),
    expected: z.string(),
    bytes: z.string().describe("The first 64 KiB of the input, base64."),
  })
  .meta({ id: "DeadLetter" });
export const dead = z.object({ letters: list(deadLetter), cursor: z.string().optional() });
const problems = list(z.object({ code: z.string(), message: z.string() }));
export const readiness = z.object({ ready: z.boolean(), problems });
/** Absent for whoever sees a part of the events only: there is no part of these that is theirs. */
const ofTheWhole = {
  rate: z.number().optional(),
  lag_ms: z.number().optional(),
  disk: z.object({ log_bytes: z.number(), open_bytes: z.number(), sealed_bytes: z.number(), original_bytes: z.number() }).optional(),
};
export const status = z
  .object({
    version: z.string(),
    started: time,
    events: z.number(),
    ...ofTheWhole,
    alerts: z.object({ open: z.record(severity, z.number()) }),
    demo: z.object({ present: z.boolean(), running: z.boolean(), events: z.number() }),
    restoring: restoring.optional(),
    ...readiness.shape,
  })
  .meta({ id: "Status" });
