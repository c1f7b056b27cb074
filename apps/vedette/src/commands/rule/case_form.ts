/** Whether the cases under `vedette.tests` are well formed, and where they stand. Runs none of them and knows no format. */
import type { Header } from "@vedette/sigma";
import type { Locator, Place } from "./locate.ts";
import type { Outcome } from "./report.ts";
import { type Case, caseSchema } from "./schema.ts";

/** What has cases: a rule, a correlation, a file with cases of a detector. */
export type Tested = Pick<Header, "file" | "line" | "title"> & { readonly vedette?: { readonly tests?: unknown } };

/** The well-formed cases of a rule with their places, and what is wrong with the others. */
export function casesOf(rule: Tested, locator: Locator): { valid: { readonly one: Case; readonly place: Place }[]; flaws: Outcome[] } {
  const tests = rule.vedette?.tests ?? [];
  const valid: { one: Case; place: Place }[] = [];
  const flaws: Outcome[] = [];
  const flaw = (place: Place, message: string) => flaws.push(outcome(rule, place, "bad-case", "cases are well formed", message));
  if (!Array.isArray(tests)) flaw(locator.find(rule.line, "vedette", "tests"), "expected a list of cases");
  else
    for (const [i, test] of tests.entries()) {
      const read = caseSchema.safeParse(test);
      if (read.success) valid.push({ one: read.data, place: locator.find(rule.line, "vedette", "tests", i) });
      else
        for (const issue of read.error.issues) {
          const path = issue.path.map((p) => (typeof p === "number" ? p : String(p)));
          const unknown = issue.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
          flaw(locator.find(rule.line, "vedette", "tests", i, ...path, ...unknown), issue.message);
        }
    }
  return { valid, flaws };
}

/** The outcome of one check of a rule; `message` says why it fails, "" that it holds. */
export function outcome(rule: Tested, place: Place, check: string, name: string, message: string): Outcome {
  return { file: rule.file, ...place, rule: rule.title, check, name, ok: message === "", level: "error", message };
}
