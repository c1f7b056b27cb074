/** What every component declares of itself. Knows no kind of component. */
import type { z } from "zod";

export interface Spec<C extends z.ZodType> {
  /** The name used in configuration; equal to the file name; snake_case. */
  readonly name: string;
  /** One sentence, capital letter to full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly stability: "experimental" | "beta" | "stable";
  /** A `z.strictObject` whose every member is described. */
  readonly config: C;
}
