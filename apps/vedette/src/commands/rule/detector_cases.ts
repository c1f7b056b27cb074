/** Files with cases of a detector: its name, settings for these cases, and cases as rules have them. Knows no detector by name. */
import { closest } from "@vedette/condition";
import { detectors } from "@vedette/detect";
import type { DetectorSpec } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import type { ProgramFile } from "@vedette/pipeline";
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Site } from "../../config/site.ts";
import { casesOf, outcome, type Tested } from "./case_form.ts";
import { FoldedCases, settingsOf } from "./folded_cases.ts";
import { Locator } from "./locate.ts";
import type { Outcome } from "./report.ts";

const form = z.strictObject({
  detector: z.string(),
  title: z.string().optional(),
  config: z.record(z.string(), z.unknown()).default({}),
  vedette: z.strictObject({ tests: z.unknown() }),
});

/** @param received when the cases' records came in */
export async function runDetectorCases(files: readonly ProgramFile[], site: Site, received: Micros): Promise<Outcome[]> {
  const specs = files.length === 0 ? new Map<string, DetectorSpec>() : await detectors();
  const outcomes: Outcome[] = [];
  for (const file of files) outcomes.push(...(await runFile(file, specs, site, received)));
  return outcomes;
}

async function runFile(
  { file, text }: ProgramFile,
  specs: ReadonlyMap<string, DetectorSpec>,
  site: Site,
  received: Micros,
): Promise<Outcome[]> {
  const locator = new Locator(text);
  const document = parseDocument(text);
  // where the document's own map begins, behind comments
  const line = text.slice(0, document.contents?.range?.[0] ?? 0).split("\n").length;
  const bad = (message: string, ...path: readonly string[]): Outcome[] => [
    outcome({ file, line, title: "cases of a detector" }, locator.find(line, ...path), "bad-case", "the file is well formed", message),
  ];
  const [broken] = document.errors;
  if (broken !== undefined) return bad(broken.message.split("\n", 1)[0]!);
  const read = form.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!read.success) {
    const [issue] = read.error.issues;
    return bad(issue!.message, ...issue!.path.map(String));
  }
  const { detector, config, title = detector, vedette } = read.data;
  const spec = specs.get(detector);
  if (spec === undefined) {
    const near = closest(detector, specs.keys());
    return bad(
      `unknown detector "${detector}"; ${near === undefined ? `known: ${[...specs.keys()].sort().join(", ")}` : `did you mean ${near}?`}`,
      "detector",
    );
  }
  const settings = settingsOf(spec, config, site);
  if ("flaw" in settings) return bad(settings.flaw, "config");
  const tested: Tested = { file, line, title, vedette };
  const { valid, flaws } = casesOf(tested, locator);
  const outcomes = [...flaws];
  const folded = new FoldedCases([], { ...site, detectors: { ...site.detectors, [detector]: settings.config } });
  for (const wanted of ["match", "none"] as const) {
    if (flaws.length > 0 || valid.some(({ one }) => one.expect === wanted)) continue;
    outcomes.push(
      outcome(
        tested,
        locator.find(line, "vedette", "tests"),
        "no-cases",
        `has a case that expects ${wanted}`,
        "add one under vedette.tests",
      ),
    );
  }
  for (const { one, place } of valid) {
    const found = await folded.findings(one, received);
    const hits = typeof found === "string" ? [] : found.filter(({ rule }) => rule.id === detector);
    const why =
      typeof found === "string"
        ? found
        : unlike(
            one.expect,
            hits.map(({ summary }) => summary),
          );
    outcomes.push(outcome(tested, place, "case", one.name, why));
  }
  return outcomes;
}

/** Why what was found is not what was expected; "" where it is. */
function unlike(expected: "match" | "none", summaries: readonly string[]): string {
  if (expected === "match") return summaries.length > 0 ? "" : "expected a finding; there was none";
  return summaries.length === 0 ? "" : `expected none; found: ${summaries[0]}`;
}
