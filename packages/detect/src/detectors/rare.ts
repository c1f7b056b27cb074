/** A value turns up on very few of many entities. Knows no field by heart. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { addDistinct, countDistinct, type Distinct, hash32 } from "../distinct.ts";
import { day, type Episode, extend, hour, list, minute, ongoing, textField, windowOf } from "../episode.ts";
import { combined, concerns, distinctNames, entitiesOf, fieldList, markOf, mergeTexts, shown, watchMembers, watchOf } from "../watches.ts";

interface State {
  readonly since: Micros;
  readonly last: Micros;
  readonly population: Distinct;
  /** Marks of a value and of the entities it was seen on (one more than counts as few, at most), and the day it was last seen; the longest unseen go first. */
  readonly values: readonly (readonly [value: string, entities: readonly string[], last: Micros])[];
  readonly episode?: (Episode & { readonly found: readonly string[] }) | undefined;
}
/** `watch NUL value NUL entity`. */
type Sightings = readonly string[];

const bucket: Micros = 10 * minute;
/** Values remembered of a watch; one with more has no common values, and would find everything rare. */
const maxValues = 2_000;
/** Sightings of one bucket: the first by alphabet, so that a flood costs no memory. */
const maxSightings = 512;
const maxFound = 50;

const watch = z.strictObject({
  ...watchMembers,
  value: fieldList.describe("Fields whose values together may be rare, up to three."),
  entity: fieldList.describe("Fields that tell on whom or what it was seen, up to three."),
});

const defaults: z.input<typeof watch>[] = [
  {
    name: "executable",
    title: "program that hardly any host runs",
    where:
      "event.category:process and event.type:start and process.executable:* and not process.executable:(/home/* or /scratch/* or /tmp/*)",
    value: ["process.executable"],
    entity: ["host.name"],
    attack: ["T1204.002"],
  },
  {
    name: "tls_client",
    title: "TLS client that hardly any host uses",
    where: "event.dataset:zeek.ssl and tls.client.ja3:*",
    value: ["tls.client.ja3"],
    entity: ["source.ip"],
    attack: ["T1071.001"],
  },
  {
    name: "user_agent",
    title: "user agent that hardly any host uses",
    where: "event.dataset:zeek.http and user_agent.original:*",
    value: ["user_agent.original"],
    entity: ["source.ip"],
    attack: ["T1071.001"],
  },
];

const start = (time: Micros, host: string, program: string) => ({
  time,
  fields: { "event.category": "process", "event.type": "start", "host.name": host, "process.executable": program },
});
const fleet = (days: number, hosts: number) =>
  Array.from({ length: days }, (_, d) => Array.from({ length: hosts }, (_, h) => start(d * day, `node${h}`, "/usr/sbin/cron"))).flat();

