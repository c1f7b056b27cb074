/** Splits host names at the public suffix list's borders. Looks nothing up on the network. */
import { defineEnricher, z } from "@vedette/kit";
import type { Fields, FieldValue } from "@vedette/model";
import { parse } from "tldts";
import { remembered } from "../bounded_cache.ts";
import { give, textOf } from "../give.ts";

interface Parts {
  readonly domain: string;
  readonly suffix: string;
  readonly subdomain: string;
}
/** Names of DNS are at most 253 characters (RFC 1035). */
const maxName = 253;

/** Where the parts of an end's name go. */
const partsAt = (prefix: string) => [`${prefix}.registered_domain`, `${prefix}.subdomain`, `${prefix}.top_level_domain`] as const;
const places = {
  question: partsAt("dns.question"),
  url: partsAt("url"),
  source: partsAt("source"),
  destination: partsAt("destination"),
  client: partsAt("client"),
  server: partsAt("server"),
};

export default defineEnricher({
  name: "public_suffix",
  summary: "Splits host names into registered domain, subdomain and public suffix.",
  description:
    "By the public suffix list that comes with the `tldts` library, the part that ICANN knows and the private one (`github.io`): what people can register is what a rule or a baseline should count by. Addresses and names without a known suffix get nothing.",
  stability: "beta",
  config: z.strictObject({
    private: z
      .boolean()
      .default(true)
      .describe("Whether suffixes under which companies let others register (github.io, s3.amazonaws.com) count as such."),
  }),
  examples: [
    {
      title: "A name below a suffix of two parts",
      fields: { "dns.question.name": "a.b.example.co.uk" },
      adds: {
        "dns.question.registered_domain": "example.co.uk",
        "dns.question.subdomain": "a.b",
        "dns.question.top_level_domain": "co.uk",
      },
    },
    {
      title: "What the log tells stays; an address is no name",
      fields: { "url.domain": "192.0.2.1", "destination.domain": "mallory.github.io", "destination.registered_domain": "github.io" },
      adds: { "destination.top_level_domain": "github.io" },
    },
  ],
  enricher(config) {
    const options = { allowPrivateDomains: config.private, extractHostname: false, validateHostname: true };
    const partsOf = remembered((name): Parts | undefined => {
      if (name.length > maxName) return undefined;
      const found = parse(name.endsWith(".") ? name.slice(0, -1) : name, options);
      // a lone unknown last label is not a suffix that anybody registers under
      if (found.isIp || found.domain === null || found.publicSuffix === null || !(found.isIcann || found.isPrivate)) return undefined;
      return { domain: found.domain, suffix: found.publicSuffix, subdomain: found.subdomain ?? "" };
    });
    const add = (fields: Fields, value: FieldValue | undefined, [domain, subdomain, suffix]: ReturnType<typeof partsAt>) => {
      const name = value === undefined ? undefined : textOf(value);
      const parts = name === undefined ? undefined : partsOf(name.toLowerCase());
      if (parts === undefined) return;
      give(fields, domain, parts.domain);
      give(fields, subdomain, parts.subdomain);
      give(fields, suffix, parts.suffix);
    };
    // names written out are read several times faster than names from a list
    return (fields: Fields) => {
      add(fields, fields["dns.question.name"], places.question);
      add(fields, fields["url.domain"], places.url);
      add(fields, fields["source.domain"], places.source);
      add(fields, fields["destination.domain"], places.destination);
      add(fields, fields["client.domain"], places.client);
      add(fields, fields["server.domain"], places.server);
    };
  },
});
