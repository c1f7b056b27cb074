/** What the alert list is filtered by, how that stands in the address, and whether an alert that arrives live belongs in the list. */
import type { AlertRow, AlertState, Severity } from "../api/types.ts";
import { parseList } from "../url/search.ts";

export const states: readonly AlertState[] = ["open", "acknowledged", "closed"];
/** Worst first, as every list shows them. */
export const severities: readonly Severity[] = ["critical", "high", "medium", "low", "informational"];

export interface AlertFilter {
  readonly state: readonly AlertState[];
  /** Empty = all. */
  readonly severity: readonly Severity[];
  readonly q: string;
  readonly rule: string;
  readonly entity: string;
  /** What rules on trial found, in the place of alerts. */
  readonly shadow: boolean;
  /** What historical loads gave, in the place of alerts. */
  readonly historical: boolean;
}

/** What is listed: alerts of what happens now, what historical loads gave, or what rules on trial found. */
export const kinds = ["now", "past", "trial"] as const;
export type Kind = (typeof kinds)[number];

export function kindOf({ shadow, historical }: Pick<AlertFilter, "shadow" | "historical">): Kind {
  return shadow ? "trial" : historical ? "past" : "now";
}

/** The changes of the address that list this kind. */
export function printKind(kind: Kind): { readonly shadow: string | undefined; readonly historical: string | undefined } {
  return { shadow: kind === "trial" ? "1" : undefined, historical: kind === "past" ? "1" : undefined };
}

/** What a person works on is what is not closed. */
export const default_states: readonly AlertState[] = ["open", "acknowledged"];

export function readFilter(params: URLSearchParams): AlertFilter {
  return {
    state: params.get("state") === "any" ? states : (parseList(params.get("state"), states) ?? default_states),
    severity: parseList(params.get("severity"), severities) ?? [],
    q: params.get("q") ?? "",
    rule: params.get("rule") ?? "",
    entity: params.get("entity") ?? "",
    shadow: params.get("shadow") === "1",
    historical: params.get("historical") === "1",
  };
}

/** The parameter for a set of states; undefined for the default, so that the address stays short. */
export function printStates(wanted: readonly AlertState[]): string | undefined {
  if (wanted.length === 0 || wanted.length === states.length) return "any";
  const text = states.filter((state) => wanted.includes(state)).join(",");
  return text === default_states.join(",") ? undefined : text;
}

/** The filter in words, for the empty list: it names every clause that hides something. */
export function describeFilter(filter: AlertFilter): string[] {
  const clauses: string[] = [];
  if (filter.state.length < states.length) clauses.push(`state is ${filter.state.join(" or ")}`);
  if (filter.severity.length > 0) clauses.push(`severity is ${filter.severity.join(" or ")}`);
  if (filter.q !== "") clauses.push(`text contains “${filter.q}”`);
  if (filter.rule !== "") clauses.push(`rule is ${filter.rule}`);
  if (filter.entity !== "") clauses.push(`entity is ${filter.entity}`);
  if (filter.shadow) clauses.push("only what rules on trial found");
  if (filter.historical) clauses.push("only what historical loads gave");
  return clauses;
}

/** Nobody has narrowed it: an empty list says that nothing is open. */
export const isUsual = (filter: AlertFilter): boolean =>
  printStates(filter.state) === undefined && describeFilter({ ...filter, state: states }).length === 0;

export function matchesFilter(alert: AlertRow, filter: AlertFilter): boolean {
  if (!filter.state.includes(alert.state)) return false;
  if ((alert.shadow ?? false) !== filter.shadow || (alert.historical ?? false) !== filter.historical) return false;
  if (filter.severity.length > 0 && !filter.severity.includes(alert.severity)) return false;
  if (filter.rule !== "" && alert.rule.id !== filter.rule) return false;
  if (filter.entity !== "" && !alert.entities.some((entity) => entity.id === filter.entity)) return false;
  if (filter.q === "") return true;
  const wanted = filter.q.toLowerCase();
  const text = [alert.title, alert.summary, alert.rule.title, ...alert.attack, ...alert.entities.map((entity) => entity.id)];
  return text.some((part) => part.toLowerCase().includes(wanted));
}

export interface LiveMerge {
  readonly rows: readonly AlertRow[];
  /** New ones that belong in the list but wait, so that nothing moves under a reader's eyes. */
  readonly waiting: readonly AlertRow[];
}

/**
 * Takes one live alert into the list. A row that is shown keeps its place and gets the new counts; one that no longer fits leaves unless it is
 * the row being looked at; a new one goes on top, or waits while `hold` says that someone is reading.
 */
export function mergeAlert(list: LiveMerge, alert: AlertRow, filter: AlertFilter, hold: boolean, looked_at?: string): LiveMerge {
  const fits = matchesFilter(alert, filter);
  const replace = (rows: readonly AlertRow[]) => rows.map((row) => (row.id === alert.id ? alert : row));
  const remove = (rows: readonly AlertRow[]) => rows.filter((row) => row.id !== alert.id);
  if (list.rows.some((row) => row.id === alert.id)) {
    return { rows: fits || alert.id === looked_at ? replace(list.rows) : remove(list.rows), waiting: list.waiting };
  }
  if (list.waiting.some((row) => row.id === alert.id))
    return { rows: list.rows, waiting: fits ? replace(list.waiting) : remove(list.waiting) };
  if (!fits) return list;
  return hold ? { rows: list.rows, waiting: [alert, ...list.waiting] } : { rows: [alert, ...list.rows], waiting: list.waiting };
}
