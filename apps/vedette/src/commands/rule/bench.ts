/** `vedette rule bench`: what rules cost over given files: events a second for the whole set, and which rules are the slowest. */

import { ConfigError } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { type Correlation, type CorrelationFinding, Correlator, type RuleSet } from "@vedette/sigma";
import { type SiteOptions, siteOf } from "../../config/site.ts";
import { formOf, printRows, safe } from "../../output.ts";
import { Progress } from "../../progress.ts";
import { EventReader, type ReadEvent } from "../../scan/events.ts";
import { findInputs } from "../../scan/inputs.ts";
import { readRecords } from "../../scan/records.ts";
import { Collection } from "./collection.ts";
import { pipelines, ruleFiles } from "./files.ts";

interface Options extends SiteOptions {
  readonly rules?: readonly string[];
  readonly events: string;
  readonly top: string;
  readonly output?: string;
  readonly json?: boolean;
}

const say = (text: string) => process.stderr.write(`${safe(text)}\n`);
/** Events of each kind on which rules are timed one by one: the clock is read per rule and kind, not per event. */
const perKind = 500;

export async function bench(paths: readonly string[], options: Options): Promise<void> {
  const most = Number(options.events);
  if (!Number.isInteger(most) || most < 1) throw new ConfigError("config_invalid", `--events ${options.events}: expected a number from 1`);
  if (!Number.isInteger(Number(options.top)) || Number(options.top) < 1)
    throw new ConfigError("config_invalid", `--top ${options.top}: expected a number from 1`);
  pipelines();
  const load = process.cpuUsage();
  const collection = new Collection(ruleFiles(options.rules ?? []), siteOf(options));
  const { set } = collection;
  const load_s = seconds(process.cpuUsage(load));
  const events = await read(paths, most);
  if (events.length === 0) throw new ConfigError("config_invalid", "the files hold no event");
  const pass = (): number => {
    const matched: number[] = [];
    const start = process.cpuUsage();
    for (const event of events) set.match(event, matched);
    return seconds(process.cpuUsage(start));
  };
  const cold_s = pass();
  const matches = set.counts();
  const costs = set.costs();
  const warm_s = pass();
  const rows = oneByOne(set, events).map(({ rule, ns }) => {
    const { title, id, file } = set.rules[rule]!;
    const { evaluated } = costs[rule]!;
    const { seen: asked, matched } = matches[rule]!;
    const ns_per_event = Math.round((ns * evaluated) / events.length);
    return { ns_per_event, ns_per_evaluation: Math.round(ns), asked, evaluated, matched, "rule.title": title, "rule.id": id, file };
  });
  const correlated = correlations(collection, events);
  rows.push(...correlated);
  rows.sort((a, b) => b.ns_per_event - a.ns_per_event || b.ns_per_evaluation - a.ns_per_evaluation);
  const form = formOf(options);
  printRows(
    rows.slice(0, form === "table" ? Number(options.top) : rows.length),
    ["ns_per_event", "ns_per_evaluation", "asked", "evaluated", "matched", "rule.title", "file"],
    form,
  );
  const rate = (s: number) => Math.round(events.length / s).toLocaleString("en");
  say(
    `${set.rules.length} rules${correlated.length > 0 ? ` and ${correlated.length} correlations` : ""} loaded in ${load_s.toFixed(2)} CPU s; ${events.length} events: ${rate(cold_s)} a CPU second the first time, ${rate(warm_s)} when repeated (matching alone)`,
  );
}

const seconds = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6;

/** Each rule alone, by plain evaluation, on the events that it is asked about: what it would cost if nothing kept it from being asked. */
function oneByOne(set: RuleSet, events: readonly ReadEvent[]): { readonly rule: number; readonly ns: number }[] {
  const kinds = new Map<number, ReadEvent[]>();
  for (const event of events) {
    const kind = set.bucketOf(event);
    const some = kinds.get(kind) ?? [];
    if (some.length < perKind) some.push(event);
    kinds.set(kind, some);
  }
  const ns = new Float64Array(set.rules.length);
  const timed = new Float64Array(set.rules.length);
  const progress = new Progress(kinds.size);
  for (const [i, [kind, some]] of [...kinds].entries()) {
    progress.at(i, "rules one by one");
    for (const rule of set.rulesIn(kind)) {
      // the first time compiles the rule's patterns
      for (const event of some) set.test(rule, event);
      const start = process.hrtime.bigint();
      for (const event of some) set.test(rule, event);
      ns[rule]! += Number(process.hrtime.bigint() - start);
      timed[rule]! += some.length;
    }
  }
  progress.clear();
  return [...ns].flatMap((total, rule) => (timed[rule]! > 0 ? [{ rule, ns: total / timed[rule]! }] : []));
}

/** What a correlation's fold costs, on top of the rules that it takes: by the events that those match, in the order of time. */
function correlations({ set, linked }: Collection, events: readonly ReadEvent[]) {
  if (linked.correlations.length === 0) return [];
  const matched: number[] = [];
  const told = events.flatMap((event, n) => {
    if (set.match(event, matched) === 0) return [];
    const ids = matched.map((rule) => set.rules[rule]!.id).filter((id) => linked.taking(id).length > 0);
    return ids.length === 0 ? [] : [{ id: String(n), time: event.time ?? 0, fields: event.fields, ids }];
  });
  told.sort((a, b) => a.time - b.time);
  return linked.correlations.map((one) => {
    const chain = chainOf(one, linked.correlations);
    const taken = told.filter(({ ids }) => ids.some((id) => [...chain].some(({ takes }) => takes.includes(id))));
    const alone = { ...linked, taking: (id: string) => linked.taking(id).filter((other) => chain.has(other)) };
    const run = () => {
      const correlator = new Correlator(alone);
      const episodes = new Set<string>();
      const count = (found: readonly CorrelationFinding[]) => {
        for (const { correlation, key, start } of found) if (correlation === one) episodes.add(`${key}\0${start}`);
      };
      for (const { ids, ...event } of taken) count(correlator.add(event, ids));
      count(correlator.finish());
      return episodes.size;
    };
    run();
    const start = process.hrtime.bigint();
    const found = run();
    const ns = Number(process.hrtime.bigint() - start);
    return {
      ns_per_event: taken.length === 0 ? 0 : Math.round(ns / events.length),
      ns_per_evaluation: taken.length === 0 ? 0 : Math.round(ns / taken.length),
      asked: taken.length,
      evaluated: taken.length,
      matched: found,
      "rule.title": one.rule.title,
      "rule.id": one.rule.id,
      file: one.rule.file,
    };
  });
}

/** A correlation and the correlations that it takes. */
function chainOf(one: Correlation, all: readonly Correlation[]): ReadonlySet<Correlation> {
  const chain = new Set([one]);
  // a set takes what is added while it is gone through
  for (const { takes } of chain) for (const other of all) if (takes.includes(other.rule.id)) chain.add(other);
  return chain;
}

async function read(paths: readonly string[], most: number): Promise<ReadEvent[]> {
  const known = await formats();
  const { files, skipped } = findInputs(paths);
  for (const { path, reason } of skipped) say(`${path}: skipped: ${reason}`);
  const reader = new EventReader(known);
  const events: ReadEvent[] = [];
  let more = 0;
  for (const { path } of files) {
    await readRecords(path, { formats: known, warn: (file, code, message) => say(`${file}: ${code}: ${message}`) }, (piece) => {
      if (events.length >= most) more += piece.records.length;
      else for (const event of reader.events(piece)) events.push(event);
    });
  }
  if (more > 0) say(`${more} records beyond the first ${events.length} are left out (--events)`);
  return events;
}