export default defineDetector({
  name: "rare",
  title: "Value seen on few entities",
  summary: "Finds a program, TLS client or other watched value that turns up on hardly any of many hosts.",
  description:
    "Each watch learns for some days which values there are and on how many entities. A value that then turns up on an entity, and is known on no more than a few in all, is found; what a tenth of an hour brings is one finding. Off until `enabled`: sites whose users build their own programs have many rare values by right, and the watches want to be fitted to what is managed and alike, such as compute nodes. Says nothing while fewer entities than `population` have been seen.",
  response: [
    "Look where the value came from: who put the program or setting there, and when.",
    "Unknown on a managed node: keep a copy, compare with another node, and take the node out of service until it is explained.",
  ],
  stability: "experimental",
  where: "*",
  asks: ({ enabled, watches }) => (enabled ? watches.map((watch) => watch.where) : []),
  fields: ["process.executable", "host.name", "source.ip", "tls.client.ja3", "user_agent.original", "user.name", "event.dataset"],
  config: z.strictObject({
    enabled: z.boolean().default(false).describe("Whether it runs: off by default, because its noise depends on the site."),
    entities: z
      .int()
      .min(1)
      .max(20)
      .default(1)
      .describe("On how many entities a value may have been seen and still be rare, itself included."),
    population: z
      .int()
      .min(2)
      .max(200)
      .default(20)
      .describe("Entities that must have been seen before anything is rare: one of fewer than twenty is more than one in twenty."),
    learning_days: z
      .number()
      .min(0)
      .max(90)
      .default(7)
      .describe("Days since a watch first saw anything before it speaks: a working week and its weekend."),
    memory_days: z
      .number()
      .min(1)
      .max(400)
      .default(30)
      .describe("A value not seen for so many days is forgotten: monthly chores stay known."),
    watches: z
      .array(watch)
      .max(20)
      .refine(distinctNames, "two watches have the same name")
      .prefault(defaults)
      .describe("What to watch: name, title, where, value, entity, severity, attack."),
  }),
  examples: [
    {
      title: "A program on one of thirty hosts",
      config: { enabled: true },
      events: [...fleet(9, 30), start(9 * day, "node7", "/usr/sbin/kworkerd")],
      finds: ["program that hardly any host runs: /usr/sbin/kworkerd on node7 (1 of 30)"],
    },
    {
      title: "A program that half of the hosts run, and one more comes",
      config: { enabled: true },
      events: [
        ...fleet(9, 30),
        ...Array.from({ length: 15 }, (_, h) => start(2 * day, `node${h}`, "/usr/bin/vim")),
        start(9 * day, "node20", "/usr/bin/vim"),
      ],
      finds: [],
    },
    {
      title: "Three hosts in all",
      config: { enabled: true },
      events: [...fleet(9, 3), start(9 * day, "node1", "/usr/sbin/kworkerd")],
      finds: [],
    },
    { title: "Not enabled", events: [...fleet(9, 30), start(9 * day, "node7", "/usr/sbin/kworkerd")], finds: [] },
  ],

  key(fields, { enabled, watches }) {
    if (!enabled) return undefined;
    const keys = watches
      .filter((w) => concerns(w, fields) && combined(fields, w.value) !== undefined && combined(fields, w.entity) !== undefined)
      .map((w) => `${w.name}\0`);
    return keys.length === 0 ? undefined : keys;
  },

  tally: {
    bucket: () => bucket,
    of: (fields, _time, { watches }): Sightings =>
      watches
        .filter((w) => concerns(w, fields))
        .flatMap((w) => {
          const [value, entity] = [combined(fields, w.value), combined(fields, w.entity)];
          return value === undefined || entity === undefined ? [] : [`${w.name}\0${value}\0${entity}`];
        })
        .sort(),
    merge: (into: Sightings, more: Sightings) => mergeTexts(into, more, maxSightings),
  },

  fold(input, state: State | undefined, config) {
    const watched = watchOf(config.watches, input.key);
    if (!watched) return { state };
    const { start: at, value, events } = input.tally!;
    const seen = (value as Sightings)
      .filter((s) => s.startsWith(input.key))
      .map((s) => s.slice(input.key.length).split("\0") as [string, string]);
    const oldest = at - config.memory_days * day;
    const values = new Map(
      (state?.values ?? []).filter(([, , last]) => last >= oldest).map(([v, entities, last]) => [v, { entities, last }]),
    );
    const population = [...(state?.population ?? [])];
    const added: [string, string][] = [];
    for (const [term, entity] of seen) {
      addDistinct(population, [hash32(entity)]);
      const [mark, on] = [markOf(term), markOf(entity)];
      const known = values.get(mark);
      const isNew = !known?.entities.includes(on);
      if (isNew && (known?.entities.length ?? 0) <= config.entities) {
        values.delete(mark);
        values.set(mark, { entities: [...(known?.entities ?? []), on], last: at });
        added.push([term, entity]);
      } else if (known && at - known.last > day / 2) {
        values.delete(mark);
        values.set(mark, { entities: known.entities, last: at });
      }
    }
    const since = state?.since ?? at;
    const kept = [...values].slice(-maxValues).map(([v, { entities, last }]) => [v, entities, last] as const);
    const next: State = { since, last: input.time, population, values: kept, episode: ongoing(state?.episode, at, hour) };
    const size = countDistinct(population);
    if (at - since < config.learning_days * day || size < config.population || values.size > maxValues) return { state: next };
    const rare = added.filter(([term]) => values.get(markOf(term))!.entities.length <= config.entities);
    if (rare.length === 0) return { state: next };
    const open = next.episode && at - next.episode.start < hour ? next.episode : undefined;
    const told = rare.map(
      ([term, entity]) => `${shown(term)} on ${shown(entity)} (${values.get(markOf(term))!.entities.length} of ${size})`,
    );
    const episode = {
      ...extend(open, hour, { time: input.time, events, count: rare.length }),
      found: [...(open?.found ?? []), ...told].slice(0, maxFound),
    };
    const user = textField(input.fields, "user.name");
    return {
      state: { ...next, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: watched.severity,
          summary: `${watched.title}: ${list(episode.found, 3)}`,
          events: episode.events,
          count: episode.count,
          entities: [
            ...rare.slice(0, 5).flatMap(([, entity]) => entitiesOf(watched.entity, entity)),
            ...(user === undefined ? [] : [{ type: "user.name", id: user }]),
          ],
          attack: watched.attack,
        },
      ],
    };
  },

  expires: (state, { memory_days }) => state.last + memory_days * day,
});
