/** Which index an event belongs into, how indices are made, and which are to go. Knows no query. */
import { type EventClass, eventClasses, type Micros } from "@vedette/model";
import { hotFields } from "../events/columns.ts";

export interface Layout {
  /** What the names of all indices begin with. */
  readonly prefix: string;
  readonly shards: number;
  readonly replicas: number;
  /** Time that one index of a class spans, in hours. */
  readonly bucketHours: { readonly [C in EventClass]?: number };
}

/**
 * A class that is kept for a year has an index a month, one that is kept for a month an index a day: 8 classes at their default ages are some
 * 140 indices, far below the 1,000 shards that a node takes.
 */
export const bucketHours: { readonly [C in EventClass]: number } = {
  authentication: 720,
  process: 168,
  network: 24,
  web: 168,
  cloud: 720,
  host: 168,
  audit: 720,
  other: 24,
};

const hourWidth = 3_600_000_000;
const pad = (value: number) => String(value).padStart(2, "0");

/**
 * `prefix-class-hours-begin`. The receive time of the event itself decides: it is what a repeat after a crash has too, so that it finds the
 * event it repeats.
 */
export function indexOf({ prefix, bucketHours: own }: Layout, name: EventClass, received: Micros): string {
  const hours = own[name] ?? bucketHours[name];
  const begin = Math.floor(received / (hours * hourWidth)) * hours;
  // what no calendar has is kept at its ends
  const date = new Date(Math.max(0, Math.min(begin * 3_600_000, 8e15)));
  const day = `${date.getUTCFullYear()}.${pad(date.getUTCMonth() + 1)}.${pad(date.getUTCDate())}`;
  return `${prefix}-${name}-${hours}h-${day}.${pad(date.getUTCHours())}`;
}

export interface Bucket {
  readonly index: string;
  readonly class: EventClass;
  /** End of the receive times in it. */
  readonly end: Micros;
}

/** The inverse; undefined for an index that is not ours. */
export function bucketOf(prefix: string, index: string): Bucket | undefined {
  const found = /^-([a-z]+)-(\d+)h-(\d{4,6})\.(\d\d)\.(\d\d)\.(\d\d)$/.exec(index.startsWith(prefix) ? index.slice(prefix.length) : "");
  const [, name = "", hours, year, month, day, hour] = found ?? [];
  if (found === null || !(eventClasses as readonly string[]).includes(name)) return undefined;
  const begin = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour));
  return { index, class: name as EventClass, end: begin * 1_000 + Number(hours) * hourWidth };
}

const listed = { type: "keyword", doc_values: false } as const;
const unread = { type: "keyword", index: false, doc_values: false } as const;

type Properties = { [name: string]: { readonly type: "keyword" } | { readonly properties: Properties } };

/** Hot fields as nested properties, as mappings want them; none of them is another's beginning. */
function hotProperties(): Properties {
  const root: Properties = {};
  for (const field of hotFields.keys()) {
    const path = field.split(".");
    let at = root;
    for (const step of path.slice(0, -1)) {
      const own = at[step] ?? { properties: {} };
      at[step] = own;
      at = (own as { readonly properties: Properties }).properties;
    }
    at[path.at(-1) as string] = { type: "keyword" };
  }
  return root;
}

/**
 * The template of every index. No document can meet a mapping it does not fit, and no field of an event becomes one: the event lies in it unread
 * (`event`), and what is searched are lists of terms made by us.
 */
export function template({ prefix, shards, replicas }: Layout): object {
  return {
    index_patterns: [`${prefix}-*`],
    // above what products bring along, which stay below 500
    priority: 700,
    template: {
      settings: {
        number_of_shards: shards,
        number_of_replicas: replicas,
        codec: "best_compression",
        // no refresh_interval: what nobody searches is not refreshed each second, and who searches it has it refreshed first (a quarter of the
        // cluster's CPU, measured beside `bench opensearch`)
        // durable means durable: the translog is synced before a bulk request is answered
        "translog.durability": "request",
        "mapping.total_fields.limit": 1_000,
        max_result_window: 10_000,
      },
      mappings: {
        dynamic: false,
        // terms are left out when documents are read: to leave them out when they are written, each is parsed and written anew (another quarter)
        properties: {
          "@timestamp": { type: "date", format: "epoch_millis" },
          time: { type: "long" },
          received: { type: "long", index: false },
          seq: { type: "long", index: false, doc_values: false },
          id: { type: "keyword" },
          tenant: { type: "keyword" },
          class: unread,
          source: unread,
          host: unread,
          demo: { type: "boolean" },
          event: { type: "object", enabled: false },
          original: unread,
          bytes: { type: "long", index: false },
          f: listed,
          v: listed,
          n: listed,
          m: listed,
          z: listed,
          o: listed,
          t: listed,
          ecs: { properties: hotProperties() },
        },
      },
    },
  };
}
