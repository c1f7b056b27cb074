/** What changes from one set of rules to another, in the rules' own terms. Pure; knows no disk and no events. */
import { type Condition, printCondition } from "@vedette/condition";
import type { RuleDifference, RulePlan } from "@vedette/model";
import type { SigmaRule } from "@vedette/sigma";
import { type Catalogue, type CatalogueEntry, isPlain } from "./catalogue.ts";

/** Lines that tell one rule's change; a rule whose whole text changed needs no more to be looked at as a whole. */
const maxDetails = 40;

export function differences(before: Catalogue, after: Catalogue): RuleDifference[] {
  const all: RuleDifference[] = [];
  for (const [id, entry] of after.entries) {
    const old = before.entries.get(id);
    if (old === undefined) all.push(line(entry, "added", [summaryOf(entry.rule)]));
    else if (old.hash !== entry.hash || old.state !== entry.state) all.push(line(entry, "changed", changes(old, entry)));
    else if (wordsOf(old.rule) !== wordsOf(entry.rule)) all.push(line(entry, "rewritten", []));
  }
  for (const [id, entry] of before.entries) if (!after.entries.has(id)) all.push(line(entry, "removed", []));
  const order = ["removed", "changed", "added", "rewritten"];
  return all.sort((a, b) => order.indexOf(a.what) - order.indexOf(b.what) || (a.title < b.title ? -1 : a.title > b.title ? 1 : 0));
}

/** What enabled rules cover, before and after. */
export function coverage(before: Catalogue, after: Catalogue): RulePlan["coverage"] {
  const on = ({ entries }: Catalogue) => [...entries.values()].filter(({ state }) => state === "enabled");
  const techniques = (some: readonly CatalogueEntry[]) => new Set(some.flatMap(({ rule }) => rule.attack));
  const [old, now] = [on(before), on(after)];
  const [had, has] = [techniques(old), techniques(now)];
  return {
    enabled: [old.length, now.length],
    gained: [...has].filter((t) => !had.has(t)).sort(),
    lost: [...had].filter((t) => !has.has(t)).sort(),
    rules_lost: old.filter(({ rule }) => after.entries.get(rule.id)?.state !== "enabled").map(({ rule }) => rule.title),
  };
}

function line({ rule, state }: CatalogueEntry, what: RuleDifference["what"], details: readonly string[]): RuleDifference {
  const shown = details.length > maxDetails ? [...details.slice(0, maxDetails), `and ${details.length - maxDetails} more`] : details;
  return { id: rule.id, title: rule.title, level: rule.level, file: `${rule.file}:${rule.line}`, what, state, details: shown };
}

function changes(old: CatalogueEntry, now: CatalogueEntry): string[] {
  const a = old.rule;
  const b = now.rule;
  const found: string[] = [];
  const value = (name: string, from: string, to: string) => {
    if (from !== to) found.push(`${name}: ${from || "(none)"} → ${to || "(none)"}`);
  };
  value("state", old.state, now.state);
  value("level", a.level, b.level);
  if (!isPlain(a) || !isPlain(b)) {
    value("correlation", correlationOf(a), correlationOf(b));
    if (found.length === 0) found.push("a rule that it takes changed");
    return found;
  }
  value("logsource", logsourceOf(a), logsourceOf(b));
  const selections = new Map(b.selections.map((s) => [s.name, s.condition]));
  for (const { name, condition } of a.selections) {
    const other = selections.get(name);
    selections.delete(name);
    if (other === undefined) found.push(`selection ${name}: removed`);
    else found.push(...leafChanges(name, condition, other));
  }
  for (const [name, condition] of selections) found.push(`selection ${name}: added: ${show(condition)}`);
  if (found.length === 0) value("condition", show(a.condition), show(b.condition));
  // the parts are the same and yet the whole is not: keys of ours, or how the selections are joined
  if (found.length === 0) found.push("vedette: entity, lateness or window changed");
  return found;
}

function leafChanges(name: string, from: Condition, to: Condition): string[] {
  const [had, has] = [leaves(from), leaves(to)];
  const lines = [...[...had].filter((l) => !has.has(l)).map((l) => `- ${l}`), ...[...has].filter((l) => !had.has(l)).map((l) => `+ ${l}`)];
  if (lines.length === 0 && show(from) !== show(to)) return [`selection ${name}: ${show(from)} → ${show(to)}`];
  return lines.map((l) => `selection ${name}: ${l}`);
}

function leaves(condition: Condition, found = new Set<string>()): Set<string> {
  if (condition.op === "and" || condition.op === "or") for (const one of condition.of) leaves(one, found);
  else if (condition.op === "not") for (const one of leaves(condition.of)) found.add(`not ${one}`);
  else found.add(show(condition));
  return found;
}

/** One line of a terminal holds about so much; a whole condition can be thousands. */
const show = (condition: Condition): string => {
  const text = printCondition(condition);
  return text.length > 160 ? `${text.slice(0, 157)}...` : text;
};
type AnyRule = CatalogueEntry["rule"];
function correlationOf(rule: AnyRule): string {
  if (isPlain(rule)) return "none";
  const { type, rules, groupBy, timespan, bounds, window } = rule;
  const by = groupBy.length === 0 ? "" : ` by ${groupBy.join(", ")}`;
  const limits = bounds.map((bound) => Object.values(bound).join(" ")).join(" and ");
  return `${type} of ${rules.map(({ to }) => to).join(", ")}${by} within ${timespan / 1e6} s (${window})${limits === "" ? "" : `, ${limits}`}`;
}
const logsourceOf = ({ logsource }: SigmaRule): string =>
  [logsource.product, logsource.category, logsource.service].filter(Boolean).join("/");
const summaryOf = (rule: AnyRule): string =>
  `${rule.level}, ${isPlain(rule) ? logsourceOf(rule) : rule.type}${rule.attack.length > 0 ? `, ${rule.attack.join(" ")}` : ""}`;
/** What a person reads in it and no event meets. */
const wordsOf = ({ title, description, author, modified, falsepositives, references, tags, vedette }: AnyRule): string =>
  JSON.stringify([title, description, author, modified, falsepositives, references, tags, vedette]);
