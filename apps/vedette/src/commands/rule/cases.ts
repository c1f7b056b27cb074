/** Runs the cases that a rule carries under `vedette.tests`: its events, or its raw lines through the real decoder. */
import { type Decoded, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import type { ProgramFile } from "@vedette/pipeline";
import { compileRules, parseRules, type SigmaRule } from "@vedette/sigma";
import { pipelines } from "./files.ts";
import type { Outcome } from "./report.ts";

/** One case under `vedette.tests`. */
interface Case {
  readonly name: string;
  readonly expect: "match" | "none";
  readonly events?: readonly { readonly [field: string]: Fields[string] }[];
  readonly raw?: string;
  readonly format?: string;
  readonly stream?: string;
  readonly preamble?: string;
}

/** Runs every case of one rule file; a rule without a positive and a negative case fails. */
export async function testFile({ file, text }: ProgramFile): Promise<Outcome[]> {
  const { rules, refused } = parseRules(text, file);
  const outcomes: Outcome[] = refused.map((r) => ({ file, line: r.line, rule: r.title, name: "loads", ok: false, message: r.message }));
  for (const rule of rules) {
    const cases = ((rule.vedette as { tests?: readonly Case[] } | undefined)?.tests ?? []) as readonly Case[];
    for (const wanted of ["match", "none"] as const) {
      if (!cases.some((c) => c.expect === wanted))
        outcomes.push({
          file,
          line: rule.line,
          rule: rule.title,
          name: `has a case that expects ${wanted}`,
          ok: false,
          message: "add one under vedette.tests",
        });
    }
    for (const one of cases) outcomes.push(await runCase(rule, one));
  }
  return outcomes;
}

async function runCase(rule: SigmaRule, one: Case): Promise<Outcome> {
  const base = { file: rule.file, line: rule.line, rule: rule.title, name: one.name };
  const set = compileRules([rule], { pipelines: pipelines() });
  const [refusal] = set.refused;
  if (refusal) return { ...base, ok: false, message: refusal.message };
  const events = await eventsOf(one);
  if (typeof events === "string") return { ...base, ok: false, message: events };
  const hits = events.filter((event) => {
    const matched: number[] = [];
    set.match(event, matched);
    return matched.length > 0;
  }).length;
  const ok = one.expect === "match" ? hits > 0 : hits === 0;
  return {
    ...base,
    ok,
    message: ok
      ? ""
      : one.expect === "match"
        ? `expected a match; none of ${events.length} events matched`
        : `expected none; ${hits} of ${events.length} events matched`,
  };
}

async function eventsOf(one: Case): Promise<{ fields: Fields; original: string }[] | string> {
  if (one.events) return one.events.map((e) => ({ fields: Object.assign(newFields(), e), original: "" }));
  if (one.raw === undefined) return "a case needs `events`, or `raw` and `format`";
  const spec = (await formats()).get(one.format ?? "");
  if (!spec) return `unknown format "${one.format}"`;
  const decode = spec.decoder(spec.config.parse({}));
  const found: { fields: Fields; original: string }[] = [];
  for (const line of one.raw.split("\n").filter((l) => l.trim() !== "")) {
    const result = decode(line, {
      preamble: one.preamble,
      received: 1_790_000_000_000_000,
      peer: undefined,
      source: "test",
      stream: one.stream ?? "test",
    });
    if (Array.isArray(result)) found.push(...(result as Decoded[]).map((d) => ({ fields: d.fields, original: line })));
    else if ("fields" in result) found.push({ fields: result.fields, original: line });
    else if ("code" in result) return `line does not decode as ${one.format}: ${result.code}, expected ${result.expected}`;
  }
  return found;
}
