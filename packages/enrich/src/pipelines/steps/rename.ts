/** Gives fields other names. */
import { z } from "@vedette/kit";
import { defineStep, ownField } from "../step.ts";

export const rename = defineStep({
  name: "rename",
  summary: "Gives fields other names, or removes them; a field that is there already stays unless `overwrite` says otherwise.",
  settings: z.strictObject({
    fields: z
      .record(ownField, ownField.nullable())
      .refine((all) => Object.keys(all).length > 0, { error: "expected at least one field" })
      .describe("OLD: NEW, or OLD: null to remove it."),
    overwrite: z.boolean().default(false).describe("Whether a field that is there already is replaced."),
  }),
  takes: ({ fields }) => Object.keys(fields),
  make: ({ fields, overwrite }) => {
    const pairs = Object.entries(fields);
    return (draft) => {
      for (const [old, name] of pairs) {
        const value = draft.fields[old];
        if (value === undefined) continue;
        if (name !== null && draft.fields[name] !== undefined && !overwrite) continue;
        delete draft.fields[old];
        if (name !== null) draft.fields[name] = value;
      }
      return true;
    };
  },
});
