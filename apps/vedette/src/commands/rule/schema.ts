/** The form of a rule file: JSON Schema for editors (`vedette rule schema`), and the check of what stands under `vedette.tests`. */
import { jsonText } from "@vedette/kit";
import { z } from "zod";

const level = z.enum(["informational", "low", "medium", "high", "critical"]);
const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const event = z.record(z.string(), z.union([value, z.array(value)]));
const lines = z.string().min(1);

export const caseSchema = z
  .strictObject({
    name: z.string().min(1).describe("What the case shows."),
    expect: z.enum(["match", "none"]).describe("Whether the rule must match."),
    events: z.array(event).min(1).optional().describe("Flat ECS records; `@timestamp` (RFC 3339) where the order in time matters."),
    raw: lines.optional().describe("Original lines, one record a line, decoded as in production."),
    format: z.string().optional().describe("The format of `raw`: syslog, auditd, zeek, windows_event, …"),
    stream: z.string().optional().describe("File name under which the lines came, where the format looks at it."),
    preamble: z.string().optional().describe("Header that explains the lines (Zeek TSV, W3C)."),
  })
  .refine((c) => (c.events === undefined) !== (c.raw === undefined), { message: "a case needs either `events`, or `raw` and `format`" })
  .refine((c) => c.raw === undefined || c.format !== undefined, { message: "`raw` needs a `format`" });

export type Case = z.output<typeof caseSchema>;

const vedette = z
  .strictObject({
    tests: z.array(caseSchema).describe("Cases that `vedette rule test` runs; at least one of each kind."),
    owner: z.string().describe("Who looks after the rule."),
    review: z.string().describe("Date (YYYY-MM-DD) by which somebody looks at it again."),
    entity: z.string().describe("ECS field by whose value alerts are grouped, e.g. host.name."),
    response: z.union([z.string(), z.array(z.string())]).describe("What to do when it fires: first look, then act."),
    lateness: z.string().describe("How late an event may come and still count, e.g. 5m (correlations)."),
    gap: z.string().describe("Silence that ends a session, e.g. 10m (correlations with window: session)."),
    window: z.unknown().describe("How a correlation cuts time: sliding (default), tumbling or session."),
  })
  .partial()
  .describe("Vedette's own keys; other programs ignore them.");

const shared = {
  title: z.string().min(1).max(256).describe("What the rule finds, in a few words."),
  id: z.string().describe("A UUID of the rule's own."),
  name: z.string().describe("Short name by which correlations refer to it."),
  status: z.enum(["stable", "test", "experimental", "deprecated", "unsupported"]).describe("How well it has proved itself."),
  description: z.string().describe("What happens, and why it matters."),
  author: z.string(),
  date: z.string().describe("YYYY-MM-DD."),
  modified: z.string().describe("YYYY-MM-DD."),
  references: z.array(z.string()),
  tags: z.array(z.string()).describe("ATT&CK: attack.TACTIC and attack.tNNNN.NNN."),
  falsepositives: z.array(z.string()).describe("What harmless things look the same."),
  level: level.describe("What a person should do: critical now, high today, medium when there is time, low for hunting."),
  fields: z.array(z.string()).describe("Fields worth showing."),
  vedette,
};
const optional = z.object(shared).partial().shape;

const logsource = z
  .looseObject({ category: z.string(), product: z.string(), service: z.string() })
  .partial()
  .describe("Which events are asked.");
const detection = z.looseObject({ condition: z.union([z.string(), z.array(z.string())]) }).describe("Selections and their condition.");

const rule = z.looseObject({ ...optional, title: shared.title, logsource, detection });
const part = z.looseObject({
  ...optional,
  action: z
    .enum(["global", "reset", "repeat"])
    .describe("What this document says for others of its file: shared by those after it, or the one before it changed."),
});
const filter = z.looseObject({ ...optional, title: shared.title, logsource, filter: z.looseObject({}) });
const bound = z.number();
const correlation = z.looseObject({
  ...optional,
  title: shared.title,
  correlation: z.looseObject({
    type: z
      .enum(["event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median"])
      .describe("What is counted or put together."),
    rules: z.union([z.string(), z.array(z.string())]).describe("Ids or names of the rules whose matches are taken."),
    "group-by": z
      .union([z.string(), z.array(z.string())])
      .optional()
      .describe("Fields whose values are counted apart."),
    timespan: z.string().describe("How far apart the matches may lie: 30s, 15m, 1h, 1d."),
    condition: z
      .union([
        z.string(),
        z
          .looseObject({
            gt: bound,
            gte: bound,
            lt: bound,
            lte: bound,
            eq: bound,
            neq: bound,
            field: z.union([z.string(), z.array(z.string())]),
          })
          .partial(),
      ])
      .optional(),
    aliases: z.record(z.string(), z.record(z.string(), z.string())).optional(),
    generate: z.boolean().optional().describe("Whether the rules referred to also alert by themselves."),
  }),
});

/** `vedette rule schema`. */
export function schema(): void {
  const all = z.union([rule, correlation, filter, part]).describe("A Sigma rule, correlation or filter with Vedette's keys.");
  const made = z.toJSONSchema(all, { io: "input", unrepresentable: "any" });
  process.stdout.write(`${jsonText({ ...made, title: "Vedette rule" }, 2)}\n`);
}
