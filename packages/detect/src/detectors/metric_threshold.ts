/** A series is above or below a limit for a while. Knows no metric by heart. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { type Episode, extend, list, minute, second, span, textField, windowOf } from "../episode.ts";
import { type Bucket, bucketOf, type Measure, measureOf, mergeMeasures } from "../measures.ts";
import { combined, concerns, distinctNames, entitiesOf, fieldList, shown, watchMembers, watchOf } from "../watches.ts";

interface State {
  /** Start of the first bucket without a long gap before the next. */
  readonly since: Micros;
  /** Those that the function still looks at, oldest first. */
  readonly buckets: readonly Bucket[];
  /** The newest point of each counter. */
  readonly newest: { readonly [series: string]: readonly [time: Micros, value: number] };
  /** Since when it holds. */
  readonly held: Micros | undefined;
  readonly episode?: (Episode & { readonly extreme: number }) | undefined;
}

const functions = ["avg", "min", "max", "sum", "count", "last", "rate", "increase"] as const;
const watch = z
  .strictObject({
    ...watchMembers,
    where: watchMembers.where.describe(
      "Which samples, in the query language, over metric.name, metric.kind, labels.NAME, host.name, service.name, vedette.source.",
    ),
    entity: fieldList
      .default(["host.name"])
      .describe(
        "Fields whose values say whose value it is, up to three: all series of one entity are taken together. Samples without them do not count.",
      ),
    function: z
      .enum(functions)
      .default("avg")
      .describe("What of the samples is compared; rate and increase are of counters, over their resets."),
    over_s: z.int().min(10).max(3_600).multipleOf(10).default(60).describe("Of how long the function is, seconds."),
    above: z.number().optional().describe("The limit that must be exceeded."),
    below: z.number().optional().describe("The limit that must be fallen short of; one of the two is given."),
    for_s: z.int().min(0).max(86_400).default(0).describe("How long without a break it must hold before it is found, seconds."),
  })
  .refine((one) => (one.above === undefined) !== (one.below === undefined), "expected either above or below");
type Watch = z.output<typeof watch>;

/** Ten seconds: the finest roll-up that is kept. */
const width = 10 * second;
/** Nothing measured for so long is a break: longer than the usual intervals of scraping, a minute at most. */
const silence = 5 * minute;

const at = (s: number, value: number, more: { readonly [field: string]: string } = {}) => ({
  time: s * second,
  fields: {
    "event.dataset": "vedette.metric",
    "metric.name": "load",
    "metric.kind": "gauge",
    "metric.value": value,
    "host.name": "n1",
    ...more,
  },
});
const every10 = (from_s: number, to_s: number, value: (s: number) => number, more = {}) =>
  Array.from({ length: (to_s - from_s) / 10 }, (_, i) => at(from_s + i * 10, value(from_s + i * 10), more));
const loaded = { name: "busy", title: "is busy", where: "metric.name:load", above: 0.9, for_s: 60 };

