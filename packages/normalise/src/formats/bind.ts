/** BIND's own log files, as its `logging` channels write them, to ECS; in syslog the syslog format reads the same messages. Knows no binary query log (dnstap). */
import { defineFormat, newFields, z } from "@vedette/kit";
import type { Flaw, Micros } from "@vedette/model";
import { share } from "../detect.ts";
import { relate } from "../ecs/related.ts";
import { readNamed } from "../linux/services.ts";
import { minutesOf, utcOffset } from "../time/offset.ts";
import { rfc3339At, stampEnd } from "../time/parse.ts";
import { bindStampAt, stampStop } from "../time/stamps.ts";

const notBind: Flaw = {
  code: "bad_bind",
  expected: "a line of BIND's log: 23-Aug-2013 18:41:28.090 [category: ][level: ]client 192.0.2.3#60683 (example.com): …",
};

/** `print-category` and `print-severity`, each of which may be off. */
const head = /^ (?:([a-z][a-z0-9-]{1,31}): )?(?:(critical|error|warning|notice|info|debug \d{1,3}): )?/;

interface Line {
  readonly time: Micros;
  /** Whether the stamp told its zone. */
  readonly zoned: boolean;
  readonly category: string | undefined;
  readonly level: string | undefined;
  readonly message: string;
}

/** `print-time yes` is a stamp that nothing else writes; `iso8601[-utc]` many programs do, and then both category and level must follow. */
function readLine(line: string): Line | undefined {
  const own = bindStampAt(line, 0);
  const time = own ?? rfc3339At(line, 0);
  if (time === undefined) return undefined;
  const end = own === undefined ? stampEnd() : stampStop();
  const found = head.exec(line.slice(end, end + 64));
  if (found === null || (own === undefined && (found[1] === undefined || found[2] === undefined))) return undefined;
  return { time, zoned: own === undefined, category: found[1], level: found[2], message: line.slice(end + found[0].length) };
}

export default defineFormat({
  name: "bind",
  summary: "BIND's own log files: queries, refused queries, zone transfers and updates, with category and level where they are printed.",
  description: "Stamps of `print-time yes` name no zone and count as `utc_offset`. Queries have who asked, the name and the type.",
  stability: "beta",
  config: z.strictObject({ utc_offset: utcOffset.describe("Zone of stamps that name none, as +hh:mm or -hh:mm.") }),
  detect: (sample) => 0.95 * share(sample, (line) => readLine(line) !== undefined),
  decoder(config) {
    const offset = minutesOf(config.utc_offset) * 60_000_000;
    return (text) => {
      const line = text.trimEnd();
      if (line === "") return { skip: "blank" };
      const read = readLine(line);
      if (read === undefined) return notBind;
      const fields = newFields();
      fields["event.kind"] = "event";
      fields["event.module"] = "bind";
      fields["event.dataset"] = "bind.log";
      fields["process.name"] = "named";
      if (read.category !== undefined) fields["bind.log.category"] = read.category;
      if (read.level !== undefined) fields["log.level"] = read.level;
      fields["message"] = read.message;
      readNamed(read.message, fields);
      relate(fields);
      return { time: read.zoned ? read.time : read.time - offset, fields };
    };
  },
  examples: [
    {
      title: "a query",
      input:
        "23-Aug-2013 18:41:28.090 queries: info: client @0x7f7c95c76968 192.0.2.3#60683 (example.com): query: example.com IN A +E(0)K (192.0.2.53)",
      expect: [
        {
          "@timestamp": "2013-08-23T18:41:28.090000Z",
          "event.kind": "event",
          "event.module": "bind",
          "event.dataset": "bind.log",
          "process.name": "named",
          "bind.log.category": "queries",
          "log.level": "info",
          message: "client @0x7f7c95c76968 192.0.2.3#60683 (example.com): query: example.com IN A +E(0)K (192.0.2.53)",
          "source.ip": "192.0.2.3",
          "source.port": 60683,
          "network.protocol": "dns",
          "event.category": "network",
          "dns.question.name": "example.com",
          "dns.question.type": "A",
          "event.action": "dns_query",
          "event.type": "protocol",
          "related.ip": ["192.0.2.3"],
        },
      ],
    },
    {
      title: "a refused zone transfer, with neither category nor level, in the server's zone",
      config: { utc_offset: "+02:00" },
      input: "11-Aug-2013 03:36:11.372 client 192.0.2.4#52115: zone transfer 'example.com/AXFR/IN' denied",
      expect: [
        {
          "@timestamp": "2013-08-11T01:36:11.372000Z",
          "event.kind": "event",
          "event.module": "bind",
          "event.dataset": "bind.log",
          "process.name": "named",
          message: "client 192.0.2.4#52115: zone transfer 'example.com/AXFR/IN' denied",
          "source.ip": "192.0.2.4",
          "source.port": 52115,
          "network.protocol": "dns",
          "event.category": "network",
          "dns.question.name": "example.com",
          "dns.question.type": "AXFR",
          "event.action": "dns_zone_transfer",
          "event.type": ["protocol", "denied"],
          "event.outcome": "failure",
          "related.ip": ["192.0.2.4"],
        },
      ],
    },
    { title: "another log", input: "2013-08-11 03:36:11 started", expect: { flaw: "bad_bind" } },
  ],
});
