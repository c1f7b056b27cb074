/** The program that `bench sigma` times: Sigma rules over a file of JSON lines, matches with their fields written; the library and nothing else. */
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { RuleCache, type RuleSet } from "@vedette/sigma";
import { linesOf } from "./lines.ts";

export interface Order {
  readonly rules: readonly string[];
  readonly pipelines: readonly string[];
  readonly partitionFields: readonly string[];
  readonly events: readonly string[];
  readonly matches: string;
  /** Where compiled rules are kept between runs. */
  readonly cache?: string;
  /** A file to read and parse at last, without rules. */
  readonly floor?: string;
}
interface Pass {
  readonly events: number;
  readonly bytes: number;
  readonly cpu_s: number;
}
/** What one run of this program reports. */
export interface Report {
  readonly rules: number;
  /** From the rules' files, or from the cache where it is there, until events can be taken. */
  readonly load_cpu_s: number;
  readonly load_wall_s: number;
  readonly passes: readonly Pass[];
  readonly floor?: Pass;
  readonly matched: { readonly [rule: string]: number };
  readonly peak_mb: number;
}

const cpu_s = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

function load({ rules, pipelines, partitionFields, cache: file }: Order): { readonly set: RuleSet; readonly cache: RuleCache } {
  const cache = new RuleCache(file !== undefined && existsSync(file) ? readFileSync(file) : undefined);
  const parsed = rules.flatMap((name) => {
    const { size, mtimeMs, ctimeMs, ino } = statSync(name);
    return cache.parseFile(name, `${size} ${mtimeMs} ${ctimeMs} ${ino}`, () => readFileSync(name, "utf8")).rules;
  });
  const set = cache.compileRules(parsed, {
    pipelines: pipelines.map((name) => cache.parsePipeline(readFileSync(name, "utf8"), name)),
    partitionFields,
  });
  return { set, cache };
}

/** For the next start; events need not wait for it. */
function keep({ cache: file }: Order, cache: RuleCache): void {
  const bytes = file === undefined ? undefined : cache.changed();
  if (file !== undefined && bytes !== undefined) writeFileSync(file, bytes);
}

/** One pass over a file. Without rules it only parses. */
function pass(file: string, set: RuleSet | undefined, write: (text: string) => void): Pass {
  const before = cpu_s();
  let events = 0;
  let bytes = 0;
  const out: number[] = [];
  for (const line of linesOf(file)) {
    bytes += line.length + 1;
    const event = { fields: JSON.parse(line.toString("utf8")) };
    events++;
    if (set === undefined || set.match(event, out) === 0) continue;
    for (const rule of out) {
      const { id, title, level } = set.rules[rule]!;
      const fields = set.explain(rule, event).map(({ clause, field, value }) => ({ clause, field, value }));
      write(`${JSON.stringify({ "rule.id": id, "rule.title": title, "rule.level": level, record: events, fields })}\n`);
    }
  }
  return { events, bytes, cpu_s: cpu_s() - before };
}

const order = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as Order;
const begun = cpu_s();
const begunAt = performance.now();
const { set, cache } = load(order);
const load_cpu_s = cpu_s() - begun;
const load_wall_s = (performance.now() - begunAt) / 1_000;
keep(order, cache);
const matches = openSync(order.matches, "w");
const passes = order.events.map((file) => pass(file, set, (text) => void writeSync(matches, text)));
closeSync(matches);
const matched = Object.fromEntries(set.counts().flatMap(({ matched }, rule) => (matched === 0 ? [] : [[set.rules[rule]!.id, matched]])));
const peak_mb = process.resourceUsage().maxRSS / 1e3;
const floor = order.floor === undefined ? undefined : pass(order.floor, undefined, () => {});
const report: Report = { rules: set.rules.length, load_cpu_s, load_wall_s, passes, ...(floor && { floor }), matched, peak_mb };
writeFileSync(process.argv[3]!, JSON.stringify(report));
