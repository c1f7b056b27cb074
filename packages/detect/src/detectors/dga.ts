/** One address asks for many domains that do not exist and that nobody would have named so. Knows no malware family. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { oddFrom } from "../dga_model.ts";
import { addDistinct, countDistinct, type Distinct, distinctOf, unionOf } from "../distinct.ts";
import { isBelow, splitDomain } from "../domains.ts";
import { type Episode, extend, hour, list, minute, ongoing, second, textField, windowOf } from "../episode.ts";
import { network, within } from "../networks.ts";
import { surprise } from "../surprise.ts";

/** Registered domains a source asked for in a bucket. */
interface Asked {
  readonly existing: Distinct;
  readonly missing: Distinct;
  /** Missing ones that look generated. */
  readonly odd: Distinct;
  /** A few of those, the first by alphabet. */
  readonly named: readonly string[];
  /** A few of the missing ones that look like words. */
  readonly spoken: readonly string[];
}
interface State {
  readonly buckets: readonly (Asked & { readonly start: Micros; readonly events: readonly string[] })[];
  readonly last: Micros;
  readonly episode?: (Episode & { readonly domains: Distinct; readonly named: readonly string[] }) | undefined;
}

const bucket: Micros = 10 * minute;
const window: Micros = hour;
/** Domains named in the summary and kept for it. */
const maxNamed = 5;
/** Shorter labels may be anything: abbreviations look as random as random text. */
const leastLength = 7;

const answer = (time: Micros, name: string, code = "NXDOMAIN") => ({
  time,
  fields: { "event.dataset": "zeek.dns", "source.ip": "10.0.0.9", "dns.question.name": name, "dns.response_code": code },
});
const generated = [
  "xkqjvwzpt",
  "qzrtfplmx",
  "wvbnxkzjq",
  "pqlzmxnrt",
  "zxcvqwrtp",
  "ghjkqzxwv",
  "mnbvxzqpl",
  "trqwzxplk",
  "lkjhqzxcv",
  "bvcxzqwpk",
];
const spoken = [
  "wintergarden",
  "bluehorizon",
  "papermoon",
  "riverstone",
  "coldharbour",
  "mountainview",
  "silverlake",
  "northernlight",
  "greenfield",
  "oldtownbakery",
];

