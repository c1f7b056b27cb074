/** Keys of detection: engine, rules, and the proof that they fire. */
import { z } from "zod";

export const engine = z
  .strictObject({
    workers: z.int().min(1).max(64).optional().describe("Analysis threads; by default one per core but one, at most 8."),
    lateness_s: z
      .int()
      .min(0)
      .max(86_400)
      .default(30)
      .describe("How much later than its host's newest event an event may come and still be folded in order, in seconds."),
  })
  .prefault({})
  .describe("Detection.");

export const rules = z
  .strictObject({
    starter: z.boolean().default(true).describe("Whether the bundled starter rules are on."),
    directories: z.array(z.string()).default([]).describe("Folders of further Sigma rules (*.yml, read recursively)."),
    watch: z.boolean().default(true).describe("Whether these folders are read again when a file in them changes."),
    budget_per_day: z
      .number()
      .positive()
      .default(100)
      .describe(
        "Alerts a day beyond which a new rule is held back: one rule that asks for a look each quarter of an hour is read by nobody.",
      ),
  })
  .prefault({})
  .describe("Sigma rules.");

export const sigma = z
  .strictObject({
    placeholders: z
      .record(z.string().regex(/^[\w.-]{1,100}$/), z.array(z.string().min(1)).min(1).max(1_000))
      .default({})
      .describe("What %NAME% stands for in rules with |expand, as NAME: [values]; a rule that names another is refused."),
  })
  .prefault({})
  .describe("What Sigma rules leave to the site.");

export const canaries = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether rules are proved able to fire without being asked."),
    every_s: z.int().min(60).default(3_600).describe("How often each rule is proved, in seconds; spread evenly over that time."),
  })
  .prefault({})
  .describe("Proof that rules fire: each rule's case goes through production as a marked canary.");
