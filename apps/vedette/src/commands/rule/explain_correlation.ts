/** A correlation held against the events of a file in the order of time: what its rules match, how far each key comes, and what is missing first. */
import { existsSync } from "node:fs";
import { detectorOf } from "@vedette/detect";
import { ConfigError } from "@vedette/kit";
import { formats } from "@vedette/normalise";
import { type Correlation, type CorrelationFinding, Correlator, groupValues, type Progress, type SigmaCorrelation } from "@vedette/sigma";
import { bold, safe } from "../../output.ts";
import { EventReader, type ReadEvent } from "../../scan/events.ts";
import { readRecords } from "../../scan/records.ts";
import type { Collection } from "./collection.ts";

/** What one of its rules came to. */
interface Part {
  readonly id: string;
  readonly title: string;
  /** Events of its logsource, and those that match. */
  seen: number;
  matched: number;
  /** Matches that have no value in a field it groups by, or counts. */
  keyless: number;
  first?: string;
}
/** How far one key came at best. */
interface Key extends Progress {
  readonly group: { readonly [field: string]: string };
  readonly at: string;
  readonly matches: boolean;
}
interface Story {
  readonly events: number;
  readonly parts: readonly Part[];
  /** Those that came furthest first. */
  readonly keys: readonly Key[];
  readonly failure: string | undefined;
}
interface Held {
  readonly id: string;
  readonly time: number;
  readonly fields: ReadEvent["fields"];
  readonly ids: readonly string[];
}

const out = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
/** Matches put in the order of time in memory. */
const maxHeld = 200_000;
const shownKeys = 5;
/** A fixed moment for records that tell no time: they follow one another second by second. */
const received = 1_790_000_000_000_000;
const second = 1_000_000;

/** Exit code 1 where it does not hold, as with a rule on single events. */
export async function explainSeries(
  collection: Collection,
  correlation: Correlation,
  path: string,
  options: { readonly format?: string; readonly json?: boolean },
): Promise<void> {
  const { events, parts, keys, failure } = await storyOf(collection, correlation, path, options.format);
  const { rule } = correlation;
  const matches = failure === undefined;
  if (options.json) {
    const head = { "rule.id": rule.id, "rule.title": rule.title, file: path, events, matches };
    const shown = keys.slice(0, 1_000);
    out(safe(JSON.stringify({ ...head, rules: parts, keys: shown, ...(failure === undefined ? {} : { failure }) })));
  } else {
    out(`${bold(matches ? "MATCH" : "NO MATCH")}  ${safe(rule.title)} (${rule.file}:${rule.line})  on ${events} events of ${safe(path)}`);
    out(safe(`  ${wantedBy(rule)}`));
    for (const part of parts) out(safe(`  ${part.matched > 0 ? "✓" : "✗"} ${partLine(part)}`));
    for (const key of keys.slice(0, shownKeys)) out(safe(`    ${key.matches ? "✓" : "✗"} ${keyLine(key)}`));
    if (keys.length > shownKeys) out(`    … and ${keys.length - shownKeys} more keys, none of which came further`);
    if (failure !== undefined) out(`First condition that is not met: ${safe(failure)}`);
  }
  if (!matches) process.exitCode = 1;
}

/** What it asks for, in a line. */
export function wantedBy({ type, rules, groupBy, timespan, bounds, values, terms, window }: SigmaCorrelation): string {
  const names = (positions: readonly number[]) => positions.map((i) => rules[i]!.to);
  const ways = terms.map(({ need, none }) =>
    [names(need).join(type === "temporal_ordered" ? ", then " : " and "), ...names(none).map((name) => `no ${name}`)].join(" and "),
  );
  const what = terms.length > 0 ? ways.join("; or ") : `${values.join(" with ") || "events"} of ${rules.map(({ to }) => to).join(", ")}`;
  const limits = bounds.map(({ op, value }) => `${op} ${value}`).join(" and ");
  const by = groupBy.length === 0 ? "" : ` for each ${groupBy.join(", ")}`;
  return `${type}: ${what}${limits === "" ? "" : ` ${limits}`}${by} within ${timespan / 1e6} s${window === "sliding" ? "" : ` (${window})`}`;
}

const partLine = ({ title, seen, matched, keyless, first }: Part): string =>
  `${title}: ${matched} of ${seen} events of its kind match${first === undefined ? "" : `, the first ${first}`}${keyless > 0 ? `; ${keyless} lack a field that is grouped by or counted` : ""}`;
const groupOf = ({ group }: Key): string =>
  Object.entries(group)
    .map(([field, value]) => `${field} ${value}`)
    .join(", ") || "all together";
const keyLine = (key: Key): string =>
  `${groupOf(key)}: ${key.figure || "nothing"}${key.matches || key.wants === "" ? "" : ` at best; it wants ${key.wants}`} (${key.at})`;

