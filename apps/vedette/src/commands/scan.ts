/** `vedette scan`: the same passes over files, with nothing stored and no server. Whatever was not looked at is said. */
import { ConfigError } from "@vedette/kit";
import { type Severity, severities } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { type Compiled, compileProgram, makeProgram, parseFiles, readKeptRules } from "@vedette/pipeline";
import { formatRefusal, type Refusal } from "@vedette/sigma";
import { isDetectorCases, placeholdersOf, type SiteOptions } from "../config/site.ts";
import { bundledPipelines, bundledRules, namedRules } from "../content.ts";
import { counted, formOf, safe } from "../output.ts";
import { Progress } from "../progress.ts";
import { findInputs } from "../scan/inputs.ts";
import { Judge, type Judged } from "../scan/judge.ts";
import { keptRulesFile } from "../scan/kept_rules.ts";
import { readRecords } from "../scan/records.ts";
import { Rows } from "../scan/rows.ts";

interface Options extends SiteOptions {
  readonly rules?: readonly string[];
  readonly format?: string;
  readonly level?: Severity;
  readonly output?: string;
  readonly json?: boolean;
}

const say = (text: string) => process.stderr.write(`${safe(text)}\n`);

export async function scan(paths: readonly string[], options: Options): Promise<void> {
  const known = await formats();
  if (options.format !== undefined && !known.has(options.format))
    throw new ConfigError("config_invalid", `--format ${options.format}: known formats are ${[...known.keys()].sort().join(", ")}`);
  const { files, skipped } = findInputs(paths.filter((p) => p !== "-"));
  for (const { path, reason } of skipped) say(`${path}: skipped: ${reason}`);
  const inputs = [...(paths.includes("-") ? [{ path: "-", bytes: 0 }] : []), ...files];
  const ruleFile = keptRulesFile(options.rules ?? []);
  const compiled = await compile(options, ruleFile);
  const expected = files.reduce((n, f) => n + f.bytes, 0);
  const judge = new Judge(compiled, known, { ruleFile, expected });
  const rows = new Rows(formOf(options));
  const least = severities.indexOf(options.level ?? "informational");
  const totals = new Totals();
  const progress = new Progress(expected);
  let before = 0;
  let found = 0;
  const show = (finding: Parameters<Rows["add"]>[0]) => {
    if (severities.indexOf(finding.severity) < least) return void totals.below++;
    progress.clear();
    found++;
    rows.add(finding);
  };
  for (const { path, bytes } of inputs) {
    let read = 0;
    const warn = (file: string, code: string, message: string) => {
      progress.clear();
      say(`${file}: ${code}: ${message}`);
    };
    const start = before;
    const records = await readRecords(path, { formats: known, format: options.format, warn }, (piece) =>
      judge.take(piece, (judged) => {
        totals.add(piece.format, piece.records.length, judged);
        for (const finding of judged.findings) show(finding);
        for (const r of piece.records) read += r.body.length + 1;
        progress.at(start + Math.min(read, bytes), `${counted(totals.records, "record")}, ${counted(found, "finding")}`);
      }),
    );
    if (records === 0) say(`${path}: no records`);
    before += bytes;
  }
  for (const finding of await judge.end()) show(finding);
  await judge.close();
  progress.clear();
  const rules = rows.end();
  for (const { title, level, count, about, groups } of rules) {
    const more = groups > about.length ? ` and ${groups - about.length} more` : "";
    say(`${String(count).padStart(7)} × ${level.padEnd(13)} ${title}${about.length > 0 ? `: ${about.join(", ")}${more}` : ""}`);
  }
  if (judge.parts > 0) say(`so much was found to correlate that it was put together in ${judge.parts + 1} parts; scan fewer files at once`);
  const inForce = compiled.rules.rules.length + compiled.correlations.detectors.length;
  say(totals.text(inForce, found, inputs.length, skipped.length));
  // what nobody could look at is no proof that nothing is there
  if (found > 0 || skipped.some(({ unread }) => unread)) process.exitCode = 1;
}

async function compile({ rules: folders, ...site }: Options, ruleFile: string | undefined): Promise<Compiled> {
  const rules = folders ? namedRules(folders).filter((file) => !isDetectorCases(file)) : bundledRules();
  const placeholders = placeholdersOf(site);
  // whose a record is it tells itself: without that no finding would name a job or a container
  const enrich = { container: {}, job: {} };
  // all is put in the order of time before it is folded: nothing comes late
  const program = makeProgram({ rules, pipelines: bundledPipelines(), detectors: {}, enrich, lateness_s: 0, placeholders }, 0);
  if (ruleFile !== undefined) readKeptRules(ruleFile);
  const compiled = await compileProgram(program);
  tellRefused([...parseFiles(program.rules, program.placeholders).flatMap((p) => p.refused), ...compiled.refused]);
  if (compiled.rules.rules.length + compiled.correlations.detectors.length === 0)
    throw new ConfigError("rule_invalid", `none of ${counted(rules.length, "rule file")} is of use: nothing would ever match`);
  return compiled;
}

/** A foreign collection's refusals are many of a few kinds: each kind once, with the rules' names. */
const maxNamed = 20;

function tellRefused(refused: readonly Refusal[]): void {
  if (refused.length <= maxNamed) {
    for (const r of refused) say(`refused: ${formatRefusal(r)}`);
    return;
  }
  const kinds = new Map<string, Refusal[]>();
  for (const r of refused) {
    const kind = kinds.get(r.construct) ?? [];
    kind.push(r);
    kinds.set(r.construct, kind);
  }
  for (const [construct, of] of [...kinds].sort((a, b) => b[1].length - a[1].length))
    say(`refused: ${construct}: ${of.length} rules: ${of.map((r) => r.title).join("; ")}`);
  say(`${refused.length} rules refused; vedette rule lint says where and why`);
}

/** What went in and what became of it. */
class Totals {
  records = 0;
  below = 0;
  #events = 0;
  #dead = new Map<string, number>();
  #dropped = 0;
  #unread = 0;

  add(format: string, records: number, judged: Judged): void {
    this.records += records;
    this.#events += judged.events;
    if (format === "text") this.#unread += records;
    for (const { code } of judged.dead) this.#dead.set(code, (this.#dead.get(code) ?? 0) + 1);
    for (const count of Object.values(judged.dropped)) this.#dropped += count;
  }

  text(rules: number, found: number, files: number, skipped: number): string {
    const dead = [...this.#dead.values()].reduce((a, b) => a + b, 0);
    const reasons = dead > 0 ? ` (${[...this.#dead].map(([code, n]) => `${code} ${n}`).join(", ")})` : "";
    const more = [
      this.#dropped > 0 ? `${this.#dropped} comments and blank lines` : "",
      this.#unread > 0 ? `${this.#unread} of no known format, searched as text only` : "",
      this.below > 0 ? `${counted(this.below, "finding")} below the level asked for` : "",
      skipped > 0 ? `${counted(skipped, "file")} skipped` : "",
    ].filter((t) => t !== "");
    return `${counted(this.records, "record")} of ${counted(files, "file")}, ${dead} could not be decoded${reasons}, ${found === 1 ? "1 match" : `${found} matches`} of ${counted(rules, "rule")}${more.map((m) => `, ${m}`).join("")}`;
  }
}
