/** A grant as people write it, in the configuration and over HTTP. Decides nothing. */
import { z } from "@vedette/kit";
import { roles } from "./permission.ts";
import { maskProblem, readRows } from "./policy.ts";

export const roleSchema = z
  .enum(Object.keys(roles) as [keyof typeof roles])
  .meta({ id: "Role", description: "What it may do: vedette access roles.", examples: ["analyst"] });

/** A check that says what is wrong in its own words. */
export const fitting =
  (problemOf: (text: string) => string | undefined) =>
  (text: string, context: z.RefinementCtx<string>): void => {
    const problem = problemOf(text);
    if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
  };

const rowsProblem = (text: string): string | undefined => {
  const read = readRows(text);
  return "problem" in read ? read.problem : undefined;
};

export const grantSchema = z
  .strictObject({
    role: roleSchema,
    tenant: z
      .string()
      .regex(/^[a-z0-9_-]{1,32}$/)
      .optional()
      .describe("main where none is said."),
    rows: z
      .string()
      .min(1)
      .max(4_096)
      .superRefine(fitting(rowsProblem))
      .optional()
      .describe("Filter of the query language: only events, and alerts with such events, for which it holds.")
      .meta({ examples: ["host.name:login*"] }),
    masks: z
      .array(z.string().max(200).superRefine(fitting(maskProblem)))
      .max(200)
      .readonly()
      .optional()
      .describe("ECS fields whose values are masked; * at the end stands for all that begin so.")
      .meta({ examples: [["user.full_name"]] }),
  })
  .meta({ id: "Grant" });
/** Somebody with more roles than these has a muddle of them. */
const maxGrants = 50;
export const grantsSchema = z.array(grantSchema).max(maxGrants).readonly();
