/** `vedette rule test`: the rules' own cases hold. */
import { testFile } from "./cases.ts";
import { ruleFiles } from "./files.ts";
import { type Outcome, type ReportOptions, report } from "./report.ts";

export async function test(paths: readonly string[], options: ReportOptions): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const file of ruleFiles(paths)) outcomes.push(...(await testFile(file)));
  report(outcomes, options, "cases");
}
