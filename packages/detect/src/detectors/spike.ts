/** An entity does something far more often than it ever does. Knows no field by heart. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { type Baseline, remembered, usualOf } from "../baseline.ts";
import { day, type Episode, extend, hour, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { combined, concerns, distinctNames, entitiesOf, fieldList, shown, watchMembers, watchOf } from "../watches.ts";

interface State {
  readonly usual: Baseline;
  readonly last: Micros;
  readonly episode?: (Episode & { readonly most: number }) | undefined;
}

const watch = z.strictObject({
  ...watchMembers,
  entity: fieldList.describe("Fields whose values say whose rate it is, up to three."),
  least: z.int().min(2).max(100_000_000).default(50).describe("Events in a bucket below which nothing is reported, however unusual."),
});

const defaults: z.input<typeof watch>[] = [
  {
    name: "failed_logins",
    title: "failed to log in far more often than usual",
    where: "event.category:authentication and event.outcome:failure",
    entity: ["user.name"],
    least: 20,
    attack: ["T1110"],
  },
  {
    name: "file_deletions",
    title: "deleted far more files than usual",
    where: "event.category:file and event.type:deletion",
    entity: ["host.name", "user.name"],
    least: 500,
    severity: "medium",
    attack: ["T1485"],
  },
  {
    name: "cloud_calls",
    title: "called the cloud API far more often than usual",
    where: "event.module:aws and user.name:*",
    entity: ["user.name"],
    least: 200,
    attack: ["T1580"],
  },
  {
    name: "cloud_denials",
    title: "was refused by the cloud API far more often than usual",
    where: "event.module:aws and event.outcome:failure and user.name:*",
    entity: ["user.name"],
    least: 20,
    severity: "medium",
    attack: ["T1580", "T1087.004"],
  },
];

const call = (time: Micros, user = "ada") => ({ time, fields: { "event.module": "aws", "event.outcome": "success", "user.name": user } });
/** `n` calls in each hour of the day's work. */
const work = (days: number, n: number) =>
  Array.from({ length: days * 8 }, (_, h) =>
    Array.from({ length: n }, (_, i) => call(Math.floor(h / 8) * day + (9 + (h % 8)) * hour + i * second)),
  ).flat();
const burst = (at: Micros, n: number) => Array.from({ length: n }, (_, i) => call(at + i * 1_000));

export default defineDetector({
  name: "spike",
  title: "Far more than usual",
  summary: "Finds a user, host or account whose rate of something watched rises far above its own recent past.",
  description:
    "Counts events per entity in buckets of ten minutes and compares each with the entity's own buckets of the past week: six robust deviations above the median (MAD), half more than the busiest, and no fewer than the watch's `least`. The busiest bucket is what keeps nightly jobs quiet once they are known. A bucket that was found enters the past at its limit, so that a new habit becomes usual over days, and a slow ramp does not hide what it ends in. An entity is learned for a day before it is judged. Giving `watches` replaces the bundled ones.",
  response: [
    "Look what the events are and whether something was rolled out, restarted or scanned at that time.",
    "Unexplained: search the events of the same entity in the ten minutes named, by what they have in common.",
  ],
  stability: "beta",
  where: "*",
  asks: ({ watches }) => watches.map((watch) => watch.where),
  fields: ["event.action", "user.name", "host.name", "source.ip", "event.outcome", "event.dataset"],
  config: z.strictObject({
    bucket_s: z
      .int()
      .min(60)
      .max(86_400)
      .default(600)
      .describe("Width of a bucket in event time, seconds; ten minutes evens out what one script does."),
    memory_days: z
      .number()
      .min(1)
      .max(30)
      .default(7)
      .describe("How far back an entity is compared with itself, days: a week, so that weekly jobs are known."),
    learning_days: z.number().min(0).max(30).default(1).describe("How long an entity must be known before it is judged, days."),
    watches: z
      .array(watch)
      .max(50)
      .refine(distinctNames, "two watches have the same name")
      .prefault(defaults)
      .describe("What to watch: name, title, where, entity, least, severity, attack."),
  }),
  examples: [
    {
      title: "Three hundred calls after two days of thirty an hour",
      events: [...work(2, 30), ...burst(2 * day + 10 * hour, 300)],
      finds: ["ada called the cloud API far more often than usual: 300 in 10 min; the most so far was 30, the median 0"],
    },
    { title: "An ordinary day", events: work(4, 30), finds: [] },
    {
      title: "A nightly job that is known",
      events: [0, 1, 2, 3].flatMap((d) => burst(d * day + 2 * hour, 400 + d * 20)),
      finds: [],
    },
    { title: "A new user's first calls", events: burst(0, 1_000), finds: [] },
  ],

  key(fields, { watches }) {
    const keys: string[] = [];
    for (const one of watches) {
      const entity = concerns(one, fields) ? combined(fields, one.entity) : undefined;
      if (entity !== undefined) keys.push(`${one.name}\0${entity}`);
    }
    return keys.length === 0 ? undefined : keys;
  },

  tally: { bucket: ({ bucket_s }) => bucket_s * second, of: () => 0, merge: () => 0 },

  fold(input, state: State | undefined, config) {
    const watched = watchOf(config.watches, input.key);
    if (!watched) return { state };
    const { start, count, events } = input.tally!;
    const [width, memory] = [config.bucket_s * second, config.memory_days * day];
    const known = state !== undefined && start - state.usual.since >= config.learning_days * day;
    // fewer than what is watched for are nothing, whatever is usual
    const usual = known && count >= watched.least ? usualOf(state.usual, width, memory, start) : undefined;
    const limit = usual ? Math.max(watched.least, usual.limit) : Number.POSITIVE_INFINITY;
    const open = ongoing(state?.episode, start, hour);
    const next: State = { usual: remembered(state?.usual, memory, start, count, limit), last: start, episode: open };
    if (!usual || count < limit || usual.buckets === 0) return { state: next };
    const episode = { ...extend(open, hour, { time: input.time, start, events, count }), most: Math.max(open?.most ?? 0, count) };
    const entity = input.key.slice(watched.name.length + 1);
    const from = textField(input.fields, "source.ip");
    return {
      state: { ...next, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: watched.severity,
          summary: `${shown(entity)} ${watched.title}: ${episode.most.toLocaleString("en")} in ${span(width)}; the most so far was ${Math.round(usual.most).toLocaleString("en")}, the median ${Math.round(usual.median).toLocaleString("en")}`,
          events: episode.events,
          count: episode.count,
          entities: [...entitiesOf(watched.entity, entity), ...(from === undefined ? [] : [{ type: "source.ip", id: from }])],
          attack: watched.attack,
        },
      ],
    };
  },

  expires: (state, { memory_days }) => state.last + memory_days * day,
});