async function storyOf(collection: Collection, correlation: Correlation, path: string, format: string | undefined): Promise<Story> {
  const parts = partsOf(collection, correlation);
  const read = await matchesOf(collection, correlation, parts, path, format);
  const keys = new Map<string, Omit<Key, "matches">>();
  const watch = (one: Correlation, key: string, progress: Progress, { id }: { readonly id: string }) => {
    if (one !== correlation) return;
    const before = keys.get(key);
    if (before !== undefined && (before.wants === "" || (before.reached >= progress.reached && progress.wants !== ""))) return;
    const values = groupValues(correlation, key);
    const group = Object.fromEntries(correlation.rule.groupBy.map((field, i) => [field, values[i]!]));
    keys.set(key, { ...progress, group, at: id });
  };
  const correlator = new Correlator(collection.linked, { watch });
  const held = new Set<string>();
  const found = (findings: readonly CorrelationFinding[]) => {
    for (const one of findings) if (one.correlation === correlation) held.add(one.key);
  };
  for (const { ids, ...event } of read.held.sort((a, b) => a.time - b.time)) found(correlator.add(event, ids));
  found(correlator.finish());
  const ordered = [...keys]
    .map(([key, one]) => ({ ...one, matches: held.has(key) }))
    .sort((a, b) => Number(b.matches) - Number(a.matches) || b.reached - a.reached);
  return { events: read.events, parts: [...parts.values()], keys: ordered, failure: failureOf(correlation, parts, ordered[0]) };
}

/** The rules on single events that it rests on, through other correlations too. */
function partsOf({ set, linked }: Collection, { takes }: Correlation): Map<string, Part> {
  const ids = new Set(takes);
  // a set takes what is added while it is gone through
  for (const id of ids) for (const inner of linked.correlations.find(({ rule }) => rule.id === id)?.takes ?? []) ids.add(inner);
  const plain = set.rules.filter(({ id }) => ids.has(id));
  return new Map(plain.map(({ id, title }) => [id, { id, title, seen: 0, matched: 0, keyless: 0 }]));
}

async function matchesOf(
  { set }: Collection,
  correlation: Correlation,
  parts: Map<string, Part>,
  path: string,
  format: string | undefined,
): Promise<{ readonly events: number; readonly held: Held[] }> {
  if (path !== "-" && !existsSync(path)) throw new ConfigError("config_invalid", `${path}: no such file`);
  const known = await formats();
  const reader = new EventReader(known);
  const held: Held[] = [];
  const matched: number[] = [];
  let events = 0;
  let more = 0;
  const warn = (file: string, code: string, message: string) => process.stderr.write(`${safe(`${file}: ${code}: ${message}`)}\n`);
  const take = (event: ReadEvent) => {
    const place = `${event.file}:${event.record}`;
    for (const number of set.rulesIn(set.bucketOf(event))) {
      const part = parts.get(set.rules[number]!.id);
      if (part) part.seen++;
    }
    set.match(event, matched);
    const ids = matched.map((number) => set.rules[number]!.id).filter((id) => parts.has(id));
    if (ids.length === 0) return;
    for (const id of ids) {
      const part = parts.get(id)!;
      part.matched++;
      part.first ??= place;
      if (correlation.takes.includes(id) && correlation.contributions([id], event.fields).length === 0) part.keyless++;
    }
    if (held.length < maxHeld) held.push({ id: place, time: event.time ?? received + events * second, fields: event.fields, ids });
    else more++;
  };
  await readRecords(path, { formats: known, format, warn }, (piece) => {
    for (const event of reader.events(piece)) {
      events++;
      take(event);
    }
  });
  if (events === 0) throw new ConfigError("config_invalid", `${path}: holds no event (${reader.undecoded} records could not be decoded)`);
  if (more > 0) process.stderr.write(`${more} matches beyond the first ${maxHeld} are left out\n`);
  return { events, held };
}

function failureOf({ rule, takes }: Correlation, parts: ReadonlyMap<string, Part>, best: Key | undefined): string | undefined {
  if (best?.matches) return undefined;
  const detector = takes.find((id) => detectorOf(id) !== undefined);
  if (detector !== undefined) return `it takes findings of ${detector}, which are not made here; vedette scan and rule backtest do`;
  const needed = rule.terms.length > 0 ? rule.terms[0]!.need.map((position) => takes[position]!) : takes;
  const silent = needed.flatMap((id) => {
    const part = parts.get(id);
    return part?.matched === 0 ? [part] : [];
  });
  // where one of them is enough, one that matches nothing is none to blame
  if (silent.length > 0 && (rule.terms.length > 0 || silent.length === needed.length))
    return `${silent[0]!.title} matches none of ${silent[0]!.seen} events of its kind; vedette rule explain ${silent[0]!.id} says why`;
  if (best === undefined) {
    const fields = [...rule.groupBy, ...rule.values].join(", ");
    return `no event that matches has ${fields === "" ? "what it takes" : `all of ${fields}`}`;
  }
  return `${groupOf(best)}: ${best.figure || "nothing"}; ${best.wants === "" ? "it did not last until its window was over" : `it wants ${best.wants}`}`;
}
