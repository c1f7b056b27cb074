/** An entity does, for the first time in weeks, something that a watch names. Knows no field by heart. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, list, ongoing, second, span, textField, windowOf } from "../episode.ts";
import { combined, concerns, distinctNames, entitiesOf, fieldList, markOf, mergeTexts, shown, watchMembers, watchOf } from "../watches.ts";

interface State {
  readonly since: Micros;
  readonly last: Micros;
  /** Marks of terms and when each was last seen, to the day. */
  readonly terms: readonly (readonly [term: string, last: Micros])[];
  readonly episode?: (Episode & { readonly fresh: readonly string[] }) | undefined;
}
/** `watch NUL term`: an event may concern several watches, and each key takes its own. */
type Terms = readonly string[];

/** Short, so that the evidence is the event that was new and not its neighbours. */
const bucket: Micros = second;
/** An entity with more different terms has no habits; the watch then says nothing about it. */
const maxTerms = 1_000;
/** Terms of one bucket; a flood of new ones is told by its first. */
const maxFresh = 64;

const watch = z.strictObject({
  ...watchMembers,
  entity: fieldList.describe("Fields whose values say whose habit it is, up to three."),
  terms: fieldList.describe("Fields whose values together are the term, up to three."),
});
type Watch = z.output<typeof watch>;

const defaults: z.input<typeof watch>[] = [
  {
    name: "service_child",
    title: "service started a program it never started",
    where:
      "event.category:process and event.type:start and process.parent.name:(nginx or httpd or apache2 or php-fpm or java or tomcat or node or postgres or mysqld or slurmctld or slurmdbd or munged)",
    entity: ["host.name", "process.parent.name"],
    terms: ["process.executable"],
    severity: "medium",
    attack: ["T1190", "T1505.003"],
  },
  {
    name: "root_command",
    title: "ran a program as another user for the first time",
    where: "event.action:sudo_command and event.outcome:success",
    entity: ["user.name"],
    terms: ["process.executable", "user.effective.name"],
    attack: ["T1548.003"],
  },
  {
    name: "login_host",
    title: "logged in to a host for the first time",
    where: "event.category:authentication and event.outcome:success and event.module:linux",
    entity: ["user.name"],
    terms: ["host.name"],
    attack: ["T1078", "T1021"],
  },
  {
    name: "cloud_region",
    title: "account was used in a region for the first time",
    where: "event.module:aws and event.outcome:success and event.type:(creation or change or deletion)",
    entity: ["cloud.account.id"],
    terms: ["cloud.region"],
    severity: "medium",
    attack: ["T1535"],
  },
  {
    name: "cloud_action",
    title: "called an API for the first time",
    where: "event.module:aws and event.outcome:success and user.name:*",
    entity: ["user.name"],
    terms: ["event.provider", "event.action"],
    severity: "informational",
    attack: ["T1078.004"],
  },
];

const sudo = (time: Micros, program: string, user = "ada") => ({
  time,
  fields: {
    "event.action": "sudo_command",
    "event.outcome": "success",
    "user.name": user,
    "process.executable": program,
    "user.effective.name": "root",
  },
});
const habits = (days: number) => Array.from({ length: days }, (_, n) => sudo(n * day, n % 2 === 0 ? "/usr/bin/systemctl" : "/usr/bin/apt"));

