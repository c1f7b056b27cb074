/** A credential that has a history is used from a network it never came from. Knows no geography. */
import { defineDetector, z } from "@vedette/kit";
import type { Fields, Micros } from "@vedette/model";
import { day, type Episode, extend, hour, list, ongoing, span, textField, windowOf } from "../episode.ts";
import { neighbourhood, network, within } from "../networks.ts";

interface State {
  readonly first: Micros;
  readonly last: Micros;
  /** Uses so far, counted up to what the learning asks for and a little more. */
  readonly uses: number;
  /** Networks and when each was used last, to the hour; the longest unused goes first. */
  readonly networks: readonly (readonly [network: string, last: Micros])[];
  readonly episode?: (Episode & { readonly fresh: readonly string[] }) | undefined;
}

/** A credential used from more networks than this has no home; the longest unused are forgotten. */
const maxNetworks = 64;

const use = (time: Micros, ip: string, more: Fields = { "linux.auth.ssh.key_fingerprint": "SHA256:abc" }) => ({
  time,
  fields: { "event.category": "authentication", "event.outcome": "success", "user.name": "ada", "source.ip": ip, ...more },
});
const weekOfUse = (more?: Fields) => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => use(n * day, n % 2 === 0 ? "192.0.2.7" : "192.0.2.201", more));

