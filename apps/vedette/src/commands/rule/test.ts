/** `vedette rule test`: the rules' own cases hold, and those written for detectors. */
import { isDetectorCases, type SiteOptions, siteOf } from "../../config/site.ts";
import { received, runCases } from "./cases.ts";
import { Collection } from "./collection.ts";
import { ruleFiles } from "./files.ts";
import { type ReportOptions, report } from "./report.ts";

export async function test(paths: readonly string[], options: ReportOptions & SiteOptions): Promise<void> {
  const files = ruleFiles(paths);
  const site = siteOf(options);
  const outcomes = await runCases(new Collection(files, site));
  const ofDetectors = files.filter(isDetectorCases);
  if (ofDetectors.length > 0) outcomes.push(...(await (await import("./detector_cases.ts")).runDetectorCases(ofDetectors, site, received)));
  report(outcomes, options, "cases");
}
