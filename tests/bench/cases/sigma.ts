/** The Sigma library on OTRF's Windows events with SigmaHQ's rules for Windows, one thread, beside rsigma where that is installed. */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseRules } from "@vedette/sigma";
import { temporary } from "../corpus.ts";
import { print, say } from "../harness.ts";
import { linesOf } from "../lines.ts";
import { sigmaRules, uniqueFile, windowsFile } from "../otrf.ts";
import { countsOf, findRsigma, modes, runRsigma } from "../rsigma.ts";
import type { Order, Report } from "../sigma_program.ts";

/** The program that is timed and what it imports beside the library. */
const program = ["sigma_program", "lines"];
const built = fileURLToPath(new URL("../../../packages/sigma/dist/index.js", import.meta.url));
/** The nursery that `vedette up` gives to a worker that matches (`pipeline/pool`): by default V8 lets it grow by what this program may use in all. */
const nursery = "--max-semi-space-size=8";
const pipelines = ["../../../content/pipelines/windows.yml", "../raw_windows.yml"].map((f) => fileURLToPath(new URL(f, import.meta.url)));
/** Issue 4: events per CPU second of the first pass. */
const goal = 35_000;
const warming = 20_000;

/** @param events first events of the file; all of them by default */
export async function bench(events?: number): Promise<void> {
  mkdirSync(temporary, { recursive: true });
  const directory = mkdtempSync(join(temporary, "sigma-"));
  try {
    const file = windowsFile(events);
    const rules = sigmaRules().filter((f) => parseRules(readFileSync(f, "utf8"), f).rules.some((r) => r.logsource.product === "windows"));
    const details: { [name: string]: number | string } = {};
    const run = (name: string, order: Partial<Order>): Report =>
      runProgram(directory, { rules, pipelines, partitionFields: ["Channel", "EventID"], events: [], ...order }, name);
    const cache = join(directory, "rules.cache");
    const ours = run("ours", { events: [file, file, file], cache, floor: file });
    const warm = run("cached", { cache });
    // The ordinary events first, so that what is measured is the values and not the start.
    const unique = run("unique", { events: [windowsFile(warming), uniqueFile(file)], cache });
    const rate = (pass: Report["passes"][number]) => pass.events / pass.cpu_s;
    const added = (ours.passes[1]!.cpu_s + ours.passes[2]!.cpu_s) / 2;
    Object.assign(details, {
      events: ours.passes[0]!.events,
      mb: ours.passes[0]!.bytes / 1e6,
      rules: ours.rules,
      load_cold_cpu_s: ours.load_cpu_s,
      load_cached_cpu_s: warm.load_cpu_s,
      load_cached_wall_s: warm.load_wall_s,
      first_pass: rate(ours.passes[0]!),
      added_passes: ours.passes[0]!.events / added,
      unique_values: rate(unique.passes[1]!),
      json_parse_alone: rate(ours.floor!),
      peak_mb: ours.peak_mb,
      rules_matched: Object.keys(ours.matched).length,
      matches_a_pass: sum(Object.values(ours.matched)) / 3,
    });
    const rsigma = findRsigma();
    if (rsigma === undefined) say("rsigma is not installed: left out");
    else Object.assign(details, besideRsigma(rsigma, directory, file, rules, ours, added));
    print({ name: "sigma", value: rate(ours.passes[0]!), unit: "events per CPU second, first pass", baseline: goal, details });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runProgram(directory: string, order: Omit<Order, "matches">, name: string): Report {
  const [ask, answer] = [join(directory, `${name}.order.json`), join(directory, `${name}.report.json`)];
  writeFileSync(ask, JSON.stringify({ ...order, matches: join(directory, `${name}.ndjson`) }));
  execFileSync(process.execPath, [nursery, ...programIn(directory), ask, answer], { stdio: "inherit" });
  const report = JSON.parse(readFileSync(answer, "utf8")) as Report;
  for (const [i, pass] of report.passes.entries())
    say(`  ${name} pass ${i + 1}: ${pass.cpu_s.toFixed(2)} CPU s, ${Math.round(pass.events / pass.cpu_s)} events per CPU second`);
  return report;
}

/** With the built library, where there is one, and the program as JavaScript: Node's translator of types takes a tenth of the memory. */
function programIn(directory: string): readonly string[] {
  for (const name of program) {
    const source = readFileSync(new URL(`../${name}.ts`, import.meta.url), "utf8");
    writeFileSync(join(directory, `${name}.mjs`), stripTypeScriptTypes(source).replaceAll('.ts"', '.mjs"'));
  }
  const run = join(directory, `${program[0]}.mjs`);
  if (existsSync(built)) return [run];
  say("packages/sigma/dist is missing (npm run build): running from source, start and memory figures are not those of the built library");
  return ["--conditions=source", run];
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((a, b) => a + b, 0);

function besideRsigma(rsigma: string, directory: string, file: string, rules: readonly string[], ours: Report, added: number) {
  const folder = join(directory, "rules");
  mkdirSync(folder);
  for (const [i, rule] of rules.entries()) copyFileSync(rule, join(folder, `${i}.yml`));
  const output = join(directory, "rsigma.ndjson");
  const costs = modes.map((mode) => {
    const once = runRsigma(rsigma, folder, [file], mode, output);
    const thrice = runRsigma(rsigma, folder, [file, file, file], mode, `${output}.thrice`);
    say(`  rsigma ${mode.join(" ")}: ${once.toFixed(2)} CPU s once with loading, ${((thrice - once) / 2).toFixed(2)} an added pass`);
    return { mode: mode.join(" "), once, added: (thrice - once) / 2 };
  });
  const best = costs.reduce((a, b) => (a.added < b.added ? a : b));
  const { events } = ours.passes[0]!;
  const { equal, differ, unexplained } = compare(join(directory, "ours.ndjson"), file, rules, countsOf(output));
  for (const line of [...differ, ...unexplained]) say(`  ${line}`);
  return {
    rsigma_mode: best.mode,
    rsigma_once_with_loading: events / best.once,
    rsigma_added_passes: events / best.added,
    added_passes_ours_to_rsigma: best.added / added,
    rules_equal: equal,
    rules_that_differ_by_routing: differ.length,
    rules_that_differ_otherwise: unexplained.length,
  };
}

interface Hint {
  readonly category?: string;
  readonly service?: string;
  readonly product?: string;
}

/**
 * Rule by rule. rsigma knows an event by the one category and service of its hints; our pipeline also lets Sysmon's registry events answer to
 * several categories and reads process starts of Security 4688, whose fields have other names. Where our matches on the events whose hints
 * are the rule's own logsource are as many as its own, or it has more, looking at events without a hint, the difference is the routing's.
 */
function compare(matches: string, file: string, rules: readonly string[], theirs: ReadonlyMap<string, number>) {
  const logsources = new Map(rules.flatMap((f) => parseRules(readFileSync(f, "utf8"), f).rules.map((r) => [r.id, r] as const)));
  const byRecord = new Map<number, string[]>();
  let last = 0;
  for (const line of readFileSync(matches, "utf8").split("\n")) {
    const hit = /"rule\.id":"([^"]+)".*?"record":(\d+)/.exec(line);
    // Records begin again with the second pass.
    if (hit === null || Number(hit[2]) < last) break;
    last = Number(hit[2]);
    byRecord.set(last, [...(byRecord.get(last) ?? []), hit[1]!]);
  }
  const all = new Map<string, number>();
  const visible = new Map<string, number>();
  const add = (to: Map<string, number>, id: string) => to.set(id, (to.get(id) ?? 0) + 1);
  let record = 0;
  for (const line of linesOf(file)) {
    const ids = byRecord.get(++record);
    if (ids === undefined) continue;
    const hint = JSON.parse(line.toString("utf8")) as Hint;
    for (const id of ids) {
      const wanted: Hint = logsources.get(id)!.logsource;
      add(all, id);
      const agrees = (["category", "service"] as const).every((k) => wanted[k] === undefined || wanted[k] === hint[k]);
      if (agrees) add(visible, id);
    }
  }
  const differ: string[] = [];
  const unexplained: string[] = [];
  let equal = 0;
  for (const id of new Set([...all.keys(), ...theirs.keys()])) {
    const [a, v, t] = [all.get(id) ?? 0, visible.get(id) ?? 0, theirs.get(id) ?? 0];
    const said = `${logsources.get(id)?.title}: ours ${a}, of which ${v} on events whose hints are the rule's logsource; rsigma ${t}`;
    if (a === t) equal++;
    else if (t >= v) differ.push(said);
    else unexplained.push(`not by routing: ${said}`);
  }
  return { equal, differ, unexplained };
}
