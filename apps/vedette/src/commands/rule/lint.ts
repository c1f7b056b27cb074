/** `vedette rule lint`: rules load, and where they do not, why; and what is probably not meant. */
import { fieldsOf, type Header, type Pipeline, type SigmaCorrelation, type SigmaRule } from "@vedette/sigma";
import { type SiteOptions, siteOf } from "../../config/site.ts";
import { type FieldNames, fieldNames } from "../../fields.ts";
import { casesOf } from "./case_form.ts";
import { Collection } from "./collection.ts";
import { pipelines, ruleFiles } from "./files.ts";
import type { Step } from "./locate.ts";
import { type Outcome, type ReportOptions, report } from "./report.ts";
import { contradiction, isBroad, unusedSelections } from "./sense.ts";

export function lint(paths: readonly string[], options: ReportOptions & SiteOptions): void {
  const collection = new Collection(ruleFiles(paths), siteOf(options));
  const names = fieldNames(pipelines().filter((p): p is Pipeline => !("construct" in p)));
  const refused = collection.refused.map((r): Outcome => {
    const check = r.construct.startsWith("id: ") ? "duplicate-id" : "refused";
    const { file, line, column, title, message } = r;
    return { file, line, column, rule: title, check, name: "loads", ok: false, level: "error", message };
  });
  const documents = [...collection.rules, ...collection.correlations].filter((d) => collection.holds(d));
  report([...refused, ...documents.flatMap((d) => lintDocument(d, collection, names))], options, "rules");
}

function lintDocument(document: SigmaRule | SigmaCorrelation, collection: Collection, names: FieldNames): Outcome[] {
  const locator = collection.locator(document.file);
  const { file, title } = document;
  const say: Say = (check, name, message, path) => {
    const place = locator.find(document.line, ...path);
    return { file, ...place, rule: title, check, name, ok: false, level: "warning", message };
  };
  const found = [
    ...("condition" in document ? detection(document, collection, names, say) : []),
    ...metadata(document, collection.linked.silent.has(document.id), say),
    ...casesOf(document, locator).flaws,
  ];
  if (found.some((o) => o.level === "error")) return found;
  return [
    ...found,
    { file, line: document.line, column: 1, rule: title, check: "loads", name: "loads", ok: true, level: "error", message: "" },
  ];
}

function detection(rule: SigmaRule, collection: Collection, names: FieldNames, say: Say): Outcome[] {
  const unknown = names.unknownIn(rule).map(({ field, nearest }) => {
    const key = (written: string) => written === field || written.startsWith(`${field}|`);
    const hint = nearest === undefined ? "no event is known to carry it" : `did you mean ${nearest}?`;
    return say("unknown-field", "fields are known", `${field}: ${hint}`, ["detection", ...selectionOf(rule, field), key]);
  });
  const unused = unusedSelections(rule).map((name) =>
    say("unused-selection", "every selection is used", `the condition does not name ${name}`, ["detection", name]),
  );
  const never = contradiction(collection.set.conditionOf(collection.numberOf(rule)!)).map((text) =>
    say("never", "can match", text, ["detection"]),
  );
  const broad = "it matches (nearly) every event of its logsource; name a value";
  return [
    ...unknown,
    ...unused,
    ...never,
    ...(isBroad(rule.condition) ? [say("too-broad", "tells events apart", broad, ["detection", "condition"])] : []),
  ];
}

type Say = (check: string, name: string, message: string, path: readonly Step[]) => Outcome;

/** What a reader of an alert needs, and what CI asks of a rule. */
function metadata(rule: Header, silent: boolean, say: Say): Outcome[] {
  const found: Outcome[] = [];
  const miss = (check: string, name: string, message: string, path: readonly string[]) => found.push(say(check, name, message, path));
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(rule.id))
    miss("no-id", "has an id", "add id: a UUID of its own, which stays when the title changes", ["id"]);
  if (rule.attack.length === 0) miss("no-attack", "names a technique", "add tags: [attack.TACTIC, attack.tNNNN]", ["tags"]);
  if (rule.falsepositives.length === 0)
    miss("no-falsepositives", "names false positives", "add falsepositives: what harmless things look the same", ["title"]);
  if (rule.description === "") miss("no-description", "is described", "add description: what happens and why it matters", ["title"]);
  // what only feeds a correlation is tested there
  if (silent) return found;
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