export default defineDetector({
  name: "metric_threshold",
  title: "A metric is beyond a limit",
  summary: "Finds an entity of whose series a function over time is above or below a limit for a while.",
  description:
    "Sums up samples in buckets of ten seconds and compares, with each bucket, a function of the last `over_s` seconds with the limit; what holds without a break for `for_s` is one finding, amended while it goes on. " +
    "Nothing is judged before `over_s` has been measured unless the rest of it could not change the answer (a maximum above its limit), and nothing measured for five minutes is a break. There is no watch unless one is declared: limits are the site's. " +
    "Spans are measured too: `traces.service.duration` and `traces.service.failed` (by service.name), `traces.edge.duration` and `traces.edge.failed` (by labels.client and labels.server). " +
    "A correlation takes a watch's findings by the name `detector.metric_threshold.NAME`. Samples that come too late are not judged, and counted.",
  response: [
    "Look at the series over the day: a step tells of a change, a slope of something that grows.",
    "Where the limit is simply too low for this host, change the watch; an alert that nobody acts upon hides the next.",
  ],
  stability: "beta",
  where: "event.dataset:vedette.metric",
  asks: ({ watches }) => watches.map((one) => one.where),
  parts: ({ watches }) => watches.map((one) => one.name),
  unstored: true,
  fields: [
    "metric.name",
    "metric.kind",
    "metric.value",
    "host.name",
    "service.name",
    "labels.instance",
    "labels.job",
    "labels.client",
    "labels.server",
  ],
  config: z.strictObject({
    watches: z
      .array(watch)
      .max(200)
      .refine(distinctNames, "two watches have the same name")
      .default([])
      .describe("What to watch: name, title, where, entity, function, over_s, above or below, for_s, severity, attack."),
  }),
  examples: [
    {
      title: "A load that stays high for a minute",
      config: { watches: [loaded] },
      events: every10(0, 300, (s) => (s < 100 ? 0.2 : 0.95)),
      finds: Array.from({ length: 10 }, (_, i) => `n1 is busy: avg over 60 s 0.95, above 0.9 for ${span((60 + i * 10) * second)}`),
    },
    {
      title: "A load that is high for a moment",
      config: { watches: [loaded] },
      events: every10(0, 300, (s) => (s === 100 ? 3 : 0.2)),
      finds: [],
    },
    {
      title: "A counter that begins again at zero while it grows as ever",
      config: { watches: [{ name: "errors", title: "fails often", where: "metric.name:load", function: "rate", above: 2 }] },
      events: every10(0, 300, (s) => (s < 150 ? s : s - 150), { "metric.kind": "counter" }),
      finds: [],
    },
    {
      title: "Another series",
      config: { watches: [{ ...loaded, where: "metric.name:load and labels.job:other" }] },
      events: every10(0, 300, () => 9),
      finds: [],
    },
  ],

  key(fields, { watches }) {
    const keys: string[] = [];
    for (const one of watches) {
      const entity = concerns(one, fields) ? combined(fields, one.entity) : undefined;
      if (entity !== undefined) keys.push(`${one.name}\0${entity}`);
    }
    return keys.length === 0 ? undefined : keys;
  },

  tally: { bucket: () => width, of: measureOf, merge: (into: Measure, more: Measure) => mergeMeasures(into, more) },

  fold(input, state: State | undefined, { watches }) {
    const watched = watchOf(watches, input.key);
    if (!watched) return { state };
    const { start, value, events } = input.tally!;
    const over = watched.over_s * second;
    const last = state?.buckets.at(-1)?.start;
    const broken = last === undefined || start - last > Math.max(silence, over);
    const { bucket, newest } = bucketOf(start, value as Measure, broken ? {} : state!.newest);
    const buckets = [...(broken ? [] : state!.buckets.filter((one) => one.start > start - over)), bucket];
    const since = broken ? start : state!.since;
    const now = start + width;
    const result = now - since >= over || certain(watched) ? compared(watched, buckets) : undefined;
    const holds = result !== undefined && (watched.above === undefined ? result < watched.below! : result > watched.above);
    const held = holds ? ((broken ? undefined : state!.held) ?? start) : undefined;
    if (held === undefined) return { state: { since, buckets, newest, held } };
    const open = state?.episode?.start === held ? state.episode : undefined;
    const grown = extend(open, Number.POSITIVE_INFINITY, { time: input.time, start: held, events, count: bucket.n });
    const furthest = watched.above === undefined ? Math.min : Math.max;
    const episode = { ...grown, extreme: furthest(open?.extreme ?? result!, result!) };
    const next: State = { since, buckets, newest, held, episode };
    if (now - held < watched.for_s * second) return { state: next };
    return { state: next, claims: [claimOf(watched, input.key, input.fields, episode, now - held)] };
  },

  expires: (state) => (state.buckets.at(-1)?.start ?? 0) + silence + 3_600 * second,
});

/** Whether what is beyond the limit stays so, whatever else the rest of the time will bring. */
const certain = (watched: Watch): boolean =>
  watched.function === "last" ||
  (watched.above === undefined ? watched.function === "min" : ["max", "count", "increase", "rate"].includes(watched.function));

function compared(watched: Watch, buckets: readonly Bucket[]): number {
  const n = buckets.reduce((sum, one) => sum + one.n, 0);
  const sum = () => buckets.reduce((all, one) => all + one.sum, 0);
  const increase = () => buckets.reduce((all, one) => all + one.increase, 0);
  const value = {
    avg: () => sum() / n,
    sum,
    count: () => n,
    min: () => Math.min(...buckets.map((one) => one.min)),
    max: () => Math.max(...buckets.map((one) => one.max)),
    last: () => buckets.at(-1)!.last,
    increase,
    rate: () => increase() / watched.over_s,
  }[watched.function]();
  // sums of the same numbers in another order differ in the last digits: they must not decide
  return Number(value.toPrecision(9));
}

function claimOf(watched: Watch, key: string, fields: Fields, episode: Episode & { readonly extreme: number }, held: Micros) {
  const entity = key.slice(watched.name.length + 1);
  const limit = watched.above === undefined ? `below ${watched.below}` : `above ${watched.above}`;
  const figure = Number(episode.extreme.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 });
  const own = ["host.name", "service.name"].flatMap((type) => {
    const id = watched.entity.includes(type) ? undefined : textField(fields, type);
    return id === undefined ? [] : [{ type, id }];
  });
  return {
    window: windowOf(episode),
    severity: watched.severity,
    summary: `${list([shown(entity)])} ${watched.title}: ${watched.function} over ${span(watched.over_s * second)} ${figure}, ${limit} for ${span(held)}`,
    events: episode.events,
    count: episode.count,
    entities: [...entitiesOf(watched.entity, entity), ...own],
    attack: watched.attack,
    fields: { "rule.id": `metric_threshold.${watched.name}`, "metric.name": fields["metric.name"] },
  };
}
