/** Lists of alerts for who sees a part of the events: order, tests, total and cursor are those of what is told. Knows no view's rules. */
import type { Alert } from "@vedette/model";
import type { AlertFilter, AlertStore } from "../store.ts";
import type { AlertSight } from "./seen_alerts.ts";
import type { SeenBefore, Told } from "./seen_cache.ts";

/** Where the alerts are that may be told of. */
export interface AlertRows {
  /** Ids and numbers of last changes, by id after the given one. */
  after(id: string, limit: number): Promise<readonly { readonly id: string; readonly serial: number }[]>;
  /** Those that are still there. */
  load(ids: readonly string[]): Promise<readonly { readonly serial: number; readonly alert: Alert }[]>;
}
export type Cursor = readonly [last_seen: number, id: string];
interface Line {
  readonly id: string;
  readonly last_seen: number;
}

/** Rows gone through, and alerts judged, between two looks at what else the thread has to do. */
const sliceRows = 2_000;
const sliceJudged = 200;

const newestFirst = (a: Line, b: Line) => b.last_seen - a.last_seen || (a.id < b.id ? 1 : -1);

/** The tests on what is told of an alert that a row's columns cannot answer. */
function matches({ last_seen, text, entities }: Told, filter: AlertFilter): boolean {
  const { range } = filter;
  if (range !== undefined && (last_seen < range.from || last_seen >= range.to)) return false;
  if (filter.entity !== undefined && !entities.includes(filter.entity)) return false;
  return filter.text === undefined || text.includes(filter.text.toLowerCase());
}

/** All of them are looked at: what a page holds, and how many there are, can only be told of all. */
export async function listSeen(
  rows: AlertRows,
  { filter, sight, before }: { readonly filter: AlertFilter; readonly sight: AlertSight; readonly before: SeenBefore },
  limit: number,
  after: Cursor | undefined,
): Promise<Omit<Awaited<ReturnType<AlertStore["list"]>>, "cursor"> & { readonly next?: Cursor }> {
  let page: Line[] = [];
  let total = 0;
  for (let last: string | undefined = ""; last !== undefined; ) {
    const slice = await rows.after(last, sliceRows);
    for (const { id, told } of await toldOf(slice, rows, sight, before)) {
      if (told === undefined || !matches(told, filter)) continue;
      total++;
      const { last_seen } = told;
      if (after === undefined || last_seen < after[0] || (last_seen === after[0] && id < after[1])) page.push({ id, last_seen });
    }
    page = page.sort(newestFirst).slice(0, limit + 1);
    last = slice.length < sliceRows ? undefined : slice.at(-1)?.id;
    await breath();
  }
  const end = page[limit - 1];
  const whole = await wholeOf(page.slice(0, limit), rows, sight);
  return { alerts: whole, total, ...(page.length > limit && end && { next: [end.last_seen, end.id] as const }) };
}

const breath = () => new Promise((resolve) => setImmediate(resolve));

/** What is told of each, judged anew where nothing is known of it as it is. */
async function toldOf(slice: Awaited<ReturnType<AlertRows["after"]>>, rows: AlertRows, sight: AlertSight, before: SeenBefore) {
  const told = new Map(slice.map(({ id, serial }) => [id, before.get(id, serial)]));
  const unknown = slice.filter(({ id }) => told.get(id) === undefined).map(({ id }) => id);
  for (let at = 0; at < unknown.length; at += sliceJudged) {
    const loaded = await rows.load(unknown.slice(at, at + sliceJudged));
    const judged = await sight.judge(loaded.map(({ alert }) => alert));
    for (const [n, { serial, alert }] of loaded.entries()) told.set(alert.id, before.keep(alert.id, serial, judged[n]!));
    await breath();
  }
  return [...told].map(([id, one]) => ({ id, told: one?.told }));
}

/** In the page's order; what changed meanwhile so that it is not seen any more is left out. */
async function wholeOf(page: readonly Line[], rows: AlertRows, sight: AlertSight): Promise<readonly Alert[]> {
  const loaded = new Map((await rows.load(page.map(({ id }) => id))).map(({ alert }) => [alert.id, alert]));
  const alerts = page.flatMap(({ id }) => loaded.get(id) ?? []);
  return (await sight.seen(alerts)).map((one) => one.whole());
}
