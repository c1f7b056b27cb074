/** One address asks so many long, different names below one domain that data must be travelling in them. Knows no tool. */
import { defineDetector, z } from "@vedette/kit";
import type { Micros } from "@vedette/model";
import { addDistinct, countDistinct, type Distinct, distinctOf, hash32 } from "../distinct.ts";
import { entropyOf, isBelow, splitDomain } from "../domains.ts";
import { day, type Episode, extend, minute, ongoing, second, textField, windowOf } from "../episode.ts";
import { network, within } from "../networks.ts";

interface Questions {
  readonly names: Distinct;
  readonly count: number;
  /** Characters before the registered domain, over all questions. */
  readonly characters: number;
  /** What those characters can carry by their entropy, in whole millibits: sums of fractions would depend on their order. */
  readonly millibits: number;
  /** Questions of types that carry data back. */
  readonly carrying: number;
}
interface State extends Questions {
  readonly start: Micros;
  readonly last: Micros;
  readonly events: readonly string[];
  readonly episode?: Episode | undefined;
}

/** Types whose answers hold free text or bytes, as iodine, dnscat2 and dns2tcp use them; CNAME and MX carry less and are asked by everybody. */
const carriers = new Set(["TXT", "NULL", "KEY"]);
/** Names under which sites publish TXT for mail and certificates (RFC 8552): those are asked by everybody who receives mail. */
const published = /(?:^|\.)(?:_[a-z0-9-]+|dkim)(?:\.|$)/;
const bucket: Micros = 10 * minute;

const question = (time: Micros, name: string, type = "A") => ({
  time,
  fields: { "event.dataset": "zeek.dns", "source.ip": "10.0.0.9", "dns.question.name": name, "dns.question.type": type },
});
/** Text that looks encoded, the same every time. */
const encoded = (n: number, length: number) =>
  Array.from({ length }, (_, i) => "abcdefghijklmnopqrstuvwxyz234567"[hash32(`${n} ${i}`) % 32]).join("");