export default defineDetector({
  name: "new_network_key",
  title: "Credential used from a new network",
  summary: "Finds an SSH key, access token or account that is used from a network it has never come from since it is known.",
  description:
    "Remembers, for each SSH key fingerprint, each access key and (where an event names neither) each user, the networks of its successful uses: the autonomous system where the event tells it, else the /24 or IPv6 /48. It learns for a week and a few uses before it speaks. A stolen key is most often first seen this way. Noise: people who travel, and homes whose provider moves them between address blocks; events with source.as.number are judged by provider and make far fewer findings, which is why findings without it are low.",
  response: [
    "Ask the key's owner where they are; a laptop on a journey looks the same.",
    "Not they: withdraw the key everywhere, and read what was done with it since it was first seen in the new network.",
  ],
  stability: "beta",
  where:
    "event.outcome:success and source.ip:* and (event.category:authentication and user.name:* or aws.cloudtrail.userIdentity.accessKeyId:*)",
  fields: [
    "user.name",
    "source.ip",
    "linux.auth.ssh.key_fingerprint",
    "aws.cloudtrail.userIdentity.accessKeyId",
    "source.as.number",
    "source.as.organization.name",
    "host.name",
  ],
  config: z.strictObject({
    learning_days: z
      .number()
      .min(0)
      .max(90)
      .default(7)
      .describe("Days since a credential's first use before anything counts as new: a working week and its weekend."),
    min_uses: z.int().min(1).max(1_000).default(5).describe("Uses before anything counts as new: a key used once has no habits."),
    memory_days: z
      .number()
      .min(1)
      .max(400)
      .default(60)
      .describe("A network unused for so many days is new again, and a credential unused for as long is forgotten."),
    ignore: z.array(network).max(1_000).default([]).describe("Networks that are never news, such as the cluster's own and the VPN's."),
    users: z.boolean().default(true).describe("Whether users count where an event names neither key nor token."),
  }),
  examples: [
    {
      title: "A key from a network it never came from",
      events: [...weekOfUse(), use(8 * day, "203.0.113.5")],
      finds: [
        "SSH key SHA256:abc of ada was used from 203.0.113.0/24 (203.0.113.5) for the first time; known for 8 days from 192.0.2.0/24",
      ],
    },
    {
      title: "An access key from another provider",
      config: { learning_days: 1, min_uses: 2 },
      events: [
        use(0, "192.0.2.7", { "aws.cloudtrail.userIdentity.accessKeyId": "AKIAEXAMPLE", "source.as.number": 64500 }),
        use(2 * day, "198.51.100.1", { "aws.cloudtrail.userIdentity.accessKeyId": "AKIAEXAMPLE", "source.as.number": 64500 }),
        use(3 * day, "203.0.113.5", { "aws.cloudtrail.userIdentity.accessKeyId": "AKIAEXAMPLE", "source.as.number": 64511 }),
      ],
      finds: ["access key AKIAEXAMPLE of ada was used from AS64511 (203.0.113.5) for the first time; known for 3 days from AS64500"],
    },
    {
      title: "Another address of the same network",
      events: [...weekOfUse(), use(9 * day, "192.0.2.99")],
      finds: [],
    },
    { title: "A new key from anywhere", events: [use(0, "192.0.2.7"), use(hour, "203.0.113.5"), use(2 * hour, "198.51.100.9")], finds: [] },
  ],

  key: (fields, { users }) => {
    const who = credential(fields);
    return who === undefined || textField(fields, "source.ip") === undefined || (who.kind === "account" && !users)
      ? undefined
      : `${who.kind}\0${who.id}`;
  },

  fold(input, state: State | undefined, config) {
    const ip = textField(input.fields, "source.ip")!;
    const from = networkOf(input.fields, ip);
    if (from === undefined || within(ip, config.ignore)) return { state };
    const { time } = input;
    const oldest = time - config.memory_days * day;
    const known = (state?.networks ?? []).filter(([, last]) => last >= oldest);
    const met = known.find(([name]) => name === from);
    const uses = Math.min((state?.uses ?? 0) + 1, config.min_uses + 1);
    const first = state?.first ?? time;
    const base = { first, last: time, uses, episode: ongoing(state?.episode, time, day) };
    if (met) {
      const touched = time - met[1] < hour ? known : known.map((one) => (one === met ? ([from, time] as const) : one));
      return { state: { ...base, networks: touched } };
    }
    const networks = [...known, [from, time] as const].sort((a, b) => b[1] - a[1]).slice(0, maxNetworks);
    if (!state || state.uses < config.min_uses || time - first < config.learning_days * day || known.length === 0)
      return { state: { ...base, networks } };
    const fresh = [...(base.episode?.fresh ?? []), from].slice(-20);
    const episode = { ...extend(base.episode, day, { time, events: [input.event] }), fresh };
    const who = credential(input.fields)!;
    const user = textField(input.fields, "user.name");
    const whose = who.kind === "account" ? `account ${who.id}` : `${who.kind} ${who.id}${user === undefined ? "" : ` of ${user}`}`;
    return {
      state: { ...base, networks, episode },
      claims: [
        {
          window: windowOf(episode),
          severity: who.kind !== "account" && from.startsWith("AS") ? "medium" : "low",
          summary: `${whose} was used from ${list(fresh)} (${ip}) for the first time; known for ${span(time - first)} from ${list(
            known.map(([name]) => name),
            3,
          )}`,
          events: episode.events,
          count: episode.count,
          entities: [...(user === undefined ? [] : [{ type: "user.name", id: user }]), { type: "source.ip", id: ip }],
          attack: who.kind === "access key" ? ["T1078.004"] : who.kind === "SSH key" ? ["T1078", "T1021.004"] : ["T1078"],
        },
      ],
    };
  },

  expires: (state, { memory_days }) => state.last + memory_days * day,
});

/** The most particular thing that was used to get in. */
function credential(fields: Fields): { readonly kind: "SSH key" | "access key" | "account"; readonly id: string } | undefined {
  const key = textField(fields, "linux.auth.ssh.key_fingerprint");
  if (key !== undefined) return { kind: "SSH key", id: key };
  const token = textField(fields, "aws.cloudtrail.userIdentity.accessKeyId");
  if (token !== undefined) return { kind: "access key", id: token };
  const user = textField(fields, "user.name");
  return user === undefined ? undefined : { kind: "account", id: user.toLowerCase() };
}

function networkOf(fields: Fields, ip: string): string | undefined {
  const as = fields["source.as.number"];
  return typeof as === "number" ? `AS${as}` : neighbourhood(ip);
}
