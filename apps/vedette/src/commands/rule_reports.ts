/** Reports of rule checks that other programs read: JUnit XML and SARIF 2.1.0. */
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

export function junit(outcomes: readonly Outcome[]): string {
  const cases = outcomes.map((o) => {
    const head = `  <testcase classname="${xml(o.rule)}" name="${xml(o.name)}" file="${xml(o.file)}" line="${o.line}"`;
    return o.ok ? `${head}/>` : `${head}><failure message="${xml(o.message)}"/></testcase>`;
  });
  const failures = outcomes.filter((o) => !o.ok).length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name="vedette rules" tests="${outcomes.length}" failures="${failures}">\n${cases.join("\n")}\n</testsuite>\n`;
}

export function sarif(outcomes: readonly Outcome[]): string {
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
