/** `vedette rule test`: the rules' own cases hold, and those written for detectors. */
import { isDetectorCases, type SiteOptions, siteOf } from "../../config/site.ts";
import { received, runCases } from "./cases.ts";
import { Collection } from "./collection.ts";
import { runDetectorCases } from "./detector_cases.ts";
import { ruleFiles } from "./files.ts";
import { type ReportOptions, report } from "./report.ts";

export async function test(paths: readonly string[], options: ReportOptions & SiteOptions): Promise<void> {
  const files = ruleFiles(paths);
  const site = siteOf(options);
  const ofDetectors = await runDetectorCases(files.filter(isDetectorCases), site, received);
  report([...(await runCases(new Collection(files, site))), ...ofDetectors], options, "cases");
}
