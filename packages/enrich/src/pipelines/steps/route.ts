/** Says what an event is kept as: its source class, which retention goes by, and tags. */
import { z } from "@vedette/kit";
import { type EventClass, eventClasses } from "@vedette/model";
import { defineStep } from "../step.ts";

export const route = defineStep({
  name: "route",
  summary: "Sets the source class, by which events are kept and dropped, and adds tags.",
  settings: z
    .strictObject({
      class: z
        .enum(eventClasses as readonly [EventClass, ...EventClass[]])
        .optional()
        .describe("What retention and quota treat it as."),
      tags: z.array(z.string().min(1).max(64)).min(1).max(16).optional().describe("Added to `tags`."),
    })
    .refine((settings) => settings.class !== undefined || settings.tags !== undefined, { error: "expected class, tags or both" }),
  make: (settings) => (draft) => {
    if (settings.class !== undefined) draft.class = settings.class;
    if (settings.tags !== undefined) {
      const before = draft.fields["tags"];
      const known = Array.isArray(before) ? before : before === undefined || before === null ? [] : [before];
      draft.fields["tags"] = [...new Set([...known, ...settings.tags])];
    }
    return true;
  },
});
