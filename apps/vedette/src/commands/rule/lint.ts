/** `vedette rule lint`: rules load, and where they do not, why. */
import { compileRules, parseRules } from "@vedette/sigma";
import { pipelines, ruleFiles } from "./files.ts";
import { type Outcome, type ReportOptions, report } from "./report.ts";

export async function lint(paths: readonly string[], options: ReportOptions): Promise<void> {
  const parsed = ruleFiles(paths).map((file) => parseRules(file.text, file.file));
  const set = compileRules(
    parsed.flatMap((p) => p.rules),
    { pipelines: pipelines() },
  );
  const outcomes: Outcome[] = [
    ...set.rules.map((r) => ({ file: r.file, line: r.line, rule: r.title, name: "loads", ok: true, message: "" })),
    ...[...parsed.flatMap((p) => p.refused), ...set.refused].map((r) => ({
      file: r.file,
      line: r.line,
      rule: r.title,
      name: "loads",
      ok: false,
      message: r.message,
    })),
  ];
  report(outcomes, options, "rules");
}