export default defineDetector({
  name: "dns_tunnel",
  title: "Data in DNS names",
  summary: "Finds a source whose questions below one domain carry more data than names need to.",
  description:
    "Per source and registered domain, over a day: how many different names were asked, how long they are and how much their characters can carry by their entropy. The product bounds what can have left; ordinary domains stay far below 4 kB per client and day. A source that asks TXT or NULL, and little else, of ever different names below one domain is told too, whatever the names carry: a program fetches its orders so (names that sites publish for mail and certificates do not count). Names must also be long on average, because big sites have many short ones. Much TXT or NULL, or very long names, make the finding high. Put your resolvers into `ignore` if the sensor sits between them and the internet: a resolver asks for everybody.",
  response: [
    "Whose domain is it? Security products and telemetry use long names too; ask what the source is and whether others ask for the same domain.",
    "Unknown: block the domain at the resolver, keep the names as evidence of what left, and find the process that asks.",
  ],
  stability: "beta",
  where: "dns.question.name:* and source.ip:*",
  fields: ["source.ip", "dns.question.name", "dns.question.type", "destination.ip", "dns.response_code"],
  by: ["source.ip"],
  config: z.strictObject({
    bytes: z
      .int()
      .min(256)
      .max(100_000_000)
      .default(4_096)
      .describe(
        "What can have left by one domain in a day, in bytes; the bound of Paxson et al., Practical Comprehensive Bounds on Surreptitious Communication over DNS (2013).",
      ),
    names: z
      .int()
      .min(5)
      .max(100_000)
      .default(50)
      .describe(
        "Different names below the domain, at least; fewer cannot carry 4 kB at 80 bytes a name, the most base32 gets into 253 characters with room for the domain and a counter.",
      ),
    length: z
      .int()
      .min(8)
      .max(200)
      .default(24)
      .describe("Characters before the domain, on average, at least; host names of people and content networks mostly have fewer."),
    polling_share: z
      .number()
      .min(0.5)
      .max(1)
      .default(0.9)
      .describe(
        "Share of TXT and NULL among the questions from which short names make a finding, too: of what clients ask hardly one in a hundred is TXT, and below one domain that is one name again and again.",
      ),
    ignore: z.array(network).max(1_000).default([]).describe("Sources that ask for others: resolvers, mail filters."),
    ignore_domains: z
      .array(z.string())
      .max(1_000)
      .default([
        "akamai.net",
        "akamaiedge.net",
        "akadns.net",
        "amazonaws.com",
        "azure.com",
        "cloudfront.net",
        "e5.sk",
        "mcafee.com",
        "sophosxl.net",
        "spamhaus.org",
        "trafficmanager.net",
        "windows.net",
      ])
      .describe(
        "Domains whose names carry data by design: content networks, reputation look-ups. The default lists those nearly everybody meets.",
      ),
  }),
  examples: [
    {
      title: "A file in base32",
      events: Array.from({ length: 200 }, (_, n) => question(n * second, `${encoded(n, 50)}.t.example.com`, "TXT")),
      finds: [
        "10.0.0.9 asked 200 names below example.com, 52 characters before it on average, 100 % TXT or NULL: up to 5.9 kB can have left",
      ],
    },
    {
      title: "Orders fetched by TXT under short names",
      events: Array.from({ length: 60 }, (_, n) => question(n * 20 * second, `${encoded(n, 8)}.t.example.com`, "TXT")),
      finds: [
        "10.0.0.9 asked 60 names below example.com, 10 characters before it on average, 100 % TXT or NULL: up to 0.2 kB can have left",
      ],
    },
    {
      title: "A mail filter that asks for keys and policies",
      events: Array.from({ length: 200 }, (_, n) => question(n * second, `${encoded(n, 8)}._domainkey.example.com`, "TXT")),
      finds: [],
    },
    {
      title: "A content network with many short names",
      events: Array.from({ length: 400 }, (_, n) => question(n * second, `img${n}.cdn.example.net`)),
      finds: [],
    },
    {
      title: "The same long name all day, and reverse look-ups",
      events: Array.from({ length: 300 }, (_, n) =>
        question(n * minute, n % 2 === 0 ? `${encoded(1, 50)}.example.com` : `${n}.2.0.192.in-addr.arpa`, n % 2 === 0 ? "TXT" : "PTR"),
      ),
      finds: [],
    },
  ],

  key(fields, { ignore, ignore_domains }) {
    const domain = splitDomain(textField(fields, "dns.question.name"));
    if (!domain || domain.sub === "" || isBelow(domain.registered, ignore_domains)) return undefined;
    const from = textField(fields, "source.ip");
    return from === undefined || within(from, ignore) ? undefined : `${from}\0${domain.registered}`;
  },

  tally: {
    bucket: () => bucket,
    of(fields): Questions {
      const { sub } = splitDomain(textField(fields, "dns.question.name"))!;
      const carrying = carriers.has(textField(fields, "dns.question.type") ?? "") && !published.test(sub) ? 1 : 0;
      const millibits = Math.round(sub.length * entropyOf(sub) * 1_000);
      return { names: distinctOf(sub), count: 1, characters: sub.length, millibits, carrying };
    },
    merge: (into: Questions, more: Questions) => sum(into, more),
  },

  fold(input, state: State | undefined, config) {
    const { start, value, events } = input.tally!;
    const before = state && start - state.start < day ? state : undefined;
    const episode = ongoing(state?.episode, start, day);
    const { names, count, characters, millibits, carrying } = before
      ? sum({ ...before, names: [...before.names] }, value as Questions)
      : (value as Questions);
    const next: State = {
      names,
      count,
      characters,
      millibits,
      carrying,
      start: before?.start ?? start,
      last: input.time,
      events: [...(before?.events ?? []), ...events].slice(0, 20),
      episode,
    };
    const different = countDistinct(names);
    const length = characters / count;
    const bytes = (different * millibits) / count / 8_000;
    const share = carrying / count;
    const filled = length >= config.length && bytes >= config.bytes;
    if (different < config.names || (!filled && share < config.polling_share)) return { state: next };
    const grown = extend(episode, day, {
      time: input.time,
      start: next.start,
      events: episode ? events : next.events,
      count: episode ? (value as Questions).count : count,
    });
    const [from, domain] = input.key.split("\0") as [string, string];
    return {
      state: { ...next, episode: grown },
      claims: [
        {
          window: windowOf(grown),
          // iodine and dnscat2 fill their names; 52 is where Farnham's survey of tunnels (SANS, 2013) puts the border
          severity: filled && (share >= 0.5 || length >= 52) ? "high" : "medium",
          summary: `${from} asked ${different.toLocaleString("en")} names below ${domain}, ${Math.round(length)} characters before it on average, ${Math.round(share * 100)} % TXT or NULL: up to ${(bytes / 1_000).toFixed(1)} kB can have left`,
          events: grown.events,
          count: grown.count,
          entities: [
            { type: "source.ip", id: from },
            { type: "dns.question.name", id: domain },
          ],
          attack: ["T1071.004", "T1048.003"],
        },
      ],
    };
  },

  expires: (state) => state.last + day,
});

function sum(into: Questions, more: Questions): Questions {
  return {
    names: addDistinct(into.names as number[], more.names),
    count: into.count + more.count,
    characters: into.characters + more.characters,
    millibits: into.millibits + more.millibits,
    carrying: into.carrying + more.carrying,
  };
}