export default defineDetector({
  name: "dga",
  title: "Generated domain names",
  summary: "Finds a source that asks for many domains which do not exist and whose names look generated.",
  description:
    "Malware that generates the day's domains asks for all of them until one exists. Per source and hour: how many different registered domains did not exist, how many of their names are less likely, character after character, than 99 of 100 names people chose (a model of 841 numbers made from words, in the repository with its script), and how many did exist. Names made of words are told only by their number: a source most of whose domains do not exist, five times as many as would do for odd ones, is medium. Behind a forwarding resolver the source is the resolver, and the finding says only that somebody behind it is infected.",
  response: [
    "Look which process of the source asks: the finding says how many of the names existed, and those are where it would be led.",
    "Behind a resolver, find the client in the resolver's own log. Isolate the host, then look what was started on it shortly before the first name.",
  ],
  stability: "beta",
  where: "dns.question.name:* and source.ip:* and dns.response_code:*",
  fields: ["source.ip", "dns.question.name", "dns.response_code", "destination.ip"],
  by: ["source.ip"],
  config: z.strictObject({
    domains: z
      .int()
      .min(3)
      .max(1_000)
      .default(10)
      .describe(
        "Different generated-looking domains that do not exist, within an hour; the group of ten that Antonakakis et al., From Throw-Away Traffic to Bots (2012) found enough to tell a family.",
      ),
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("Share of the domains that did not exist which must look generated: of a person's typing errors few do."),
    missing_share: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe("Share of all the source's domains that must not exist; of ordinary clients' a few in a hundred do not."),
    spoken_domains: z
      .int()
      .min(10)
      .max(10_000)
      .default(50)
      .describe(
        "Different domains that do not exist, within an hour, that make a finding whatever their names are, where they outnumber those that exist: five of the groups above, for a family that joins words asks for as many as any other.",
      ),
    ignore: z.array(network).max(1_000).default([]).describe("Sources that are asked to ask: mail filters, crawlers, security tools."),
    ignore_domains: z
      .array(z.string())
      .max(1_000)
      .default([])
      .describe("Domains that are looked up in vain by design, such as block lists."),
  }),
  examples: [
    {
      title: "Ten generated names in a minute",
      events: generated.map((name, n) => answer(n * 5 * second, `${name}.example`)),
      finds: [
        "10.0.0.9 asked for 10 domains that do not exist and look generated, of 10 that do not exist: bvcxzqwpk.example, ghjkqzxwv.example, lkjhqzxcv.example, mnbvxzqpl.example, pqlzmxnrt.example",
      ],
    },
    {
      title: "Ten names that people could have chosen",
      events: spoken.map((name, n) => answer(n * 5 * second, `${name}.example`)),
      finds: [],
    },
    {
      title: "Joined words by the dozen, none of which exists",
      events: spoken.flatMap((name, n) =>
        spoken.slice(0, 6).map((other, i) => answer((n * 6 + i) * 10 * second, `${name}${other}.example`)),
      ),
      finds: [
        "10.0.0.9 asked for 60 domains that do not exist and for 0 that do: bluehorizonbluehorizon.example, bluehorizoncoldharbour.example, bluehorizonmountainview.example, bluehorizonpapermoon.example, bluehorizonriverstone.example",
      ],
    },
    {
      title: "A crawler that meets many dead links among living ones",
      events: spoken.flatMap((name, n) =>
        spoken
          .slice(0, 8)
          .flatMap((other, i) => [
            answer((n * 8 + i) * 10 * second, `${name}${other}.example`),
            answer((n * 8 + i) * 10 * second, `${other}-${name}.example`, "NOERROR"),
          ]),
      ),
      finds: [],
    },
    {
      title: "Random hosts of one domain, single words, reverse look-ups, and names that exist",
      events: generated.flatMap((name, n) => [
        answer(n * second, `${name}.corp.example`),
        answer(n * second, name),
        answer(n * second, `${n}.2.0.192.in-addr.arpa`),
        answer(n * second, `${name}.example`, "NOERROR"),
      ]),
      finds: [],
    },
  ],

  key(fields, { ignore, ignore_domains }) {
    const domain = splitDomain(textField(fields, "dns.question.name"));
    const code = fields["dns.response_code"];
    if (!domain || (code !== "NXDOMAIN" && code !== "NOERROR") || isBelow(domain.registered, ignore_domains)) return undefined;
    const from = textField(fields, "source.ip");
    return from === undefined || within(from, ignore) ? undefined : from;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Asked {
      const { registered, label } = splitDomain(textField(fields, "dns.question.name"))!;
      const one = distinctOf(registered);
      if (fields["dns.response_code"] === "NOERROR") return { existing: one, missing: [], odd: [], named: [], spoken: [] };
      if (label.length < leastLength || label.startsWith("xn--") || surprise(label) <= oddFrom)
        return { existing: [], missing: one, odd: [], named: [], spoken: [registered] };
      return { existing: [], missing: one, odd: distinctOf(registered), named: [registered], spoken: [] };
    },
    merge: (into: Asked, more: Asked) => ({
      existing: addDistinct(into.existing as number[], more.existing),
      missing: addDistinct(into.missing as number[], more.missing),
      odd: addDistinct(into.odd as number[], more.odd),
      named: firstOf(into.named, more.named),
      spoken: firstOf(into.spoken, more.spoken),
    }),
  },

  fold(input, state: State | undefined, config) {
    const { start, value, events } = input.tally!;
    const asked = value as Asked;
    const buckets = [...(state?.buckets ?? []).filter((b) => b.start > start - window), { start, ...asked, events }];
    const episode = ongoing(state?.episode, start, window);
    const next: State = { buckets, last: input.time, episode };
    const odd = unionOf(buckets.map((b) => b.odd));
    const [generatedLooking, missing, existing] = [
      odd,
      unionOf(buckets.map((b) => b.missing)),
      unionOf(buckets.map((b) => b.existing)),
    ].map(countDistinct) as [number, number, number];
    const looksGenerated =
      generatedLooking >= config.domains &&
      generatedLooking >= config.share * missing &&
      missing >= config.missing_share * (missing + existing);
    const mostMissing = missing >= config.spoken_domains && missing > existing;
    if (looksGenerated ? asked.odd.length === 0 : !mostMissing || asked.missing.length === 0) return { state: next };
    const domains = looksGenerated ? odd : unionOf(buckets.map((b) => b.missing));
    const all = episode ? unionOf([episode.domains, domains]) : domains;
    const grown = extend(episode, window, {
      time: input.time,
      start: buckets[0]!.start,
      events: episode ? events : buckets.flatMap((b) => b.events),
      count: 0,
    });
    const named = buckets.reduce<readonly string[]>(
      (names, b) => firstOf(names, looksGenerated ? b.named : b.spoken),
      episode?.named ?? [],
    );
    const n = countDistinct(all);
    const found = { ...grown, count: n, domains: all, named };
    const [asks, not] = [n.toLocaleString("en"), missing.toLocaleString("en")];
    return {
      state: { ...next, episode: found },
      claims: [
        {
          window: windowOf(found),
          severity: looksGenerated ? "high" : "medium",
          summary: looksGenerated
            ? `${input.key} asked for ${asks} domains that do not exist and look generated, of ${not} that do not exist: ${list(named)}`
            : `${input.key} asked for ${asks} domains that do not exist and for ${existing.toLocaleString("en")} that do: ${list(named)}`,
          events: found.events,
          count: n,
          entities: [{ type: "source.ip", id: input.key }],
          attack: ["T1568.002"],
        },
      ],
    };
  },

  expires: (state) => state.last + window,
});

const firstOf = (a: readonly string[], b: readonly string[]): readonly string[] => [...new Set([...a, ...b])].sort().slice(0, maxNamed);
