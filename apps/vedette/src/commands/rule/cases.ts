/** Runs the cases that rules and correlations carry under `vedette.tests`: their events, or their raw lines through the real decoder. */
import { detectorOf } from "@vedette/detect";
import { type Decoded, newFields } from "@vedette/kit";
import type { Fields } from "@vedette/model";
import { formats } from "@vedette/normalise";
import {
  type CorrelationFinding,
  type CorrelationSet,
  Correlator,
  type Header,
  type SigmaCorrelation,
  type SigmaRule,
} from "@vedette/sigma";
import { casesOf, outcome } from "./case_form.ts";
import type { Collection } from "./collection.ts";
import type { FoldedCases } from "./folded_cases.ts";
import type { Outcome } from "./report.ts";
import type { Case } from "./schema.ts";

/** A fixed moment, so that cases give the same result on every day; records without a time follow it second by second. */
export const received = 1_790_000_000_000_000;
const second = 1_000_000;

/** Runs every case of the collection; a rule or correlation without a positive and a negative case fails, one that only feeds others needs none. */
export async function runCases(collection: Collection): Promise<Outcome[]> {
  const outcomes: Outcome[] = collection.refused.map(({ file, line, column, title, message }) => {
    const refused = { file, line, column, rule: title, check: "refused", name: "loads" };
    return { ...refused, ok: false, level: "error", message };
  });
  let folded: FoldedCases | undefined;
  for (const document of [...collection.rules, ...collection.correlations]) {
    if (!collection.holds(document)) continue;
    const locator = collection.locator(document.file);
    const cases = casesOf(document, locator);
    outcomes.push(...cases.flaws);
    for (const wanted of ["match", "none"] as const) {
      if (cases.valid.some(({ one }) => one.expect === wanted) || cases.flaws.length > 0) continue;
      if (collection.linked.silent.has(document.id) && cases.valid.length === 0) continue;
      const place = locator.find(document.line, "vedette", "tests");
      outcomes.push(outcome(document, place, "no-cases", `has a case that expects ${wanted}`, "add one under vedette.tests"));
    }
    const folding = takesDetector(collection.linked, document.id);
    // it loads the whole pipeline, which hardly any rule's cases need
    if (folding) folded ??= new (await import("./folded_cases.ts")).FoldedCases(collection.files, collection.site);
    for (const { one, place } of cases.valid) {
      const why = folding ? await runFolded(folded!, document, one) : await runCase(collection, document, one);
      outcomes.push(outcome(document, place, "case", one.name, why));
    }
  }
  return outcomes;
}

/** Whether it takes what a detector finds, itself or through another. */
function takesDetector(linked: CorrelationSet, id: string): boolean {
  const takes = linked.correlations.find(({ rule }) => rule.id === id)?.takes ?? [];
  return takes.some((taken) => detectorOf(taken) !== undefined || takesDetector(linked, taken));
}

/** As `runCase`, with detectors folded too. */
async function runFolded(folded: FoldedCases, { id }: Header, one: Case): Promise<string> {
  const found = await folded.findings(one, received);
  if (typeof found === "string") return found;
  return verdict(one, found.filter(({ rule }) => rule.id === id).length, "its records");
}

/** Why the case fails; "" when it holds. */
async function runCase(collection: Collection, document: SigmaRule | SigmaCorrelation, one: Case): Promise<string> {
  const events = await eventsOf(one);
  if (typeof events === "string") return events;
  const hits = "condition" in document ? matches(collection, document, events) : episodes(collection, document, events);
  return verdict(one, hits, `${events.length} events`);
}

function verdict({ expect }: Case, hits: number, of: string): string {
  if (expect === "match") return hits > 0 ? "" : `expected a match; none of ${of} matched`;
  return hits === 0 ? "" : `expected none; ${hits} of ${of} matched`;
}

interface CaseEvent {
  readonly fields: Fields;
  readonly original: string;
  readonly time: number;
}

function matches(collection: Collection, rule: SigmaRule, events: readonly CaseEvent[]): number {
  const number = collection.numberOf(rule)!;
  const matched: number[] = [];
  // by the index, as in production: a rule that it does not find does not hold
  return events.filter((event) => collection.set.match(event, matched) > 0 && matched.includes(number)).length;
}

function episodes({ set, linked }: Collection, { id }: SigmaCorrelation, events: readonly CaseEvent[]): number {
  const correlator = new Correlator(linked);
  const starts = new Set<string>();
  const count = (findings: readonly CorrelationFinding[]) => {
    for (const found of findings) if (found.correlation.rule.id === id) starts.add(`${found.key}\0${found.start}`);
  };
  const matched: number[] = [];
  for (const [i, event] of [...events].sort((a, b) => a.time - b.time).entries()) {
    set.match(event, matched);
    const rules = matched.map((n) => set.rules[n]!.id);
    count(correlator.add({ ...event, id: String(i) }, rules));
  }
  count(correlator.finish());
  return starts.size;
}

async function eventsOf(one: Case): Promise<CaseEvent[] | string> {
  if (one.events)
    return one.events.map((e, i) => {
      const told = typeof e["@timestamp"] === "string" ? Date.parse(e["@timestamp"]) * 1_000 : Number.NaN;
      return { fields: Object.assign(newFields(), e) as Fields, original: "", time: Number.isNaN(told) ? received + i * second : told };
    });
  const spec = (await formats()).get(one.format ?? "");
  if (!spec) return `unknown format "${one.format}"; known: ${[...(await formats()).keys()].sort().join(", ")}`;
  const decode = spec.decoder(spec.config.parse({}));
  const found: CaseEvent[] = [];
  const stream = one.stream ?? "test";
  for (const line of one.raw!.split("\n").filter((l) => l.trim() !== "")) {
    const result = decode(line, { preamble: one.preamble, received, peer: undefined, source: "test", stream });
    const take = (d: Decoded) => found.push({ fields: d.fields, original: line, time: d.time ?? received + found.length * second });
    if (Array.isArray(result)) (result as Decoded[]).forEach(take);
    else if ("fields" in result) take(result);
    else if ("code" in result) return `line does not decode as ${one.format}: ${result.code}, expected ${result.expected}`;
  }
  return found;
}
