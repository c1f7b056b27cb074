/** Runs the cases that a rule carries under `vedette.tests`: its events, or its raw lines through the real decoder. */
import { type Decoded, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import type { ProgramFile } from "@vedette/pipeline";
import { compileRules, parseRules, type SigmaRule } from "@vedette/sigma";
import { pipelines } from "./files.ts";
import { Locator } from "./locate.ts";
import type { Outcome } from "./report.ts";
import { type Case, caseSchema } from "./schema.ts";

/** A fixed moment, so that cases give the same result on every day. */
const received = 1_790_000_000_000_000;

/** Runs every case of one rule file; a rule without a positive and a negative case fails. */
export async function testFile({ file, text }: ProgramFile): Promise<Outcome[]> {
  const { rules, refused } = parseRules(text, file);
  const outcomes: Outcome[] = refused.map((r) => ({
    file,
    line: r.line,
    column: r.column,
    rule: r.title,
    check: "refused",
    name: "loads",
    ok: false,
    level: "error",
    message: r.message,
  }));
  const locator = new Locator(text);
  for (const rule of rules) outcomes.push(...(await testRule(rule, locator)));
  return outcomes;
}

async function testRule(rule: SigmaRule, locator: Locator): Promise<Outcome[]> {
  const cases = casesOf(rule, locator);
  const outcomes: Outcome[] = [...cases.flaws];
  for (const wanted of ["match", "none"] as const) {
    if (cases.valid.some(({ one }) => one.expect === wanted) || cases.flaws.length > 0) continue;
    const place = locator.find(rule.line, "vedette", "tests");
    const name = `has a case that expects ${wanted}`;
    outcomes.push(outcome(rule, place, "no-cases", name, "add one under vedette.tests"));
  }
  for (const { one, place } of cases.valid) outcomes.push(outcome(rule, place, "case", one.name, await runCase(rule, one)));
  return outcomes;
}

/** The well-formed cases of a rule with their places, and what is wrong with the others. */
export function casesOf(
  rule: SigmaRule,
  locator: Locator,
): { valid: { readonly one: Case; readonly place: { line: number; column: number } }[]; flaws: Outcome[] } {
  const tests = rule.vedette?.tests ?? [];
  const valid: { one: Case; place: { line: number; column: number } }[] = [];
  const flaws: Outcome[] = [];
  const flaw = (place: { line: number; column: number }, message: string) =>
    flaws.push(outcome(rule, place, "bad-case", "cases are well formed", message));
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

function outcome(
  rule: SigmaRule,
  place: { readonly line: number; readonly column: number },
  check: string,
  name: string,
  message: string,
): Outcome {
  return { file: rule.file, ...place, rule: rule.title, check, name, ok: message === "", level: "error", message };
}

/** Why the case fails; "" when it holds. */
async function runCase(rule: SigmaRule, one: Case): Promise<string> {
  const set = compileRules([rule], { pipelines: pipelines() });
  const [refusal] = set.refused;
  if (refusal) return refusal.message;
  const events = await eventsOf(one);
  if (typeof events === "string") return events;
  const hits = events.filter((event) => {
    const matched: number[] = [];
    set.match(event, matched);
    return matched.length > 0;
  }).length;
  if (one.expect === "match") return hits > 0 ? "" : `expected a match; none of ${events.length} events matched`;
  return hits === 0 ? "" : `expected none; ${hits} of ${events.length} events matched`;
}

async function eventsOf(one: Case): Promise<{ fields: Fields; original: string }[] | string> {
  if (one.events) return one.events.map((e) => ({ fields: Object.assign(newFields(), e) as Fields, original: "" }));
  const spec = (await formats()).get(one.format ?? "");
  if (!spec) return `unknown format "${one.format}"; known: ${[...(await formats()).keys()].sort().join(", ")}`;
  const decode = spec.decoder(spec.config.parse({}));
  const found: { fields: Fields; original: string }[] = [];
  const stream = one.stream ?? "test";
  for (const line of one.raw!.split("\n").filter((l) => l.trim() !== "")) {
    const result = decode(line, { preamble: one.preamble, received, peer: undefined, source: "test", stream });
    if (Array.isArray(result)) found.push(...(result as Decoded[]).map((d) => ({ fields: d.fields, original: line })));
    else if ("fields" in result) found.push({ fields: result.fields, original: line });
    else if ("code" in result) return `line does not decode as ${one.format}: ${result.code}, expected ${result.expected}`;
  }
  return found;
}
