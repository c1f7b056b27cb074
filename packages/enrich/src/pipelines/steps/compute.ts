/** Makes a field of others by a declared transform. */
import { closest } from "@vedette/condition";
import { z } from "@vedette/kit";
import type { Scalar } from "@vedette/model";
import { defineStep, fieldName, ownField } from "../step.ts";
import { transforms } from "../transforms.ts";

const names = Object.keys(transforms);

/** `lowercase`, or with settings `{split: {by: ","}}`. */
const chosen = z.union([z.string(), z.record(z.string(), z.unknown())]).transform((value, context) => {
  const [name = "", settings] = typeof value === "string" ? [value] : (Object.entries(value)[0] ?? []);
  const known = Object.hasOwn(transforms, name) ? transforms[name] : undefined;
  if (known === undefined || (typeof value !== "string" && Object.keys(value).length !== 1)) {
    const near = closest(name, names);
    context.addIssue({
      code: "custom",
      message: `no transform "${name.slice(0, 40)}"; ${near ? `did you mean "${near}"?` : `known: ${names.join(", ")}`}`,
    });
    return z.NEVER;
  }
  const parsed = known.settings.safeParse(settings ?? {});
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      context.addIssue({ code: "custom", message: `${name}: ${issue.path.join(".")} ${issue.message}` });
    return z.NEVER;
  }
  return { name, make: () => known.make(parsed.data) };
});

export const compute = defineStep({
  name: "compute",
  summary: "Sets a field to what a transform makes of others; nothing where they are absent.",
  settings: z.strictObject({
    field: ownField.describe("The field that is set; what it held is replaced."),
    from: z.union([fieldName, z.array(fieldName).min(1).max(16)]).describe("The field, or fields, that it is made of."),
    transform: chosen.describe(`One of ${names.join(", ")}; with settings {NAME: {…}}.`),
  }),
  reads: ({ from }) => (typeof from === "string" ? [from] : from),
  make: ({ field, from, transform }) => {
    const sources = typeof from === "string" ? [from] : from;
    const run = transform.make();
    return (draft) => {
      const values: Scalar[] = [];
      for (const name of sources) {
        const value = draft.fields[name];
        if (Array.isArray(value)) values.push(...value);
        else if (value !== undefined && value !== null) values.push(value as Scalar);
      }
      if (values.length === 0) return true;
      const made = run(values);
      if (made !== undefined) draft.fields[field] = made;
      return true;
    };
  },
});
