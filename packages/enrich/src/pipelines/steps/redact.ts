/** Takes secrets and personal data out of texts: out of fields and of the record as it came. */
import { z } from "@vedette/kit";
import type { FieldValue } from "@vedette/model";
import { knownPattern, knownPatterns, ownPattern, type Redact } from "../patterns.ts";
import { defineStep, ownField } from "../step.ts";

const names = Object.keys(knownPatterns) as [string, ...string[]];

export const redact = defineStep({
  name: "redact",
  summary: "Replaces what patterns find, in fields and in the original record.",
  settings: z.strictObject({
    patterns: z
      .array(
        z.union([
          z.enum(names),
          z.strictObject({
            match: z.string().min(1).max(1_024).describe("Pattern in RE2's dialect."),
            with: z.string().max(256).default("[redacted]").describe("What stands there instead; $1 is a group."),
            ignore_case: z.boolean().default(false).describe("Whether case does not matter."),
          }),
        ]),
      )
      .min(1)
      .max(64)
      .describe(`Names (${names.join(", ")}) or {match, with}.`),
    fields: z
      .array(ownField)
      .min(1)
      .max(64)
      .optional()
      .describe("Fields looked at; by default all. The original record is always looked at."),
  }),
  make: ({ patterns, fields }) => {
    const all = patterns.map((one) =>
      typeof one === "string" ? knownPattern(one) : ownPattern(one.match, one.with, one.ignore_case ? "i" : ""),
    );
    const clean: Redact = (text) => all.reduce((before, one) => one(before), text);
    return (draft) => {
      draft.original = clean(draft.original);
      for (const name of fields ?? Object.keys(draft.fields)) {
        const value = draft.fields[name];
        if (value === undefined || name.startsWith("vedette.")) continue;
        const after = cleaned(value, clean);
        if (after !== value) draft.fields[name] = after;
      }
      return true;
    };
  },
});

function cleaned(value: FieldValue, clean: Redact): FieldValue {
  if (typeof value === "string") return clean(value);
  if (!Array.isArray(value)) return value;
  const after = value.map((one) => (typeof one === "string" ? clean(one) : one));
  return after.some((one, i) => one !== value[i]) ? after : value;
}