export default defineDetector({
  name: "new_terms",
  title: "First time for this entity",
  summary: "Finds a user, host or account that does something it has not done within its memory, as the watches name it.",
  description:
    "Each watch says which events to look at, whose habit is learned (`entity`), and what may be new (`terms`, up to three fields taken together). An entity is learned for some days before anything counts as new, and what was not seen for the memory is new again. What is new within an hour is one finding. Giving `watches` replaces the bundled ones. Noise depends on the watch: the bundled ones about services and regions are rare events, those about log-ins and sudo are low, API calls are for hunting. An entity with more than 1,000 different terms has no habits and is left alone.",
  response: [
    "Is the new thing known to whoever looks after the host or account? A change that was announced explains most.",
    "Nobody knows it: look at what the same entity did in the hour before and after.",
  ],
  stability: "beta",
  where: "*",
  asks: ({ watches }) => watches.map((watch) => watch.where),
  fields: ["event.action", "host.name", "user.name", "source.ip", "process.executable", "event.dataset"],
  config: z.strictObject({
    learning_days: z
      .number()
      .min(0)
      .max(90)
      .default(7)
      .describe("Days since an entity was first seen before anything counts as new: a working week and its weekend."),
    memory_days: z
      .number()
      .min(1)
      .max(400)
      .default(30)
      .describe("A term not seen for so many days is new again, and an entity is forgotten: monthly chores stay known."),
    watches: z
      .array(watch)
      .max(50)
      .refine(distinctNames, "two watches have the same name")
      .prefault(defaults)
      .describe("What to watch: name, title, where, entity, terms, severity, attack."),
  }),
  examples: [
    {
      title: "A sudo command after ten days of others",
      events: [...habits(10), sudo(10 * day, "/usr/bin/passwd")],
      finds: ["ada ran a program as another user for the first time: /usr/bin/passwd · root (2 others known for 10 days)"],
    },
    {
      title: "A watch of one's own: a project's data read by another program",
      config: {
        learning_days: 1,
        watches: [
          {
            name: "data_reader",
            title: "was read by a program for the first time",
            where: "event.category:file and file.path:/data/secret/*",
            entity: ["file.path"],
            terms: ["process.name", "user.name"],
            severity: "medium",
          },
        ],
      },
      events: [
        { time: 0, fields: { "event.category": "file", "file.path": "/data/secret/a", "process.name": "train", "user.name": "ada" } },
        { time: 2 * day, fields: { "event.category": "file", "file.path": "/data/secret/a", "process.name": "scp", "user.name": "ada" } },
      ],
      finds: ["/data/secret/a was read by a program for the first time: scp · ada (1 other known for 2 days)"],
    },
    { title: "The first week of an account", events: [...habits(3), sudo(3 * day, "/usr/bin/passwd")], finds: [] },
    { title: "The same commands for weeks, one of them weekly", events: [...habits(21), sudo(21 * day, "/usr/bin/apt")], finds: [] },
  ],

  key(fields, { watches }) {
    const keys: string[] = [];
    for (const one of watches) {
      if (!concerns(one, fields)) continue;
      const entity = combined(fields, one.entity);
      if (entity !== undefined && combined(fields, one.terms) !== undefined) keys.push(`${one.name}\0${entity}`);
    }
    return keys.length === 0 ? undefined : keys;
  },

  tally: {
    bucket: () => bucket,
    of: (fields, _time, { watches }): Terms => watches.flatMap((one) => termOf(one, fields)).sort(),
    merge: (into: Terms, more: Terms) => mergeTexts(into, more, maxFresh),
  },

  fold(input, state: State | undefined, config) {
    const watched = watchOf(config.watches, input.key);
    if (!watched) return { state };
    const { start, value, events } = input.tally!;
    const prefix = `${watched.name}\0`;
    const seen = (value as Terms).filter((t) => t.startsWith(prefix)).map((t) => t.slice(prefix.length));
    const oldest = start - config.memory_days * day;
    const known = state?.terms ?? [];
    const current = known.some(([, last]) => last < oldest) ? known.filter(([, last]) => last >= oldest) : known;
    const marks = seen.map(markOf);
    const fresh = seen.filter((_, n) => !current.some(([mark]) => mark === marks[n]));
    const terms = touched(current, marks, start);
    const since = state?.since ?? start;
    const next: State = { since, last: input.time, terms, episode: ongoing(state?.episode, start, hour) };
    if (fresh.length === 0 || start - since < config.learning_days * day || current.length === 0 || terms.length > maxTerms)
      return { state: { ...next, terms: terms.slice(-maxTerms - 1) } };
    const episode = {
      // one finding an hour, however many new things it holds
      ...extend(next.episode && start - next.episode.start < hour ? next.episode : undefined, hour, {
        time: input.time,
        events,
        count: fresh.length,
      }),
      fresh: [...new Set([...(next.episode && start - next.episode.start < hour ? next.episode.fresh : []), ...fresh])].slice(0, maxFresh),
    };
    const entity = input.key.slice(prefix.length);
    const told = episode.fresh.map(markOf);
    const others = current.filter(([mark]) => !told.includes(mark)).length;
    return {
      state: { ...next, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: watched.severity,
          summary: `${shown(entity)} ${watched.title}: ${list(episode.fresh.map(shown), 3)} (${others} ${others === 1 ? "other" : "others"} known for ${span(start - since)})`,
          events: episode.events,
          count: episode.count,
          entities: about(watched, entity, input.fields),
          attack: watched.attack,
        },
      ],
    };
  },

  expires: (state, { memory_days }) => state.last + memory_days * day,
});

function termOf(watched: Watch, fields: Fields): readonly string[] {
  if (!concerns(watched, fields)) return [];
  const term = combined(fields, watched.terms);
  return term === undefined ? [] : [`${watched.name}\0${term}`];
}

/** Terms with those just seen at the end; written anew only once a day, so that habits cost nothing. */
function touched(terms: State["terms"], seen: readonly string[], at: Micros): State["terms"] {
  const stale = seen.filter((mark) => (terms.find(([one]) => one === mark)?.[1] ?? Number.NEGATIVE_INFINITY) < at - day / 2);
  if (stale.length === 0) return terms;
  return [...terms.filter(([one]) => !stale.includes(one)), ...stale.map((mark) => [mark, at] as const)];
}

function about(watched: Watch, entity: string, fields: Fields) {
  const named = entitiesOf(watched.entity, entity);
  for (const type of ["host.name", "user.name"]) {
    const id = textField(fields, type);
    if (id !== undefined && !named.some((e) => e.type === type)) named.push({ type, id });
  }
  return named;
}
