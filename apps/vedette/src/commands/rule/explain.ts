/**
 * `vedette rule explain`: what a rule asks for, and, given an event, clause by clause what held and the first that did not. Correlations are
 * explained over all events of a file, see explain_correlation.ts.
 */
import { existsSync } from "node:fs";
import { closest } from "@vedette/condition";
import { ConfigError, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import {
  type Clause,
  type Correlation,
  firstFailure,
  formatRefusal,
  type Header,
  mapFields,
  type Pipeline,
  type RuleSet,
  type SigmaCorrelation,
  type SigmaRule,
} from "@vedette/sigma";
import { connect, type ServerOptions } from "../../client.ts";
import { type SiteOptions, siteOf } from "../../config/site.ts";
import { yamlFiles } from "../../content.ts";
import { bold, safe } from "../../output.ts";
import { EventReader } from "../../scan/events.ts";
import { readRecords } from "../../scan/records.ts";
import { Collection } from "./collection.ts";
import { wordsOf } from "./coverage.ts";
import { explainSeries, wantedBy } from "./explain_correlation.ts";
import { pipelines, ruleFiles } from "./files.ts";

interface Options extends ServerOptions, SiteOptions {
  readonly rules?: readonly string[];
  readonly eventId?: string;
  readonly record?: string;
  readonly format?: string;
  readonly json?: boolean;
}

/** An event and where it came from. */
interface Placed {
  readonly place: string;
  readonly fields: Fields;
  readonly original: string;
}

const out = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

export async function explain(wanted: string, path: string | undefined, options: Options): Promise<void> {
  if (options.record !== undefined && !/^[1-9]\d*$/.test(options.record))
    throw new ConfigError("config_invalid", `--record ${options.record}: expected the number of a record in the file, from 1`);
  const { collection, document } = find(wanted, options);
  if ("condition" in document) return explainRule(collection.set, collection.numberOf(document)!, path, options);
  const correlation = collection.linkedOf(document)!;
  if (options.eventId !== undefined || options.record !== undefined)
    throw new ConfigError(
      "config_invalid",
      `${document.title} is a correlation: it is about several events, name a file that holds them without --record and --event-id`,
    );
  if (path !== undefined) return explainSeries(collection, correlation, path, options);
  if (options.json) out(safe(JSON.stringify({ ...document, takes: correlation.takes, fields: correlation.fields })));
  else describeSeries(collection, correlation);
}

async function explainRule(set: RuleSet, number: number, path: string | undefined, options: Options): Promise<void> {
  const event =
    options.eventId !== undefined
      ? await stored(options.eventId, options)
      : path === undefined
        ? undefined
        : await choose(path, set, number, options);
  if (event === undefined) {
    if (options.json) out(safe(JSON.stringify(described(set, number))));
    else describe(set, number);
    return;
  }
  const clause = set.trace(number, event);
  const rule = set.rules[number]!;
  if (options.json) {
    const failure = firstFailure(clause).at(-1);
    out(
      safe(
        JSON.stringify({
          "rule.id": rule.id,
          "rule.title": rule.title,
          event: event.place,
          matches: clause.holds,
          clause,
          ...(failure ? { failure } : {}),
        }),
      ),
    );
  } else {
    out(`${bold(clause.holds ? "MATCH" : "NO MATCH")}  ${safe(rule.title)} (${rule.file}:${rule.line})  on ${safe(event.place)}`);
    out(safe(event.original.slice(0, 500)));
    for (const line of linesOf(clause)) out(line);
    const last = firstFailure(clause).at(-1);
    if (last) out(`First clause that fails: ${safe(blame(last))}`);
  }
  // as with a search that finds nothing: the rule does not hold
  if (!clause.holds) process.exitCode = 1;
}

interface Found {
  readonly collection: Collection;
  readonly document: SigmaRule | SigmaCorrelation;
}

/** A rule or correlation by file, id or title; of a file the one that raises findings. */
function find(wanted: string, options: Options): Found {
  const isFile = /\.ya?ml$/.test(wanted) && existsSync(wanted);
  const own = isFile ? yamlFiles(wanted) : [];
  const more = isFile && options.rules === undefined ? [] : ruleFiles(options.rules ?? []).filter(({ file }) => file !== own[0]?.file);
  const collection = new Collection([...own, ...more], siteOf(options));
  const named = (r: { readonly file: string; readonly id?: string; readonly title: string }) =>
    isFile ? r.file === own[0]!.file : r.id === wanted || r.title.toLowerCase() === wanted.toLowerCase();
  const { correlations, rules, linked } = collection;
  const found = [...correlations, ...rules].filter((one) => named(one) && collection.holds(one));
  const document = found.find(({ id }) => !linked.silent.has(id)) ?? found[0];
  if (document !== undefined) return { collection, document };
  const refused = collection.refused.filter(named);
  if (refused.length > 0) throw new ConfigError("rule_invalid", refused.map(formatRefusal).join("\n"));
  if (isFile) throw new ConfigError("rule_invalid", `${wanted}: no rule in it`);
  const near = closest(
    wanted,
    [...correlations, ...rules].map(({ title }) => title),
  );
  throw new ConfigError(
    "rule_invalid",
    `no rule has the file, id or title "${wanted}"${near === undefined ? "" : `; did you mean "${near}"?`} (--rules names a folder other than the bundled rules)`,
  );
}

async function stored(id: string, options: ServerOptions): Promise<Placed> {
  const event = await connect(options).get("/events/{id}", { path: { id } });
  return { place: `event ${id}`, fields: event.fields, original: event.original };
}

/** Of a file's events the asked for; else the first that matches, else the first of the rule's logsource, else the first. */
async function choose(path: string, set: RuleSet, number: number, options: Options): Promise<Placed> {
  const known = await formats();
  if (path !== "-" && !existsSync(path)) throw new ConfigError("config_invalid", `${path}: no such file`);
  const reader = new EventReader(known);
  const best: { rank: number; event?: Placed } = { rank: 0 };
  const wanted = options.record === undefined ? undefined : Number(options.record);
  let records = 0;
  const warn = (file: string, code: string, message: string) => process.stderr.write(`${safe(`${file}: ${code}: ${message}`)}\n`);
  await readRecords(path, { formats: known, format: options.format, warn }, (piece) => {
    records += piece.records.length;
    if (best.rank === 3) return;
    for (const { file, record, format, fields, original } of reader.events(piece)) {
      if (wanted !== undefined && record !== wanted) continue;
      const event = { place: `${file}:${record} (${format})`, fields: Object.assign(newFields(), fields) as Fields, original };
      const rank = wanted !== undefined || set.test(number, event) ? 3 : set.rulesIn(set.bucketOf(event)).includes(number) ? 2 : 1;
      if (rank > best.rank) Object.assign(best, { rank, event });
    }
  });
  if (best.event === undefined)
    throw new ConfigError(
      "config_invalid",
      `${path}: ${wanted === undefined ? "holds no event" : `has no event ${wanted}`} (${records} records, ${reader.undecoded} could not be decoded)`,
    );
  return best.event;
}

function described(set: RuleSet, number: number) {
  const usable = pipelines().filter((p): p is Pipeline => !("construct" in p));
  const rule = set.rules[number]!;
  return { ...rule, mapped: set.conditionOf(number), fields: Object.fromEntries(mapFields(rule, usable)) };
}

function describe(set: RuleSet, number: number): void {
  const rule = set.rules[number]!;
  const { fields } = described(set, number);
  heading(rule, `; ${wordsOf(rule.logsource)}`);
  for (const line of linesOf(set.trace(number, { fields: {} }), false)) out(line);
  for (const [written, targets] of Object.entries(fields))
    if (targets.length !== 1 || targets[0] !== written) out(safe(`  ${written} is ${targets.join(" or ") || "left out"}`));
  notes(rule);
}

function describeSeries({ set, linked }: Collection, { rule, takes, groups }: Correlation): void {
  heading(rule, "");
  out(safe(`  ${wantedBy(rule)}`));
  const titles = new Map([...set.rules, ...linked.correlations.map((one) => one.rule)].map((one) => [one.id, one]));
  for (const [i, id] of takes.entries()) out(safe(`  - ${rule.rules[i]!.to}: ${titles.get(id)?.title ?? id} (${id})`));
  for (const [i, written] of rule.groupBy.entries()) if (groups[i] !== written) out(safe(`  ${written} is ${groups[i]}`));
  notes(rule);
}

function heading(rule: Header, more: string): void {
  out(`${bold(safe(rule.title))} (${rule.file}:${rule.line})`);
  out(safe(`${rule.level}, ${rule.status ?? "no status"}, ${rule.attack.join(" ") || "no technique"}${more}`));
  if (rule.description !== "") out(safe(rule.description.trim()));
}

function notes(rule: Header): void {
  if (rule.falsepositives.length > 0) out(safe(`False positives: ${rule.falsepositives.join("; ")}`));
  const response = rule.vedette?.response;
  if (response !== undefined) out(safe(`Response: ${Array.isArray(response) ? response.join("; ") : String(response)}`));
}

/** The clauses, one a line, indented by depth. `met` tells what an event had to say. */
function linesOf(clause: Clause, met = true, depth = 1, not = ""): string[] {
  const mark = met ? `${clause.holds === (not === "") ? "✓" : "✗"} ` : "- ";
  const indent = "  ".repeat(depth);
  const name = clause.name === undefined ? "" : `${clause.name}: `;
  if (clause.op === "not") return linesOf(clause.of[0]!, met, depth, not === "" ? "not " : "");
  if (clause.op === "compare") {
    const field = clause.field === "" ? "any field" : clause.field;
    const value =
      clause.value === "" ? "absent" : JSON.stringify(clause.value!.length > 200 ? `${clause.value!.slice(0, 199)}…` : clause.value);
    return [safe(`${indent}${mark}${not}${name}${field} ${clause.comparison}${met ? `  —  ${value}` : ""}`)];
  }
  const head = `${indent}${mark}${not}${name}${clause.op === "and" ? "all of" : "one of"}`;
  const more = clause.more === undefined ? [] : [`${indent}    … and ${clause.more} more`];
  return [safe(head), ...clause.of.flatMap((c) => linesOf(c, met, depth + 1)), ...more];
}

function blame(clause: Clause): string {
  if (clause.op === "compare")
    return `${clause.name === undefined ? "" : `${clause.name}: `}${clause.field === "" ? "any field" : clause.field} ${clause.comparison}, and it is ${clause.value === "" ? "absent" : JSON.stringify(clause.value!.slice(0, 200))}`;
  const name = clause.name ?? clause.of.find((c) => c.name !== undefined)?.name;
  if (clause.op === "not") return `${name ?? "an exception"} holds, and the condition says it must not`;
  const met = clause.of.find((c) => c.op === "compare" && c.value !== "");
  return `${name ?? "the list"}: none of its ${clause.of.length + (clause.more ?? 0)} alternatives holds${met ? ` (${met.field} is ${JSON.stringify(met.value!.slice(0, 200))})` : ""}`;
}
