/**
 * Numbers that parts of the program keep of what they do: declared where they are counted, whichever thread counts, and read in one place.
 * Knows no registry, no format and no HTTP. No answer of the engine rests on them.
 */
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

/** A metric as it is described: `vedette_` before its name, base units, `_total` on what only grows. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  /** Upper bounds, ascending; of a histogram only. */
  readonly buckets?: readonly number[];
}

/** Values of the labels, in their order, and one number; of a histogram the sum, then how many fell in each bucket, then how many beyond the last. */
export interface MetricSeries {
  readonly labels: readonly string[];
  readonly values: number[];
}
export interface MetricReading {
  readonly family: MetricFamily;
  readonly series: readonly MetricSeries[];
}

/** Seconds, from what memory takes to what a query may: a disk syncs in 1 to 10 ms. */
export const durations: readonly number[] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];
/** Label of what is beyond the bound. */
export const others = "(others)";
/** Series of one family: labels are names of components; were one to come from a sender, it must not fill the memory of whoever scrapes. */
const maxSeries = 1_000;
const maxLabel = 120;

const prefix = "vedette_";
const channelName = "vedette.instruments";
/** How often a thread tells the main one, while something changes. */
const sendEvery_ms = 1_000;

interface Message {
  readonly thread: number;
  readonly readings: readonly MetricReading[];
}

/** Series by their labels, bounded. */
export class SeriesTable {
  readonly #series = new Map<string, MetricSeries>();
  readonly #width: number;
  constructor(width = 1) {
    this.#width = width;
  }
  at(labels: readonly string[]): MetricSeries {
    const key = labels.length === 1 ? labels[0]! : labels.join("\0");
    return this.#series.get(key) ?? this.#add(key, labels);
  }
  get all(): readonly MetricSeries[] {
    return [...this.#series.values()];
  }
  clear(): void {
    this.#series.clear();
  }
  #add(key: string, labels: readonly string[]): MetricSeries {
    const long = labels.some((one) => one.length > maxLabel);
    if (long) return this.at(labels.map((one) => (one.length > maxLabel ? `${one.slice(0, maxLabel - 1)}…` : one)));
    if (this.#series.size >= maxSeries) {
      const beyond = labels.map(() => others);
      const known = this.#series.get(beyond.join("\0"));
      if (known) return known;
      return this.#keep(beyond.join("\0"), beyond);
    }
    return this.#keep(key, labels);
  }
  #keep(key: string, labels: readonly string[]): MetricSeries {
    const series = { labels, values: new Array<number>(this.#width).fill(0) };
    this.#series.set(key, series);
    return series;
  }
}

const widthOf = ({ buckets }: MetricFamily): number => (buckets === undefined ? 1 : buckets.length + 2);

interface Declared {
  readonly family: MetricFamily;
  readonly table: SeriesTable;
  /** Fills the table when it is read. */
  refresh?: () => Promise<void>;
}
const declared = new Map<string, Declared>();

function declare(family: MetricFamily): SeriesTable {
  const known = declared.get(family.name);
  if (known !== undefined) return known.table;
  const table = new SeriesTable(widthOf(family));
  declared.set(family.name, { family, table });
  return table;
}

/** Something that only grows. */
export function defineCounter<L extends string>(name: `${string}_total`, help: string, labels: readonly L[] = []) {
  const table = declare({ name: prefix + name, help, type: "counter", labels });
  // told as 0 before the first: nothing and unknown are not the same
  if (labels.length === 0) table.at([]);
  return {
    add(n: number, ...of: string[]): void {
      table.at(of).values[0]! += n;
      changed();
    },
  };
}

/** How long something took, in seconds, or how large it was. */
export function defineHistogram<L extends string>(name: string, help: string, labels: readonly L[] = [], buckets = durations) {
  const table = declare({ name: prefix + name, help, type: "histogram", labels, buckets });
  const observe = (value: number, ...of: string[]): void => {
    const { values } = table.at(of);
    values[0]! += value;
    let at = 0;
    while (at < buckets.length && value > buckets[at]!) at++;
    values[at + 1]! += 1;
    changed();
  };
  return {
    observe,
    /** Seconds that a piece of work took, whether it succeeded or not. */
    async time<T>(work: () => Promise<T>, ...of: string[]): Promise<T> {
      const begun = performance.now();
      try {
        return await work();
      } finally {
        observe((performance.now() - begun) / 1_000, ...of);
      }
    },
  };
}

type ReadGauge = (set: (value: number, ...of: string[]) => void) => Promise<void> | void;

/** A state, asked when somebody reads; in the main thread only. The last who answers for it is asked. */
export function defineGauge<L extends string>(name: string, help: string, labels: readonly L[] = []) {
  const table = declare({ name: prefix + name, help, type: "gauge", labels });
  return {
    readBy(answer: ReadGauge): void {
      declared.get(prefix + name)!.refresh = async () => {
        const found: [number, string[]][] = [];
        await answer((value, ...of) => found.push([value, of]));
        table.clear();
        for (const [value, of] of found) table.at(of).values[0] = value;
      };
    },
  };
}

/** What every thread has counted. A gauge that cannot be read now is left out. */
export async function readInstruments(): Promise<readonly MetricReading[]> {
  const merged = new Map<string, { readonly family: MetricFamily; readonly table: SeriesTable }>();
  const take = ({ family, series }: MetricReading) => {
    const into = merged.get(family.name) ?? { family, table: new SeriesTable(widthOf(family)) };
    merged.set(family.name, into);
    for (const { labels, values } of series) {
      const sum = into.table.at(labels).values;
      for (let i = 0; i < values.length; i++) sum[i]! += values[i]!;
    }
  };
  await Promise.all(
    [...declared.values()].map(async ({ refresh, family, table }) => {
      const failed = await Promise.resolve()
        .then(refresh)
        .then(
          () => false,
          () => true,
        );
      if (!failed) take({ family, series: table.all });
    }),
  );
  for (const readings of threads.values()) for (const one of readings) take(one);
  return [...merged.values()]
    .map(({ family, table }) => ({ family, series: table.all }))
    .sort((a, b) => (a.family.name < b.family.name ? -1 : 1));
}

/** The newest of each thread; one that has ended keeps what it counted. */
const threads = new Map<number, readonly MetricReading[]>();
let channel: BroadcastChannel | undefined;

/** From now on the main thread collects what others count. */
export function collectFromThreads(): void {
  if (channel !== undefined || !isMainThread) return;
  channel = new BroadcastChannel(channelName);
  channel.onmessage = (event: unknown) => {
    const { thread, readings } = (event as { readonly data: Message }).data;
    threads.set(thread, readings);
  };
  channel.unref();
}

let scheduled = false;
function changed(): void {
  if (isMainThread || scheduled) return;
  scheduled = true;
  setTimeout(sendReadings, sendEvery_ms).unref();
}
function sendReadings(): void {
  scheduled = false;
  if (channel === undefined) {
    channel = new BroadcastChannel(channelName);
    channel.unref();
  }
  const readings = [...declared.values()]
    .filter(({ refresh }) => refresh === undefined)
    .map(({ family, table }) => ({ family, series: table.all }));
  channel.postMessage({ thread: threadId, readings } satisfies Message);
}
