/** `vedette rule cover`: "n of m rules can see data", and why the others cannot; over files, or over what a server has stored. */
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import { connect, type ServerOptions } from "../../client.ts";
import { type SiteOptions, siteOf } from "../../config/site.ts";
import { formOf, printRows, rangeOf, safe } from "../../output.ts";
import { Progress } from "../../progress.ts";
import { EventReader } from "../../scan/events.ts";
import { findInputs } from "../../scan/inputs.ts";
import { readRecords } from "../../scan/records.ts";
import { Collection } from "./collection.ts";
import { Coverage, type Covered } from "./coverage.ts";
import { ruleFiles } from "./files.ts";

interface Options extends ServerOptions, SiteOptions {
  readonly rules?: readonly string[];
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly output?: string;
  readonly json?: boolean;
}

const say = (text: string) => process.stderr.write(`${safe(text)}\n`);

export async function cover(paths: readonly string[], options: Options): Promise<void> {
  const collection = new Collection(ruleFiles(options.rules ?? []), siteOf(options));
  const coverage = new Coverage(collection);
  const refused = collection.refused.length;
  if (paths.length > 0) await overFiles(paths, coverage);
  else await overServer(options, coverage);
  const results = coverage.results();
  const form = formOf(options);
  const rows = results.map(({ rule, sees, events, why, missing }) => ({
    "rule.id": rule.id,
    "rule.title": rule.title,
    "rule.level": rule.level,
    sees,
    events,
    why,
    missing,
  }));
  if (form === "table") table(results);
  else printRows(rows, ["rule.id", "rule.title", "rule.level", "sees", "events", "why"], form);
  const sees = results.filter((r) => r.sees).length;
  const more = refused > 0 ? `; ${refused} more are refused (vedette rule lint)` : "";
  const line = `${sees} of ${results.length} rules can see data in ${coverage.events} events${more}`;
  if (form === "table") process.stdout.write(`${line}\n`);
  else say(line);
}

/** Rules that see nothing, by why: the reason with the most rules first. */
function table(results: readonly Covered[]): void {
  const reasons = new Map<string, string[]>();
  for (const { rule, sees, why } of results) {
    if (sees) continue;
    const rules = reasons.get(why) ?? [];
    rules.push(rule.title);
    reasons.set(why, rules);
  }
  const rows = [...reasons]
    .sort((a, b) => b[1].length - a[1].length)
    .map(([why, rules]) => ({ rules: rules.length, why, such_as: rules.slice(0, 3).join("; ") }));
  if (rows.length > 0)
    for (const r of rows) process.stdout.write(`${String(r.rules).padStart(5)}  ${safe(r.why)}\n       ${safe(r.such_as)}\n`);
}

async function overFiles(paths: readonly string[], coverage: Coverage): Promise<void> {
  const known = await formats();
  const { files, skipped } = findInputs(paths);
  for (const { path, reason } of skipped) say(`${path}: skipped: ${reason}`);
  const reader = new EventReader(known);
  const progress = new Progress(files.length);
  for (const [i, { path }] of files.entries()) {
    await readRecords(path, { formats: known, warn: (file, code, message) => say(`${file}: ${code}: ${message}`) }, (piece) => {
      for (const event of reader.events(piece)) coverage.add(event);
      progress.at(i, `${coverage.events} events`);
    });
  }
  progress.clear();
  if (reader.undecoded > 0) say(`${reader.undecoded} records could not be decoded`);
}

/** Kinds of events asked for, and events looked at of each: enough to see which fields a kind carries. */
const maxKinds = 500;
const perKind = 200;
const kindFields = ["event.dataset", "winlog.channel", "event.code"];

async function overServer(options: Options, coverage: Coverage): Promise<void> {
  const client = connect(options);
  const range = rangeOf(options);
  const q = `* | stats count() as n by ${kindFields.join(", ")} | sort -n | head ${maxKinds}`;
  const { columns, rows } = await client.get("/query", { query: { q, ...range } });
  const progress = new Progress(rows.length);
  for (const [i, row] of rows.entries()) {
    const filter = kindFields
      .map((field) => {
        const value = row[columns.indexOf(field)];
        return value === null || value === undefined || value === "" ? `not ${field}:*` : `${field}:${JSON.stringify(String(value))}`;
      })
      .join(" and ");
    const page = await client.get("/events", { query: { q: filter, ...range, limit: perKind } });
    for (const { fields, original } of page.events) coverage.add({ fields: fields as Fields, original });
    progress.at(i, `${coverage.events} events of ${i + 1} kinds`);
  }
  progress.clear();
  say(`${client.url}: ${rows.length} kinds of events, up to ${perKind} looked at of each`);
}
