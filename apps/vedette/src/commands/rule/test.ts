/** `vedette rule test`: the rules' own cases hold. */
import { type SiteOptions, siteOf } from "../../config/site.ts";
import { runCases } from "./cases.ts";
import { Collection } from "./collection.ts";
import { ruleFiles } from "./files.ts";
import { type ReportOptions, report } from "./report.ts";

export async function test(paths: readonly string[], options: ReportOptions & SiteOptions): Promise<void> {
  report(await runCases(new Collection(ruleFiles(paths), siteOf(options))), options, "cases");
}
