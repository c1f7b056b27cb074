/** Reports of rule checks: for people, as JSON, and for other programs as JUnit XML and SARIF 2.1.0. */
import { bold } from "../../output.ts";

export interface ReportOptions {
  readonly output?: string;
  readonly json?: boolean;
}

/** What one check of one rule came to. */
export interface Outcome {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

const xml = (text: string): string =>
  text.replace(
    /[<>&"'\u0000-\u0008\u000b\u000c\u000e-\u001f]/g,
    (c) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;" })[c] ?? "?",
  );

function junit(outcomes: readonly Outcome[]): string {
  const cases = outcomes.map((o) => {
    const head = `  <testcase classname="${xml(o.rule)}" name="${xml(o.name)}" file="${xml(o.file)}" line="${o.line}"`;
    return o.ok ? `${head}/>` : `${head}><failure message="${xml(o.message)}"/></testcase>`;
  });
  const failures = outcomes.filter((o) => !o.ok).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="vedette rules" tests="${outcomes.length}" failures="${failures}">\n${cases.join("\n")}\n</testsuite>\n`;
}

function sarif(outcomes: readonly Outcome[]): string {
  const results = outcomes
    .filter((o) => !o.ok)
    .map((o) => ({
      ruleId: o.name,
      level: "error",
      message: { text: `${o.rule}: ${o.message}` },
      locations: [{ physicalLocation: { artifactLocation: { uri: o.file }, region: { startLine: o.line } } }],
    }));
  return `${JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [{ tool: { driver: { name: "vedette", rules: [] } }, results }] }, null, 2)}\n`;
}

/** Prints what came out; a failure is exit code 1. */
export function report(outcomes: readonly Outcome[], options: ReportOptions, what: string): void {
  const failed = outcomes.filter((o) => !o.ok);
  const form = options.json ? "json" : (options.output ?? "table");
  if (form === "json") process.stdout.write(`${JSON.stringify(outcomes, null, 2)}\n`);
  else if (form === "junit") process.stdout.write(junit(outcomes));
  else if (form === "sarif") process.stdout.write(sarif(outcomes));
  else {
    for (const o of failed) process.stdout.write(`${bold("FAIL")} ${o.file}:${o.line} ${o.rule}: ${o.name}: ${o.message}\n`);
    process.stderr.write(
      `${outcomes.length - failed.length} of ${outcomes.length} ${what} fine${failed.length > 0 ? `, ${failed.length} failed` : ""}\n`,
    );
  }
  if (failed.length > 0) process.exitCode = 1;
}
