/** `vedette rule lint`: rules load, and where they do not, why; and what is probably not meant. */
import type { ProgramFile } from "@vedette/pipeline";
import { compileRules, fieldsOf, type Pipeline, parseRules, type SigmaRule } from "@vedette/sigma";
import { fieldNames } from "../../fields.ts";
import { casesOf } from "./cases.ts";
import { pipelines, ruleFiles } from "./files.ts";
import { Locator } from "./locate.ts";
import { type Outcome, type ReportOptions, report } from "./report.ts";
import { contradiction, isBroad, unusedSelections } from "./sense.ts";

export async function lint(paths: readonly string[], options: ReportOptions): Promise<void> {
  report(lintFiles(ruleFiles(paths)), options, "rules");
}

export function lintFiles(files: readonly ProgramFile[]): Outcome[] {
  const parsed = files.map((file) => parseRules(file.text, file.file));
  const set = compileRules(
    parsed.flatMap((p) => p.rules),
    { pipelines: pipelines() },
  );
  const mapped = new Map(set.rules.map((rule, i) => [rule, set.conditionOf(i)]));
  const refused = [...parsed.flatMap((p) => p.refused), ...set.refused].map(
    (r): Outcome => ({
      file: r.file,
      line: r.line,
      column: r.column,
      rule: r.title,
      check: r.construct.startsWith("id: ") ? "duplicate-id" : "refused",
      name: "loads",
      ok: false,
      level: "error",
      message: r.message,
    }),
  );
  const names = fieldNames(pipelines().filter((p): p is Pipeline => !("construct" in p)));
  const outcomes = files.flatMap((file, i) => {
    const locator = new Locator(file.text);
    return parsed[i]!.rules.flatMap((rule) => {
      const condition = mapped.get(rule);
      if (condition === undefined) return [];
      const say: Say = (check, name, message, path, level = "warning") => ({
        file: rule.file,
        ...locator.find(rule.line, ...path),
        rule: rule.title,
        check,
        name,
        ok: false,
        level,
        message,
      });
      const found = [
        ...names.unknownIn(rule).map(({ field, nearest }) => {
          const key = (written: string) => written === field || written.startsWith(`${field}|`);
          const hint = nearest === undefined ? "no event is known to carry it" : `did you mean ${nearest}?`;
          return say("unknown-field", "fields are known", `${field}: ${hint}`, ["detection", ...selectionOf(rule, field), key]);
        }),
        ...unusedSelections(rule).map((name) =>
          say("unused-selection", "every selection is used", `the condition does not name ${name}`, ["detection", name]),
        ),
        ...contradiction(condition).map((text) => say("never", "can match", text, ["detection"])),
        ...(isBroad(rule.condition)
          ? [
              say("too-broad", "tells events apart", "it matches (nearly) every event of its logsource; name a value", [
                "detection",
                "condition",
              ]),
            ]
          : []),
        ...metadata(rule, say),
        ...casesOf(rule, locator).flaws,
      ];
      if (found.some((o) => o.level === "error")) return found;
      const fine: Outcome = {
        file: rule.file,
        line: rule.line,
        column: 1,
        rule: rule.title,
        check: "loads",
        name: "loads",
        ok: true,
        level: "error",
        message: "",
      };
      return [...found, fine];
    });
  });
  return [...refused, ...outcomes];
}

type Say = (
  check: string,
  name: string,
  message: string,
  path: readonly (string | ((key: string) => boolean))[],
  level?: Outcome["level"],
) => Outcome;

/** What a reader of an alert needs, and what CI asks of a rule. */
function metadata(rule: SigmaRule, say: Say): Outcome[] {
  const found: Outcome[] = [];
  const miss = (check: string, name: string, message: string, path: readonly string[]) => found.push(say(check, name, message, path));
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(rule.id))
    miss("no-id", "has an id", "add id: a UUID of its own, which stays when the title changes", ["id"]);
  if (rule.attack.length === 0) miss("no-attack", "names a technique", "add tags: [attack.TACTIC, attack.tNNNN]", ["tags"]);
  if (rule.falsepositives.length === 0)
    miss("no-falsepositives", "names false positives", "add falsepositives: what harmless things look the same", ["title"]);
  if (rule.description === "") miss("no-description", "is described", "add description: what happens and why it matters", ["title"]);
  const tests = rule.vedette?.tests;
  const expects = new Set((Array.isArray(tests) ? tests : []).map((t: { expect?: unknown } | null) => t?.expect));
  if (!expects.has("match") || !expects.has("none"))
    miss("no-cases", "has cases", "add vedette.tests: one that expects match and one that expects none", ["vedette"]);
  return found;
}

/** The path of the first selection that uses a field. */
function selectionOf(rule: SigmaRule, field: string): readonly string[] {
  const found = rule.selections.find((s) => fieldsOf(s.condition).has(field));
  return found === undefined ? [] : [found.name];
}
