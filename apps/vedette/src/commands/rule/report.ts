/** Reports of rule checks: for people, as JSON, and for other programs as JUnit XML and SARIF 2.1.0. Knows no rule. */
import { jsonText } from "@vedette/kit";
import { bold, safe } from "../../output.ts";

export interface ReportOptions {
  readonly output?: string;
  readonly json?: boolean;
  /** Warnings count as failures. */
  readonly strict?: boolean;
}

/** What one check of one rule came to. */
export interface Outcome {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Title of the rule. */
  readonly rule: string;
  /** Stable name of the check, for those who filter by it: `case`, `unknown-field`. */
  readonly check: string;
  /** The case's name; otherwise what was checked, in words. */
  readonly name: string;
  readonly ok: boolean;
  /** Of what is not ok: an error fails, a warning only with `--strict`. */
  readonly level: "error" | "warning";
  readonly message: string;
}

/** So many lines of one kind of warning are read; of more, the rest is counted. */
const maxShown = 20;

/** Prints what came out; a failure is exit code 1. */
export function report(outcomes: readonly Outcome[], options: ReportOptions, what: string): void {
  const fails = (o: Outcome) => !o.ok && (o.level === "error" || options.strict === true);
  const failed = outcomes.filter(fails);
  const form = options.json ? "json" : (options.output ?? "table");
  if (form === "json") process.stdout.write(`${jsonText(outcomes, 2)}\n`);
  else if (form === "junit") process.stdout.write(junit(outcomes, fails));
  else if (form === "sarif") process.stdout.write(sarif(outcomes));
  else table(outcomes, fails);
  const warned = outcomes.filter((o) => !o.ok && !fails(o)).length;
  const fine = outcomes.filter((o) => o.ok).length;
  process.stderr.write(
    `${fine} of ${outcomes.length - warned} ${what} fine${failed.length > 0 ? `, ${failed.length} failed` : ""}${warned > 0 ? `, ${warned} warnings` : ""}\n`,
  );
  if (failed.length > 0) process.exitCode = 1;
}

function table(outcomes: readonly Outcome[], fails: (o: Outcome) => boolean): void {
  const kinds = new Map<string, Outcome[]>();
  for (const o of outcomes) {
    if (o.ok) continue;
    if (fails(o)) {
      process.stdout.write(`${bold("FAIL")} ${lineOf(o)}\n`);
      continue;
    }
    const kind = kinds.get(o.check) ?? [];
    kind.push(o);
    kinds.set(o.check, kind);
  }
  for (const [check, kind] of kinds) {
    for (const o of kind.slice(0, maxShown)) process.stdout.write(`${bold("WARN")} ${lineOf(o)}\n`);
    if (kind.length > maxShown) process.stdout.write(`${bold("WARN")} ${check}: ${kind.length - maxShown} more; -o json lists them all\n`);
  }
}

const lineOf = (o: Outcome): string => safe(`${o.file}:${o.line}:${o.column} ${o.rule}: ${o.name}: ${o.message}`);

const xml = (text: string): string =>
  text.replace(
    /[<>&"'\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g,
    (c) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;" })[c] ?? "?",
  );

function junit(outcomes: readonly Outcome[], fails: (o: Outcome) => boolean): string {
  const cases = outcomes.map((o) => {
    const head = `  <testcase classname="${xml(o.rule)}" name="${xml(o.name)}" file="${xml(o.file)}" line="${o.line}"`;
    if (o.ok) return `${head}/>`;
    return fails(o)
      ? `${head}><failure message="${xml(o.message)}"/></testcase>`
      : `${head}><system-out>${xml(o.message)}</system-out></testcase>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="vedette rules" tests="${outcomes.length}" failures="${outcomes.filter(fails).length}">\n${cases.join("\n")}\n</testsuite>\n`;
}

function sarif(outcomes: readonly Outcome[]): string {
  const failures = outcomes.filter((o) => !o.ok);
  const checks = [...new Set(failures.map((o) => o.check))];
  const results = failures.map((o) => ({
    ruleId: o.check,
    level: o.level,
    message: { text: `${o.rule}: ${o.name}: ${o.message}` },
    locations: [
      { physicalLocation: { artifactLocation: { uri: o.file }, region: { startLine: o.line, startColumn: Math.max(1, o.column) } } },
    ],
  }));
  const driver = { name: "vedette", rules: checks.map((id) => ({ id })) };
  return `${JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [{ tool: { driver }, results }] }, null, 2)}\n`;
}
